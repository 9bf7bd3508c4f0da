"""Each shipped workflow, dropped on the canvas."""

import pytest

from support.browser.shipped import NAMES, foreign_types, nodes_of
from tools.workflows.files import FOLDER

NEEDING_OTHERS = [name for name in NAMES if foreign_types(name)]
COMPLETE = [name for name in NAMES if name not in NEEDING_OTHERS]


@pytest.mark.parametrize("name", COMPLETE)
def test_a_dropped_workflow_is_whole(page, name):
    page.drop_file(FOLDER / f"{name}.json")
    assert page.missing_types() == []
    assert len(page.nodes()) == len(nodes_of(name))
    assert page.complaints() == []
    assert page.overlaps() == []


@pytest.mark.parametrize("name", NEEDING_OTHERS)
def test_a_workflow_for_another_pack_lacks_that_packs_nodes_only(page, name):
    page.drop_file(FOLDER / f"{name}.json")
    assert page.missing_types() == foreign_types(name)
    assert len(page.nodes()) == len(nodes_of(name))
    assert "Missing Node Packs" in page.errors_panel().inner_text()


def test_gguf_alone_needs_another_pack():
    assert NEEDING_OTHERS == ["ID-LoRA Talking Head, GGUF"]
