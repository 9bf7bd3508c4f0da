"""What the registry reads: comfy-cli's own checks, and the stricter ones of `support.installing.pyproject`."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from dev_setup.versions import OLDEST_HOST
from support.installing import checkout, programs
from support.installing.checkout import Checkout
from support.installing.pyproject import problems, versions_of

PASSED = "All validation checks passed successfully"


def test_comfy_node_validate_passes_without_a_warning(repository: Checkout, home: Path):
    output = programs.comfy(repository.folder, home, "node", "validate")
    assert PASSED in output
    assert "warning" not in output.lower(), output


def test_comfy_node_validate_would_have_warned(repository: Checkout, home: Path, tmp_path: Path):
    bad = checkout.with_changes(repository, tmp_path / "bad", {"nodes/bad.py": "eval(input())\n"})
    output = programs.comfy(bad.folder, home, "node", "validate")
    assert "Security warnings found" in output
    assert PASSED not in output


def test_every_key_is_as_the_registry_wants_it(pyproject: dict):
    assert problems(pyproject) == []


def set_key(section: tuple[str, ...], key: str, value: object) -> Callable[[dict], None]:
    def change(pyproject: dict) -> None:
        for name in section:
            pyproject = pyproject[name]
        pyproject[key] = value

    return change


PROJECT, URLS, COMFY = ("project",), ("project", "urls"), ("tool", "comfy")


@pytest.mark.parametrize(
    "change, found",
    [
        (set_key(PROJECT, "name", "ComfyUI-ID-LoRA"), "name"),
        (set_key(PROJECT, "name", "idlora-comfyui"), "name"),
        (set_key(PROJECT, "version", "0.1"), "version"),
        (set_key(PROJECT, "version", "0.1.0rc1"), "version"),
        (set_key(PROJECT, "description", " "), "description"),
        (set_key(PROJECT, "license", {"name": "Apache-2.0"}), "license"),
        (set_key(PROJECT, "license", "see LICENSE"), "license"),
        (set_key(PROJECT, "classifiers", ["Operating System :: Linux"]), "classifiers"),
        (set_key(PROJECT, "classifiers", ["Environment :: GPU :: NVIDIA CUDA"]), "classifiers"),
        (set_key(PROJECT, "dependencies", ["librosa"]), "dependencies"),
        (set_key(PROJECT, "requires-python", ">=3.12"), "requires-python"),
        (set_key(URLS, "Repository", "git@github.com:someone/some-pack.git"), "urls.Repository"),
        (set_key(COMFY, "PublisherId", ""), "PublisherId"),
        (set_key(COMFY, "DisplayName", ""), "DisplayName"),
        (set_key(COMFY, "requires-comfyui", ">=0.20"), "requires-comfyui"),
        (set_key(COMFY, "requires-comfyui", ">=0.20.1,<1"), "requires-comfyui"),
        (set_key(COMFY, "Icon", "icon.png"), "Icon"),
        (set_key(COMFY, "web", "web"), "unknown key"),
    ],
)
def test_a_wrong_key_is_found(pyproject: dict, change: Callable[[dict], None], found: str):
    changed = copy.deepcopy(pyproject)
    change(changed)
    assert problems(changed) == [found]


def test_the_oldest_host_that_is_tested_is_the_one_that_is_asked_for(pyproject: dict):
    assert pyproject["tool"]["comfy"]["requires-comfyui"] == f">={OLDEST_HOST}"


def test_the_changelog_begins_with_this_version(pyproject: dict, repository: Checkout):
    changelog = (repository.folder / "CHANGELOG.md").read_text(encoding="utf-8")
    assert versions_of(changelog)[:1] == [pyproject["project"]["version"]]
