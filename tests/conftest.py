"""Fixtures of all tiers. What they need comes from `dev.py test` in environment variables.

IDLORA_COMFY_TREE, IDLORA_HOST_VERSION   a ComfyUI release
IDLORA_MODELS                            the small models
IDLORA_SPEECH                            a wav file of recorded speech
IDLORA_TAKES                             real weights and real speech
IDLORA_CHROMIUM                          a browser's executable
"""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from bed import in_process
from bed.host_process import PACK, TEXT_ENCODER_DOUBLE, HostProcess

# Before any test module is imported, so that tests can write `from idlora_core import ...`.
in_process.import_core()

hypothesis.settings.register_profile("bed", deadline=None, database=None, print_blob=True)
hypothesis.settings.load_profile("bed")


def pytest_configure() -> None:
    """End as on Ctrl-C when told to end, so that the host that was started is stopped."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def from_environment(name: str) -> Path:
    path = os.environ.get(name)
    if not path:
        raise RuntimeError(f"{name} is not set. Run the tests with `python3 dev.py test`.")
    return Path(path)


@pytest.fixture(scope="session")
def comfy_tree() -> Path:
    return from_environment("IDLORA_COMFY_TREE")


@pytest.fixture(scope="session")
def host_version() -> str:
    return os.environ.get("IDLORA_HOST_VERSION", "0.30.0")


@pytest.fixture(scope="session")
def small_models() -> Path:
    return from_environment("IDLORA_MODELS")


@pytest.fixture(scope="session")
def recorded_speech() -> Path:
    return from_environment("IDLORA_SPEECH")


@pytest.fixture(scope="session")
def chromium() -> Path:
    return from_environment("IDLORA_CHROMIUM")


@pytest.fixture(scope="session")
def host(
    comfy_tree: Path, small_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HostProcess]:
    """A running ComfyUI with the small models, this pack and the text-encoder double."""
    process = HostProcess(
        comfy_tree,
        Path(sys.executable),
        tmp_path_factory.mktemp("host"),
        models=small_models,
        custom_nodes={**PACK, **TEXT_ENCODER_DOUBLE},
        options=["--cpu", "--preview-method", "latent2rgb"],
        threads=1,
    )
    with process:
        yield process
