"""Every shipped workflow is also a form: which widgets are asked, and which nodes show the result."""

import json

import pytest

from tools.workflows import WORKFLOWS
from tools.workflows.app import FIELDS
from tools.workflows.app import NAME as APP
from tools.workflows.blueprint import NAME as BLUEPRINT
from tools.workflows.files import FOLDER

NAMES = [*(workflow.build().name for workflow in WORKFLOWS), APP]


def read(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def asked(ui):
    """The form's widgets: (node, slot)."""
    nodes = {str(node["id"]): node for node in ui["nodes"]}
    return [
        (
            nodes[node_id],
            *[slot for slot in nodes[node_id]["inputs"] if slot.get("widget") == {"name": widget}],
        )
        for node_id, widget in ui["extra"]["linearData"]["inputs"]
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_form_asks_for_face_voice_and_words_and_shows_the_clip(name):
    ui = read(name)
    form = asked(ui)
    assert all(slot["link"] is None for _, slot in form)
    names = [slot["name"] for _, slot in form]
    assert names[0] == "image"
    assert {"audio", "voice"} & set(names) and {"speech", "value", "script"} & set(names)
    types = {str(node["id"]): node["type"] for node in ui["nodes"]}
    assert [types[node_id] for node_id in ui["extra"]["linearData"]["outputs"]] in (
        ["SaveVideo"],
        ["LTXIDLoRA_SaveSignedVideo"],
    )


@pytest.mark.parametrize("name", NAMES)
def test_only_the_app_opens_as_one(name):
    assert read(name)["extra"].get("linearMode", False) == (name == APP)


def test_every_field_of_the_app_has_a_label_that_people_read():
    labels = [slot["label"] for _, slot in asked(read(APP))]
    assert labels == [
        *("Face", "Voice", "What is said", "What is seen", "How it sounds", "Seconds", "Shape", "Seed")
    ]


def test_the_app_is_face_voice_blueprint_and_video():
    ui = read(APP)
    (definition,) = ui["definitions"]["subgraphs"]
    (head,) = [node for node in ui["nodes"] if node["type"] == definition["id"]]
    others = sorted(node["type"] for node in ui["nodes"] if node is not head)
    assert others == ["LoadAudio", "LoadImage", "MarkdownNote", "MarkdownNote", "SaveVideo"]
    assert definition["name"] == BLUEPRINT
    assert {slot["name"]: slot["link"] is not None for slot in head["inputs"]} == {
        **{slot["name"]: False for slot in definition["inputs"]},
        "face": True,
        "voice": True,
    }
    inside, outside = ({node["id"] for node in nodes} for nodes in (definition["nodes"], ui["nodes"]))
    assert not inside & outside, (
        "the frontend gives nodes of a subgraph other ids where the graph has them too"
    )
    assert set(FIELDS) <= {slot["name"] for slot in head["inputs"]}
