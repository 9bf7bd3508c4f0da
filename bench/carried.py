"""What the bench needs on a machine that has PyTorch and a GPU, and no package index: one folder of some 12 MB."""

import json
import shutil
import subprocess
from pathlib import Path

from dev_setup.hosts import Host

PACKAGES = ("comfy_kitchen", "einops", "psutil", "tqdm")
WHERE = (
    "import importlib.util as u, json, sys; print(json.dumps([u.find_spec(n).origin for n in sys.argv[1:]]))"
)
# Extensions built for one version of Python (comfy_kitchen's kernels, 165 MB) stay here; it runs without them.
NOT_CARRIED = shutil.ignore_patterns("__pycache__", "*.cpython-*", "tests", "tests-unit")


def write(host: Host, folder: Path) -> int:
    """Copy the Python files of a ComfyUI, and the small packages that sampling needs beside PyTorch."""
    shutil.copytree(host.tree, folder / "ComfyUI", ignore=_all_but_python, dirs_exist_ok=True)
    command = [host.python, "-c", WHERE, *PACKAGES]
    origins = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    for name, origin in zip(PACKAGES, origins, strict=True):
        shutil.copytree(
            Path(origin).parent, folder / "packages" / name, ignore=NOT_CARRIED, dirs_exist_ok=True
        )
    print(
        f"{folder} is ready. On the other machine, in a copy of this repository:\n"
        f"COMFYUI_PATH={folder}/ComfyUI COMFYUI_PYTHON=$(command -v python3) PYTHONPATH={folder}/packages"
        " python3 dev.py bench --device cuda --json figures.json"
    )
    return 0


def _all_but_python(folder: str, names: list[str]) -> set[str]:
    ignored = NOT_CARRIED(folder, names)
    files = {name for name in names if not name.endswith(".py") and not (Path(folder) / name).is_dir()}
    return {*ignored, *files}
