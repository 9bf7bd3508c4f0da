"""A canvas that can be read when it opens: how wide each shipped workflow is, and where its wires go."""

import json

import pytest

from tools.workflows import WORKFLOWS
from tools.workflows.app import NAME as APP
from tools.workflows.files import FOLDER

NAMES = [*(workflow.build().name for workflow in WORKFLOWS), APP]
ONE_STAGE = [
    name
    for name in NAMES
    if name.split(", ")[-1] in ("fast lip sync", "paper settings", "GGUF") or name == APP
]
# The frontend fits the graph into about 1182 x 787 pixels of a window of 1600 x 1000, and the classic renderer hides all
# text below 57 %.
LEGIBLE = (1182 / 0.57, 787 / 0.57)
TITLE_BAR = 30


def read(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def boxes(ui):
    """(left, top, right, bottom) of groups, and of nodes by id."""
    groups = [(x, y, x + w, y + h) for x, y, w, h in (group["bounding"] for group in ui["groups"])]
    nodes = {
        node["id"]: (
            node["pos"][0],
            node["pos"][1] - TITLE_BAR,
            node["pos"][0] + node["size"][0],
            node["pos"][1] + node["size"][1],
        )
        for node in ui["nodes"]
    }
    return groups, nodes


def extent(ui):
    groups, nodes = boxes(ui)
    left, top, right, bottom = zip(*groups, *nodes.values(), strict=True)
    return max(right) - min(left), max(bottom) - min(top)


@pytest.mark.parametrize("name", ONE_STAGE)
def test_titles_are_legible_when_it_opens(name):
    width, height = extent(read(name))
    assert width <= LEGIBLE[0] and height <= LEGIBLE[1], (width, height)


@pytest.mark.parametrize("name", NAMES)
def test_no_wire_goes_backwards(name):
    ui = read(name)
    _, nodes = boxes(ui)
    titles = {node["id"]: node.get("title", node["type"]) for node in ui["nodes"]}
    backwards = [
        f"{titles[origin]} -> {titles[target]}"
        for _, origin, _, target, *_ in ui["links"]
        if nodes[target][0] < nodes[origin][2]
    ]
    assert backwards == []


@pytest.mark.parametrize("name", NAMES)
def test_groups_are_as_large_as_their_content(name):
    """But for the room that previews and status lines take, no more than a few hundred units are empty."""
    ui = read(name)
    groups, nodes = boxes(ui)
    for left, top, right, bottom in groups:
        inside = [box for box in nodes.values() if left <= box[0] < right and top <= box[1] < bottom]
        assert bottom - max(box[3] for box in inside) <= 450
        assert right - max(box[2] for box in inside) <= 40


def test_there_are_one_stage_workflows():
    assert len(ONE_STAGE) == 4
