"""`dev.py check`: lint, format, types."""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

from . import batch_environment, downloads, environment, in_process
from .console import say
from .host_process import install
from .versions import NEWEST_HOST, ROOT, TESTS

BATCH = "idlora_batch"


def run_checks(_: argparse.Namespace) -> int:
    python = environment.python()
    with tempfile.TemporaryDirectory(prefix="idlora-check-") as folder:
        types = _pyright_settings(Path(folder))
        commands = {
            "lint": ["ruff", "check", "--no-cache", ROOT],
            "format": ["ruff", "format", "--check", "--no-cache", ROOT],
            "types": ["pyright", "--pythonpath", python, "--project", types],
        }
        passed = {name: _passes(name, [python, "-m", *command]) for name, command in commands.items()}
    for name, ok in passed.items():
        say(f"{name}: {'passed' if ok else 'failed'}")
    return 0 if all(passed.values()) else 1


def _passes(name: str, command: list) -> bool:
    say(f"\n== {name}")
    variables = {
        **os.environ,
        "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",
    }  # it would look for a newer version of itself
    return subprocess.run([str(part) for part in command], cwd=ROOT, env=variables).returncode == 0


def _pyright_settings(folder: Path) -> Path:
    """The project's settings, with what no committed file can know: where the host's sources are.

    The pack and its core are put beside it under the names by which tests import them. The root itself is no
    import path: its `nodes` would stand before the host's.
    """
    install(ROOT, folder / in_process.PACK)
    install(ROOT / in_process.CORE, folder / in_process.CORE)
    install(ROOT / BATCH, folder / BATCH)
    own = (TESTS, TESTS / "bed", downloads.comfyui(NEWEST_HOST), folder)
    paths = [str(path) for path in (*own, batch_environment.site_packages())]
    file = folder / "pyrightconfig.json"
    file.write_text(
        json.dumps({"extends": str(ROOT / "pyproject.toml"), "extraPaths": paths}), encoding="utf-8"
    )
    return file
