"""The virtual environment of `idlora_batch`: Ray, PyArrow and SciPy, without PyTorch; keyed by its pins."""

import hashlib
import sys
from pathlib import Path

from . import cache
from .console import run_logged, say
from .environment import PIP_OPTIONS, interpreter, starts
from .versions import PINS

BATCH_PINS = PINS / "batch.txt"


def python() -> Path:
    """The environment's interpreter, set up first where it is missing."""
    return interpreter(folder())


def folder() -> Path:
    return cache.built_once(_name(), _build, is_sound=starts)


def site_packages() -> Path:
    """Where its packages are, for the type checker."""
    return next(folder().glob("lib*/**/site-packages"))


def _name() -> str:
    pins = hashlib.sha256(BATCH_PINS.read_bytes()).hexdigest()
    return f"batch-python{sys.version_info.major}.{sys.version_info.minor}-{pins[:12]}"


def _build(venv: Path) -> None:
    say(f"Setting up the environment of idlora_batch in {venv} (once; about a minute and 800 MB)")
    log = cache.log_file("batch-venv")
    run_logged([sys.executable, "-m", "venv", venv], log, "Creating its virtual environment")
    install = [interpreter(venv), "-m", "pip", "install", *PIP_OPTIONS, "--only-binary", ":all:"]
    run_logged([*install, "-r", BATCH_PINS], cache.log_file("batch-pip"), "Installing Ray, PyArrow and SciPy")
