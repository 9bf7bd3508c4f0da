"""What the tests of idlora_batch share. They run in its own environment, which has neither PyTorch nor ComfyUI.

The driver runs as users run it, as a program, in a network namespace of its own where the system allows one: Ray
listens on all interfaces. A ComfyUI of these tests is the user's: a folder of models and packs, and an interpreter.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bed import batch_runs
from bed.versions import ROOT

sys.path.append(str(ROOT))  # after everything: it has a package `nodes`

TEXT_ENCODER_DOUBLE = ROOT / "tests" / "bed" / "text_encoder_double"


def pytest_configure() -> None:
    """End as on Ctrl-C when told to end, so that what was started is stopped."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def from_environment(name: str) -> Path:
    path = os.environ.get(name)
    if not path:
        raise RuntimeError(f"{name} is not set. Run the tests with `python3 dev.py test batch`.")
    return Path(path)


@pytest.fixture(scope="session")
def chromium() -> Path:
    return from_environment("IDLORA_CHROMIUM")


@pytest.fixture(scope="session")
def comfyui(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options that name the user's ComfyUI."""
    base = tmp_path_factory.mktemp("comfyui")
    (base / "models").symlink_to(from_environment("IDLORA_MODELS"))
    packs = base / "custom_nodes"
    packs.mkdir()
    (packs / "idlora-ltx2").symlink_to(ROOT)
    (packs / "text_encoder_double").symlink_to(TEXT_ENCODER_DOUBLE)
    python = from_environment("IDLORA_COMFY_PYTHON")
    tree = from_environment("IDLORA_COMFY_TREE")
    return [f"--comfyui={tree}", f"--comfyui-python={python}", f"--comfyui-base={base}", "--cpu"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's folder with a face, a voice and a workflow that renders in seconds."""
    return batch_runs.users_folder(tmp_path)


@pytest.fixture
def table(folder: Path) -> Callable[..., Path]:
    """Write a table: the header, then the rows."""
    return lambda *lines, name="table.csv": batch_runs.write_table(folder / name, *lines)


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    """Start drivers that the test's end kills."""
    started: list[subprocess.Popen] = []

    def start_one(*arguments: Any) -> subprocess.Popen:
        started.append(batch_runs.start(*arguments, log=tmp_path / f"driver{len(started)}.log"))
        return started[-1]

    yield start_one
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
