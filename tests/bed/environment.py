"""The virtual environment with the pinned packages: one for all hosts, keyed by the pins."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import cache
from .console import SetupError, run_logged, say
from .versions import CONSTRAINTS, REQUIREMENTS, TESTS

NEEDED_GIB = 10
PIP_OPTIONS = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")


def python() -> Path:
    """The environment's interpreter, set up first where it is missing."""
    return interpreter(cache.built_once(name(), _build, is_sound=starts))


def name() -> str:
    pins = hashlib.sha256(REQUIREMENTS.read_bytes() + CONSTRAINTS.read_bytes()).hexdigest()
    return f"python{sys.version_info.major}.{sys.version_info.minor}-{pins[:12]}"


def interpreter(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def bed_variables() -> dict[str, str]:
    """Environment variables for a program of the environment that imports `bed`."""
    return {**os.environ, "PYTHONPATH": str(TESTS)}


def _build(venv: Path) -> None:
    _require_room(venv)
    _require_venv()
    say(f"Setting up the Python environment in {venv} (once; about 3 minutes and 7 GB)")
    run_logged(
        [sys.executable, "-m", "venv", venv], cache.log_file("venv"), "Creating the virtual environment"
    )
    install = [interpreter(venv), "-m", "pip", "install", *PIP_OPTIONS, "--only-binary", ":all:"]
    pins = ["-r", REQUIREMENTS, "-c", CONSTRAINTS]
    run_logged([*install, *pins], cache.log_file("pip"), "Installing the pinned packages")


def starts(venv: Path) -> bool:
    """False where the Python that the environment was made from is gone."""
    try:
        return subprocess.run([interpreter(venv), "-c", ""], capture_output=True).returncode == 0
    except OSError:
        return False


def _require_venv() -> None:
    missing = [module for module in ("venv", "ensurepip") if importlib.util.find_spec(module) is None]
    if missing:
        raise SetupError(
            f"This Python ({sys.executable}) lacks {' and '.join(missing)}, so it cannot make a virtual environment. "
            f"On Debian and Ubuntu: apt install python{sys.version_info.major}.{sys.version_info.minor}-venv. "
            "Or run dev.py with a Python from python.org."
        )


def _require_room(venv: Path) -> None:
    free_gib = shutil.disk_usage(venv).free / 2**30
    if free_gib < NEEDED_GIB:
        raise SetupError(
            f"{venv.parent} has {free_gib:.1f} GiB free; setting up needs {NEEDED_GIB}. "
            "Free some space, or name another folder in IDLORA_CACHE."
        )
