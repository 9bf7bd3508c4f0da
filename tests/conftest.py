"""Fixtures of all tiers."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from dev_setup.processes import on_being_told_to_end
from support import given
from support.host_process import PACK, TEXT_ENCODER_DOUBLE, HostProcess

hypothesis.settings.register_profile("idlora", deadline=None, database=None, print_blob=True)
hypothesis.settings.load_profile("idlora")


def pytest_configure() -> None:
    """End as on Ctrl-C when told to end, so that the host that was started is stopped."""
    on_being_told_to_end(signal.default_int_handler)


@pytest.fixture(scope="session")
def comfy_tree() -> Path:
    return given.path("IDLORA_COMFY_TREE")


@pytest.fixture(scope="session")
def host_version() -> str:
    return os.environ.get("IDLORA_HOST_VERSION", "0.30.0")


@pytest.fixture(scope="session")
def small_models() -> Path:
    return given.path("IDLORA_MODELS")


@pytest.fixture(scope="session")
def recorded_speech() -> Path:
    return given.path("IDLORA_SPEECH")


@pytest.fixture(scope="session")
def chromium() -> Path:
    return given.path("IDLORA_CHROMIUM")


@pytest.fixture(scope="session")
def host(
    comfy_tree: Path, small_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HostProcess]:
    """A running ComfyUI with the small models, this pack and the text-encoder double; with the frontend that was asked for."""
    frontend = os.environ.get("IDLORA_FRONTEND")
    process = HostProcess(
        comfy_tree,
        Path(sys.executable),
        tmp_path_factory.mktemp("host"),
        models=small_models,
        custom_nodes={**PACK, **TEXT_ENCODER_DOUBLE},
        options=[
            "--cpu",
            "--preview-method",
            "latent2rgb",
            *(["--front-end-root", frontend] if frontend else []),
        ],
        threads=1,
    )
    with process:
        yield process
