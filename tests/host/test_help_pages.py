"""The help pages against the live host: one per node, on every input, with pictures that are there."""

import http.client
import json
import re

import pytest

from dev_setup.versions import ROOT
from support.host_process import PACK_NAME
from tools.workflows.schema import OWN_PACK, load_recorded

PAGES = ROOT / "web" / "docs"
OWN_TYPES = sorted(schema.type for schema in load_recorded().values() if schema.pack == OWN_PACK)
SHARED_PAGES = {"LTXIDLoRA_Guider": "LTXIDLoRA_KSampler"}  # what one page says "as on" the other
TRANSLATED = sorted(PAGES.glob("*/*.md"))
MAIN_NODES = [
    f"LTXIDLoRA_{name}" for name in ("Load", "EncodeReferenceAudio", "FirstFrame", "Prompt", "KSampler")
]
PICTURE = re.compile(r"!\[([^]]*)\]\(([^)]+)\)")


def page(node_type: str) -> str:
    return (PAGES / f"{node_type}.md").read_text(encoding="utf-8")


def fetch(host, path: str) -> tuple[int, bytes]:
    answer = host.fetch(path)
    return answer.status, answer.body


@pytest.mark.parametrize("node_type", OWN_TYPES)
def test_the_host_serves_the_page(host, node_type):
    served = fetch(host, f"/extensions/{PACK_NAME}/docs/{node_type}.md")
    assert served == (http.client.OK, page(node_type).encode())


@pytest.mark.parametrize("node_type", OWN_TYPES)
def test_the_page_is_about_the_node_and_each_of_its_inputs(host, node_type):
    info = host.object_info(node_type)[node_type]
    text = page(node_type)
    assert text.startswith(f"# {info['display_name']}\n")
    described = text + (page(SHARED_PAGES[node_type]) if node_type in SHARED_PAGES else "")
    inputs = [*info["input"].get("required", {}), *info["input"].get("optional", {})]
    unexplained = [name for name in inputs if name != "audioUI" and f"**{name}**" not in described]
    assert not unexplained
    assert "## Mistakes people make" in text


@pytest.mark.parametrize("node_type", OWN_TYPES)
def test_the_page_has_a_picture_of_the_node_and_the_host_serves_it(host, node_type):
    paths = [path for _, path in PICTURE.findall(page(node_type))]
    assert f"images/{node_type}.webp" in paths
    for path in paths:
        served = fetch(host, f"/extensions/{PACK_NAME}/docs/{path}")
        assert served == (http.client.OK, (PAGES / path).read_bytes())


def test_there_is_no_page_of_a_node_that_is_not_there():
    assert sorted(path.stem for path in PAGES.glob("*.md")) == OWN_TYPES


def translation(path):
    """A node's words in the language of one of its pages."""
    words = json.loads((ROOT / "locales" / path.stem / "nodeDefs.json").read_text(encoding="utf-8"))
    return words[path.parent.name]


def test_the_main_nodes_have_a_page_in_each_language():
    assert (
        sorted(PAGES / node / f"{language}.md" for node in MAIN_NODES for language in ("fr", "zh"))
        == TRANSLATED
    )


@pytest.mark.parametrize("path", TRANSLATED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_translated_page_names_every_input_as_the_node_does(host, path):
    served = fetch(host, f"/extensions/{PACK_NAME}/docs/{path.parent.name}/{path.name}")
    assert served == (http.client.OK, path.read_bytes())
    text, words = path.read_text(encoding="utf-8"), translation(path)
    assert text.startswith(f"# {words['display_name']}\n")
    assert f"images/{path.parent.name}.webp" in text
    ids = {name.removeprefix("preset_"): slot["name"] for name, slot in words["inputs"].items()}
    missing = [name for name, label in ids.items() if f"**{label}**" not in text or f"`{name}`" not in text]
    assert not missing
