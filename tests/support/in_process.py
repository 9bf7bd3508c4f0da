"""The host's Python modules, and this pack, inside the test process; on the CPU.

    comfy and all other host modules      import_host(tree, base_dir) first, then `import comfy...`
    this pack, as the host would load it  import_pack(), in sys.modules as `idlora_pack`
    the core                              import_core(), in sys.modules as `idlora_core`

The pack's root is never on sys.path: it has a package `nodes`, and so has the host a module `nodes`.
"""

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from dev_setup.versions import ROOT

CORE, PACK = "idlora_core", "idlora_pack"


def import_core() -> ModuleType:
    """The host-free package, with all its modules, as `idlora_core`."""
    if CORE not in sys.modules:
        core = import_folder(ROOT / CORE, CORE)
        for module in pkgutil.walk_packages(core.__path__, f"{CORE}."):
            importlib.import_module(module.name)
    return sys.modules[CORE]


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
        import_core()
        for name, module in list(sys.modules.items()):
            if name == CORE or name.startswith(f"{CORE}."):
                sys.modules[f"{PACK}.{name}"] = module
        import_folder(ROOT, PACK)
    return sys.modules[PACK]


def import_folder(folder: Path, name: str) -> ModuleType:
    """Import the package in `folder` under a name of our choice, without touching sys.path."""
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is no package")
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
