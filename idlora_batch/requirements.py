"""The packages of the extra `batch`, imported where they are used, with a sentence where one is missing."""

import importlib
from types import ModuleType

INSTALL = "pip install ray pyarrow scipy"
USES = {
    "ray": "rendering on this computer's GPUs or on a cluster (--server does without)",
    "pyarrow": "Parquet tables and results, and object stores",
    "scipy": "the intervals of a study",
}


def required(module: str) -> ModuleType:
    """A module of one of the extra's packages: `required("pyarrow.parquet")`.

    Raises:
        RuntimeError: not installed; with the command that installs it.
    """
    package = module.split(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise RuntimeError(
            f"{package} is not installed; it is needed for {USES[package]}. Install it with: {INSTALL}"
        ) from error
