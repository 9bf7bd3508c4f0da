"""The core knows no host: proved in an interpreter that has none."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOST_MODULES = {"comfy", "comfy_api", "comfy_extras", "comfy_execution", "folder_paths", "server", "nodes"}
SHIPPED_LIBRARIES = {"torch", "torchaudio", "einops", "safetensors"}

PROGRAM = """
import importlib, importlib.util, pkgutil, sys
spec = importlib.util.spec_from_file_location("idlora_core", {init!r}, submodule_search_locations=[{folder!r}])
package = importlib.util.module_from_spec(spec)
sys.modules["idlora_core"] = package
spec.loader.exec_module(package)
for module in pkgutil.walk_packages(package.__path__, "idlora_core."):
    importlib.import_module(module.name)
assert "idlora_core.lora.files" in sys.modules
loaded = {{name.split(".")[0] for name in sys.modules}}
assert not loaded & {host!r}, loaded & {host!r}
"""


def imported_packages(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_core_loads_in_an_interpreter_without_a_host():
    folder = ROOT / "idlora_core"
    program = PROGRAM.format(init=str(folder / "__init__.py"), folder=str(folder), host=HOST_MODULES)
    subprocess.run([sys.executable, "-I", "-c", program], check=True, cwd="/")


def test_core_imports_only_what_every_host_has():
    allowed = SHIPPED_LIBRARIES | set(sys.stdlib_module_names)
    for path in (ROOT / "idlora_core").rglob("*.py"):
        assert imported_packages(path) <= allowed, path.name


def test_only_the_host_adapter_imports_the_hosts_internals():
    internals = HOST_MODULES - {"comfy_api"}
    host = ROOT / "nodes" / "host"
    shown = [path for path in (ROOT / "nodes").rglob("*.py") if host not in path.parents]
    assert {path.parent.name for path in shown} >= {"nodes", "pictures"}
    for path in shown:
        assert not imported_packages(path) & internals, path.name
