"""The user's ComfyUI: its folder, interpreter, models and packs."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Beside a ComfyUI: its own virtual environment, or the Python of the portable Windows build.
OWN_PYTHONS = (
    "venv/bin/python",
    ".venv/bin/python",
    "venv/Scripts/python.exe",
    ".venv/Scripts/python.exe",
    "../venv/bin/python",
    "../.venv/bin/python",
    "../python_embeded/python.exe",
)


@dataclass(frozen=True)
class Installation:
    """tree: ComfyUI's folder. python: what runs it. base: the folder of models, custom_nodes and input.

    options: more options of ComfyUI's main.py, e.g. ("--lowvram",).
    """

    tree: Path
    python: Path
    base: Path
    options: tuple[str, ...] = ()

    def model_paths(self) -> str:
        """ComfyUI's extra model path file (JSON is YAML): the user's models and packs, where they are.

        An `extra_model_paths.yaml` beside main.py is read by ComfyUI all the same.
        """
        models = self.base / "models"
        folders = (
            sorted(folder.name for folder in models.iterdir() if folder.is_dir()) if models.is_dir() else []
        )
        entries = {
            "models": {"base_path": str(models), **{name: name for name in folders}},
            "packs": {"base_path": str(self.base), "custom_nodes": "custom_nodes"},
        }
        return json.dumps(entries)


def found(
    tree: Path, python: Path | None = None, base: Path | None = None, options: tuple[str, ...] = ()
) -> Installation:
    """An installation that can be started.

    Raises:
        ValueError: no ComfyUI there, or no interpreter beside it; with what to name.
    """
    tree = tree.expanduser().resolve()
    if not (tree / "main.py").is_file() or not (tree / "comfy").is_dir():
        raise ValueError(
            f"--comfyui names {tree}, which is not a ComfyUI: it has no main.py or no folder comfy."
        )
    base = (base or tree).expanduser().resolve()
    if not base.is_dir():
        raise ValueError(f"--comfyui-base names {base}, which is not a folder.")
    # An interpreter is not resolved: in a virtual environment it is a link, and the link is what makes it one.
    candidates = [python.expanduser()] if python else [tree / own for own in OWN_PYTHONS]
    interpreter = next((candidate.absolute() for candidate in candidates if candidate.is_file()), None)
    if interpreter is None:
        named = f"{python} is not a file" if python else "there is no virtual environment beside it"
        raise ValueError(
            f"No Python for {tree}: {named}. Name the one that runs ComfyUI with --comfyui-python."
        )
    return Installation(tree, interpreter, base, options)


def has_accelerator(installation: Installation) -> bool:
    """Whether PyTorch sees a GPU; without one, ComfyUI starts only with --cpu."""
    program = (
        "import torch; kinds = [torch.cuda, getattr(torch, 'xpu', None), torch.backends.mps];"
        "raise SystemExit(0 if any(kind and kind.is_available() for kind in kinds) else 1)"
    )
    answer = subprocess.run([installation.python, "-c", program], capture_output=True, text=True)
    if answer.returncode not in (0, 1):
        raise ValueError(f"{installation.python} cannot import PyTorch:\n{answer.stderr.strip()}")
    return answer.returncode == 0
