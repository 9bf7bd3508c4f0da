"""The shipped workflow files against a live host: its node types, their inputs, its template list."""

import http.client
import json
from urllib.parse import quote

import pytest

from support.host_process import PACK_NAME
from tools.workflows import WORKFLOWS, blueprint
from tools.workflows.app import NAME as APP
from tools.workflows.files import API_FOLDER, BLUEPRINT_FOLDER, FOLDER
from tools.workflows.schema import DYNAMIC_COMBO, OWN_PACK, load_recorded, read_live

NAMES = [workflow.build().name for workflow in WORKFLOWS]
RUNNABLE = [workflow.build().name for workflow in WORKFLOWS if not workflow.needs_packs]
UPLOADED = ("LoadImage", "LoadAudio")  # their choices are the host's input folder
RECORDED = load_recorded()
OWN_TYPES = sorted(schema.type for schema in RECORDED.values() if schema.pack == OWN_PACK)


def read(folder, name):
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def live(host):
    return host.object_info()


def kind(entry):
    """An input's type; the newest hosts make some combos dynamic, which is the same widget."""
    return "COMBO" if entry.type == DYNAMIC_COMBO else entry.type


def shown(schema, absent=()):
    """What decides the meaning of a workflow file: slots, widgets and their order; without those that are absent."""
    return [
        (entry.name, kind(entry), entry.optional, entry.multiline, entry.control_after_generate, entry.upload)
        for entry in schema.slots
        if entry.name not in absent
    ]


def not_there_yet(recorded, current):
    """Optional sockets of the newest host that no workflow uses, and that an older one lacks."""
    names = {entry.name for entry in current.slots}
    found = {e.name for e in recorded.slots if e.optional and not e.is_widget and e.name not in names}
    graphs = [read(API_FOLDER, name).values() for name in NAMES]
    used = {
        key
        for nodes in graphs
        for node in nodes
        if node["class_type"] == recorded.type
        for key in node["inputs"]
    }
    return found - used


@pytest.mark.parametrize("node_type", sorted(RECORDED))
def test_inputs_and_widgets_are_as_recorded(live, node_type):
    recorded, current = RECORDED[node_type], read_live(node_type, live[node_type])
    absent = not_there_yet(recorded, current)
    assert shown(current) == shown(recorded, absent), "Record it again: python3 dev.py workflows --record"
    defaults = {entry.name: entry.default for entry in current.inputs}
    assert [(e.name, defaults[e.name]) for e in recorded.inputs if e.default is not None] == [
        (e.name, e.default) for e in recorded.inputs if e.default is not None
    ]


@pytest.mark.parametrize("node_type", OWN_TYPES)
def test_schemas_of_this_pack_are_as_recorded(live, node_type):
    assert read_live(node_type, live[node_type]) == RECORDED[node_type]


def test_all_nodes_of_this_pack_are_recorded(live):
    assert sorted(node_type for node_type in live if node_type.startswith("LTXIDLoRA_")) == OWN_TYPES


@pytest.mark.parametrize("name", RUNNABLE)
def test_linked_outputs_are_as_recorded(live, name):
    ui = read(FOLDER, name)
    types = {node["id"]: node["type"] for node in ui["nodes"]}
    for _, origin, slot, _, _, output_type in ui["links"]:
        current = read_live(types[origin], live[types[origin]])
        assert current.outputs[slot] == RECORDED[types[origin]].outputs[slot]
        assert current.outputs[slot].type == output_type


@pytest.mark.parametrize("name", RUNNABLE)
def test_choices_are_offered_by_the_host(live, name):
    for node in read(API_FOLDER, name).values():
        if node["class_type"] in UPLOADED:
            continue
        for input_name, choices in combos(live[node["class_type"]]).items():
            assert node["inputs"][input_name] in choices


def combos(info):
    """The choices of each required combo, in the three ways that hosts write them."""
    found = {}
    for name, (kind, *options) in info["input"]["required"].items():
        if isinstance(kind, list):
            found[name] = kind
        elif kind == "COMBO":
            found[name] = options[0]["options"]
        elif kind == DYNAMIC_COMBO:
            found[name] = [option["key"] for option in options[0]["options"]]
    return found


@pytest.mark.parametrize("name", [*NAMES, APP])
def test_template_browser_lists_the_workflow_with_its_picture(host, name):
    assert sorted(host.get("/workflow_templates")[PACK_NAME]) == sorted([*NAMES, APP])
    answer = host.fetch(f"/api/workflow_templates/{PACK_NAME}/{quote(name)}.jpg")
    assert answer.status == http.client.OK and answer.content_type == "image/jpeg"
    assert answer.body == (FOLDER / f"{name}.jpg").read_bytes()


@pytest.fixture(scope="module")
def listed_blueprint(host):
    """The blueprint as the host gives it to the frontend's node library."""
    entries = host.get("/global_subgraphs")
    (key,) = [key for key, entry in entries.items() if entry["name"] == blueprint.NAME]
    assert entries[key]["info"] == {"node_pack": f"custom_nodes.{PACK_NAME}"}
    return host.get(f"/global_subgraphs/{key}")


def test_node_library_lists_the_blueprint(listed_blueprint):
    assert listed_blueprint["source"] == "custom_node"
    assert json.loads(listed_blueprint["data"]) == read(BLUEPRINT_FOLDER, blueprint.NAME)


def test_the_host_has_every_node_of_the_blueprint(live, listed_blueprint):
    (definition,) = json.loads(listed_blueprint["data"])["definitions"]["subgraphs"]
    nodes = {node["id"]: node["type"] for node in definition["nodes"] if node["type"] != "MarkdownNote"}
    assert set(nodes.values()) <= live.keys()
    for link in definition["links"]:
        if link["origin_id"] in nodes:
            node_type = nodes[link["origin_id"]]
            assert read_live(node_type, live[node_type]).outputs[link["origin_slot"]].type == link["type"]
