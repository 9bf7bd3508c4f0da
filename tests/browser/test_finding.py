"""Where people look for the pack: templates, node search, help."""

import re

import pytest

from dev_setup.versions import ROOT
from support.host_process import PACK_NAME
from tools.workflows.app import NAME as APP
from tools.workflows.files import FOLDER

TEMPLATES = sorted(file.stem for file in FOLDER.glob("*.json"))
HELP_PAGES = ROOT / "web" / "docs"
BLUEPRINTS = {file.stem for file in (ROOT / "subgraphs").glob("*.json")}
ALIASES = {  # what people type -> a node that must be among what is offered
    "voice clone": "Encode Reference Audio",
    "talking head": "First-Frame Condition",
    "id-lora": "Load ID-LoRA",
}


SEARCHES = ("talking", "voice", "lip sync", "clone", "face", "speech", "talking head", "id-lora")


def own_types(host):
    return {kind: info for kind, info in host.object_info().items() if kind.startswith("LTXIDLoRA_")}


def test_the_template_browser_shows_each_workflow_with_its_picture(page):
    shown = page.templates(PACK_NAME)
    assert sorted(shown) == TEMPLATES
    assert all(width > 0 for width in shown.values()), shown


def test_the_template_search_finds_ours_by_what_people_look_for(open_page):
    """Only the start of a file name is searched, and so no name has every word."""
    found = open_page("nodes2").found_templates(*SEARCHES)
    ours = {
        words: [name for name in names if name in TEMPLATES]
        for words, names in zip(SEARCHES, found, strict=True)
    }
    assert [words for words, names in ours.items() if not names] == []
    assert APP in ours["talking"] and APP in ours["voice"] and APP in ours["clone"] and APP in ours["face"]
    heads = {name for name in TEMPLATES if name.startswith("ID-LoRA Talking Head")}
    assert heads <= set(ours["talking head"])


def test_search_finds_nodes_by_what_people_call_them(page, studio):
    names = {info["display_name"] for info in own_types(studio).values()} | BLUEPRINTS
    for words, wanted in ALIASES.items():
        offered = page.search(words)
        assert wanted in offered, words
        assert set(offered[:2]) <= names, f"{words}: others come first"


def test_each_node_opens_its_help_page(page, studio):
    for kind, info in own_types(studio).items():
        page.clear()
        content = page.help(kind)
        assert content.locator(".fallback-content").count() == 0, f"{kind} has no page of its own"
        assert content.locator("h1").inner_text() == info["display_name"]
        assert first_sentence(kind) in " ".join(content.inner_text().split())
        widths = content.locator("img").evaluate_all("pictures => pictures.map(one => one.naturalWidth)")
        assert all(widths), f"a picture of {kind}'s page does not load"


def first_sentence(kind):
    """Of the first paragraph of a node's page, without its marks."""
    blocks = (HELP_PAGES / f"{kind}.md").read_text(encoding="utf-8").split("\n\n")
    paragraph = next(block for block in blocks if block[0].isalpha())
    words = re.sub(r"\[([^]]*)\]\([^)]*\)|[*`]", r"\1", paragraph)
    return " ".join(words.split()).partition(". ")[0]


@pytest.mark.parametrize("kind", sorted(path.stem for path in HELP_PAGES.glob("*.md")))
def test_each_help_page_belongs_to_a_node(kind, studio):
    assert kind in own_types(studio)
