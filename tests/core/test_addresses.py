"""No address in the repository leads to what is not there, or to what belongs to others."""

import re

import tomlkit

from dev_setup.versions import ROOT
from tools.workflows.schema import OWN_PACK

TEXTS = (".md", ".py", ".toml", ".json", ".js")
OTHERS = ("output", "node_modules")  # folders that are not the repository's
CLAIMS = re.compile(r"(github\.com[/:]|registry\.comfy\.org/(publishers|nodes)/)id-lora/(?!ID-LoRA\b)")


def texts():
    for path in ROOT.rglob("*"):
        folders = path.relative_to(ROOT).parts[:-1]
        if path.suffix in TEXTS and not any(part.startswith(".") or part in OTHERS for part in folders):
            yield path


def test_nobody_elses_address_is_claimed():
    found = {
        str(path.relative_to(ROOT)): match.group()
        for path in texts()
        if (match := CLAIMS.search(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_an_address_of_others_would_be_found():
    assert CLAIMS.search("https://github.com/" + "id-lora/a-pack") and CLAIMS.search(
        "git@github.com:" + "id-lora/b"
    )
    assert not CLAIMS.search("https://github.com/" + "id-lora/ID-LoRA"), "the authors' own repository"


def test_the_placeholders_say_that_they_are_placeholders():
    pyproject = tomlkit.parse((ROOT / "pyproject.toml").read_text(encoding="utf-8")).unwrap()
    project, comfy = pyproject["project"], pyproject["tool"]["comfy"]
    assert project["name"] == OWN_PACK and OWN_PACK.startswith("unpublished-")
    assert project["urls"]["Repository"].startswith("https://example.com/")
    assert comfy["PublisherId"].endswith("-not-chosen-yet")
