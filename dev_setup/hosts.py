"""Which ComfyUI, which interpreter and which models a command works with."""

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import cache, downloads, environment
from .console import SetupError, run_logged
from .versions import NEWEST_HOST, TESTS

SUPPORT = TESTS / "support"
MODEL_SOURCES = ("small_models.py", "small_models/*.json", "text_encoder_double/*.py")
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
HAS_ACCELERATOR = """
import torch
kinds = [torch.cuda, getattr(torch, "xpu", None), torch.backends.mps]
raise SystemExit(0 if any(kind and kind.is_available() for kind in kinds) else 1)
"""


@dataclass(frozen=True)
class Host:
    """A ComfyUI and the interpreter that runs it."""

    tree: Path
    python: Path
    is_ours: bool

    @property
    def version(self) -> str:
        file = self.tree / "comfyui_version.py"
        lines = file.read_text().splitlines() if file.exists() else []
        return next(
            (line.split('"')[1] for line in lines if line.startswith("__version__")), "of unknown version"
        )

    def device_options(self) -> list[str]:
        """`--cpu` where PyTorch sees no accelerator: ComfyUI does not start without one unless told."""
        probe = subprocess.run([self.python, "-c", HAS_ACCELERATOR], capture_output=True, text=True)
        if probe.returncode not in (0, 1):
            raise SetupError(f"{self.python} cannot import PyTorch:\n{probe.stderr.strip()}")
        return ["--cpu"] if probe.returncode else []


def chosen_host() -> Host:
    """The ComfyUI named by COMFYUI_PATH, run by COMFYUI_PYTHON or its own Python; else our own 0.30.0."""
    tree = os.environ.get("COMFYUI_PATH")
    if tree:
        return _existing_host(Path(tree).expanduser().resolve())
    return Host(downloads.comfyui(NEWEST_HOST), environment.python(), is_ours=True)


def _existing_host(tree: Path) -> Host:
    if not (tree / "main.py").is_file() or not (tree / "comfy").is_dir():
        raise SetupError(
            f"COMFYUI_PATH names {tree}, which holds no ComfyUI (no main.py or no folder comfy)."
        )
    named = os.environ.get("COMFYUI_PYTHON")
    if named and not Path(named).expanduser().is_file():
        raise SetupError(f"COMFYUI_PYTHON names {named}, which is not a file.")
    # Not resolved: a virtual environment's interpreter is a link, and the link is what makes it one.
    found = (
        [Path(named).expanduser()] if named else [tree / own for own in OWN_PYTHONS if (tree / own).is_file()]
    )
    return Host(tree, found[0] if found else environment.python(), is_ours=False)


def small_models() -> Path:
    """The models folder with the small models, made first where it is missing."""
    digest = hashlib.sha256(NEWEST_HOST.encode())
    for pattern in MODEL_SOURCES:
        for source in sorted(SUPPORT.glob(pattern)):
            digest.update(source.name.encode() + source.read_bytes())
    return cache.built_once(f"models-{digest.hexdigest()[:12]}", _build_small_models)


def _build_small_models(folder: Path) -> None:
    command = [environment.python(), "-m", "support.small_models", "--comfy", downloads.comfyui(NEWEST_HOST)]
    title = f"Making the small models in {folder} (once)"
    run_logged([*command, "--out", folder], cache.log_file("small-models"), title, environment.variables())


def users_models(folder: Path) -> Path:
    """The user's models folder, given itself or as the ComfyUI that holds it."""
    folder = folder.expanduser().resolve()
    for candidate in (folder, folder / "models"):
        if (candidate / "checkpoints").is_dir():
            return candidate
    raise SetupError(f"{folder} is not a models folder: it has no folder `checkpoints`.")
