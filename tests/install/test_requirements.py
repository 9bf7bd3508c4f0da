"""The pack needs nothing that the oldest host, with its own requirements.txt alone, does not have."""

import ast
from pathlib import Path

import pytest

from dev_setup import downloads
from dev_setup.versions import OLDEST_HOST
from support.installing.archive import Archive
from support.installing.imports import missing_on, unresolved

OLDEST_PYTHON = (3, 10)


@pytest.fixture(scope="session")
def oldest_host() -> Path:
    return downloads.comfyui(OLDEST_HOST)


def test_all_imports_are_pythons_the_hosts_or_of_its_requirements(archive: Archive, oldest_host: Path):
    assert missing_on(oldest_host, archive.texts(".py")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import librosa",
        "def f():\n    from peft import LoraModel",
        "import kornia",  # one of the host's "non essential dependencies"
        "import tomllib",  # from Python 3.11 on
        "try:\n    import peft\nexcept ValueError:\n    pass",
    ],
)
def test_an_import_that_a_host_might_lack_is_found(source: str, oldest_host: Path):
    assert len(missing_on(oldest_host, {"nodes/bad.py": source})) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import json, torch, torchaudio, av, numpy, einops, safetensors.torch, PIL.Image, scipy.signal",
        "from comfy_api.latest import io\nimport folder_paths",
        "try:\n    import peft\nexcept ImportError:\n    peft = None",
    ],
)
def test_what_every_host_has_is_not(source: str, oldest_host: Path):
    assert missing_on(oldest_host, {"nodes/good.py": source}) == []


def test_relative_imports_lead_to_shipped_files(archive: Archive):
    assert unresolved(archive.texts(".py")) == []


@pytest.mark.parametrize(
    "source", ["from . import gone", "from ..idlora_core.gone import a", "from .host.gone import a"]
)
def test_a_relative_import_that_leads_nowhere_is_found(archive: Archive, source: str):
    assert len(unresolved({**archive.texts(".py"), "nodes/bad.py": source})) == 1


def test_the_oldest_python_can_read_the_sources(archive: Archive):
    for name, source in archive.texts(".py").items():
        ast.parse(source, filename=name, feature_version=OLDEST_PYTHON)


def test_sources_for_a_newer_python_would_be_found():
    with pytest.raises(SyntaxError):
        ast.parse("try:\n    pass\nexcept* ValueError:\n    pass", feature_version=OLDEST_PYTHON)
