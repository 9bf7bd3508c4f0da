"""The host's Python modules, and this pack, inside the test process; on the CPU.

A tier whose tests work with them calls `import_all()` in its conftest.py. Its tests then import as any module does:

    import comfy.sd                                        the host
    from idlora_pack.nodes.host.guider import ...          this pack, as the host would load it
    from idlora_core.guidance import ...                   the core, the very modules that the pack uses

`nodes` is the host's module: the host comes before this repository's root on sys.path.
"""

import atexit
import importlib
import importlib.util
import pkgutil
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from dev_setup.versions import ROOT

from . import given

CORE, PACK = "idlora_core", "idlora_pack"


def import_all() -> None:
    """The host and the small models that `dev.py test` gives, and the pack."""
    base_dir = tempfile.mkdtemp(prefix="idlora-in-process-")
    atexit.register(shutil.rmtree, base_dir, ignore_errors=True)
    import_host(given.path("IDLORA_COMFY_TREE"), Path(base_dir), given.path("IDLORA_MODELS"))
    import_pack()


def import_host(
    tree: Path, base_dir: Path, models: Path | None = None, device_options: Sequence[str] = ("--cpu",)
) -> None:
    """Make the modules of a ComfyUI tree importable, with folders below `base_dir`.

    Args:
        tree: a ComfyUI release.
        base_dir: an existing folder for input, output, temp and user files.
        models: a models folder, searched by the host's `folder_paths`.
        device_options: of ComfyUI's main.py; the default leaves accelerators alone.
    """
    if "comfy.cli_args" in sys.modules:
        return
    sys.path.insert(0, str(tree))
    options = [
        *device_options,
        "--base-directory",
        str(base_dir),
        "--disable-api-nodes",
        "--disable-all-custom-nodes",
    ]
    with _command_line("main.py", *options):
        importlib.import_module("comfy.options").enable_args_parsing()
        importlib.import_module("comfy.cli_args")
    # Older hosts put comfy/ on sys.path in nodes.py, and comfy/utils.py would then hide this package.
    importlib.import_module("utils.extra_config")
    folder_paths = importlib.import_module("folder_paths")
    for folder in sorted(models.iterdir()) if models else ():
        if folder.is_dir():
            folder_paths.add_model_folder_path(folder.name, str(folder), is_default=True)


def import_pack() -> ModuleType:
    """This pack as a package, under a name that cannot meet the host's; its core is `idlora_core`, not a copy."""
    if PACK not in sys.modules:
        core = importlib.import_module(CORE)
        names = [CORE, *(found.name for found in pkgutil.walk_packages(core.__path__, f"{CORE}."))]
        sys.modules.update({f"{PACK}.{name}": importlib.import_module(name) for name in names})
        import_folder(ROOT, PACK)
    return sys.modules[PACK]


def import_folder(folder: Path, name: str) -> ModuleType:
    """Import the package in `folder` under a name of our choice, without touching sys.path."""
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is not a package")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _command_line(*arguments: str) -> Iterator[None]:
    """The host reads its options from the command line when it is imported."""
    before, sys.argv = sys.argv, list(arguments)
    try:
        yield
    finally:
        sys.argv = before
