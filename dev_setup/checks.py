"""`dev.py check`: lint, format, types."""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

from support import in_process
from support.host_process import install

from . import downloads, environment
from .console import say
from .versions import NEWEST_HOST, ROOT, TESTS


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

    The pack is put beside it under the name by which tests import it. The root comes after the host, so that
    `nodes` is the host's.
    """
    _link_pack(folder / in_process.PACK)
    paths = [str(path) for path in (TESTS, downloads.comfyui(NEWEST_HOST), ROOT, folder)]
    file = folder / "pyrightconfig.json"
    file.write_text(
        json.dumps({"extends": str(ROOT / "pyproject.toml"), "extraPaths": paths}), encoding="utf-8"
    )
    return file


def _link_pack(folder: Path) -> None:
    """The pack as `idlora_pack`, whose core is `idlora_core` itself and no second one with other types."""
    folder.mkdir()
    for name in ("__init__.py", "nodes"):
        install(ROOT / name, folder / name)
    for module in (ROOT / in_process.CORE).rglob("*.py"):
        stand_in = folder / module.relative_to(ROOT)
        stand_in.parent.mkdir(exist_ok=True)
        dotted = ".".join(module.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        stand_in.write_text(f"from {dotted} import *\n", encoding="utf-8")
