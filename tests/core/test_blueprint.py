"""The blueprint: a well-formed file, and inside it the fast workflow."""

import json

import pytest

from tools.workflows import draw_api
from tools.workflows.blueprint import EXPOSED, INPUT_ID, LEFT_OUT, NAME, OUTPUT_ID, REPLACED
from tools.workflows.distilled import distilled
from tools.workflows.files import BLUEPRINT_FOLDER, blueprint_files
from tools.workflows.schema import load_recorded

SCHEMAS = load_recorded()
FILE = BLUEPRINT_FOLDER / f"{NAME}.json"


@pytest.fixture(scope="module")
def blueprint():
    return json.loads(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def definition(blueprint):
    (definition,) = blueprint["definitions"]["subgraphs"]
    return definition


def test_the_committed_file_is_what_the_source_draws():
    assert list(BLUEPRINT_FOLDER.iterdir()) == [FILE]
    for path, text in blueprint_files().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `python3 dev.py workflows`."


def test_one_node_stands_for_the_subgraph(blueprint, definition):
    (node,) = blueprint["nodes"]
    assert node["type"] == definition["id"] and node["id"] == blueprint["last_node_id"]
    assert node["title"] == definition["name"] == FILE.stem
    for side in ("inputs", "outputs"):
        outside = [(slot["name"], slot["type"]) for slot in node[side]]
        assert outside == [(slot["name"], slot["type"]) for slot in definition[side]]
    assert [(slot["name"], slot["type"]) for slot in node["outputs"]] == [("video", "VIDEO")]
    widgets = {slot["name"]: slot["type"] for slot in node["inputs"] if "widget" in slot}
    assert widgets == {
        **dict.fromkeys(("visual", "speech", "sounds"), "STRING"),
        **dict.fromkeys(("seconds", "frame_rate", "distilled_strength"), "FLOAT"),
        **dict.fromkeys(("seed", "max_side"), "INT"),
        **dict.fromkeys(("shape", "checkpoint", "text_encoder", "id_lora", "distilled_lora"), "COMBO"),
        "preset": "COMFY_DYNAMICCOMBO_V3",
    }
    assert all(slot["label"] for slot in node["inputs"])
    sockets = {slot["name"]: slot["type"] for slot in node["inputs"] if "widget" not in slot}
    assert sockets == {"face": "IMAGE", "voice": "AUDIO"}


def test_ids_are_used_once(definition):
    state, nodes, links = definition["state"], definition["nodes"], definition["links"]
    assert len({node["id"] for node in nodes}) == len(nodes)
    assert len({link["id"] for link in links}) == len(links)
    assert max(node["id"] for node in nodes) == state["lastNodeId"]
    assert max(link["id"] for link in links) == state["lastLinkId"]
    slots = [slot["id"] for side in ("inputs", "outputs") for slot in definition[side]]
    assert len({definition["id"], *slots}) == len(slots) + 1


def test_the_ends_of_every_link_know_it(definition):
    nodes = {node["id"]: node for node in definition["nodes"]}
    for link in definition["links"]:
        origin, target = link["origin_id"], link["target_id"]
        if origin == INPUT_ID:
            source = definition["inputs"][link["origin_slot"]]
            assert link["id"] in source["linkIds"]
        else:
            source = nodes[origin]["outputs"][link["origin_slot"]]
            assert link["id"] in source["links"]
        if target == OUTPUT_ID:
            sink = definition["outputs"][link["target_slot"]]
            assert sink["linkIds"] == [link["id"]]
        else:
            sink = nodes[target]["inputs"][link["target_slot"]]
            assert sink["link"] == link["id"]
        assert source["type"] == sink["type"] == link["type"]


def test_no_slot_knows_a_link_that_is_not_there(definition):
    links = {link["id"]: link for link in definition["links"]}
    inputs = [slot["link"] for node in definition["nodes"] for slot in node["inputs"]]
    into_nodes = [link_id for link_id in inputs if link_id is not None]
    assert sorted(into_nodes) == sorted(i for i, link in links.items() if link["target_id"] != OUTPUT_ID)
    outputs = [i for node in definition["nodes"] for slot in node["outputs"] for i in slot["links"] or ()]
    assert sorted(outputs) == sorted(i for i, link in links.items() if link["origin_id"] != INPUT_ID)
    assert all(slot["linkIds"] for side in ("inputs", "outputs") for slot in definition[side])


def test_inside_is_the_fast_workflow(definition):
    """Every inner node is one of the workflow's, with its links; what it lacks is what stands outside."""
    api = draw_api(distilled())
    outside = {key for key, node in api.items() if node["class_type"] in (*REPLACED, *LEFT_OUT)}
    inside = {str(node["id"]): node for node in definition["nodes"] if node["type"] != "MarkdownNote"}
    assert inside.keys() == api.keys() - outside
    links = {link["id"]: link for link in definition["links"]}
    for key, node in inside.items():
        assert node["type"] == api[key]["class_type"]
        for slot in node["inputs"]:
            expected = api[key]["inputs"].get(slot["name"])
            link = links.get(slot["link"])
            if link is None:
                assert not isinstance(expected, list)
            elif link["origin_id"] != INPUT_ID:
                assert expected == [str(link["origin_id"]), link["origin_slot"]]
            elif isinstance(expected, list):
                name = definition["inputs"][link["origin_slot"]]["name"]
                assert name == REPLACED[api[expected[0]]["class_type"]]


@pytest.mark.parametrize("exposed", EXPOSED, ids=lambda entry: entry.name)
def test_an_exposed_widget_starts_with_the_workflows_value(definition, exposed):
    (slot,) = [slot for slot in definition["inputs"] if slot["name"] == exposed.name]
    links = [link for link in definition["links"] if link["id"] in slot["linkIds"]]
    assert slot["label"] == exposed.label and len(links) == len(exposed.targets)
    for link, (node_type, widget) in zip(links, exposed.targets, strict=True):
        (node,) = [node for node in definition["nodes"] if node["id"] == link["target_id"]]
        assert node["type"] == node_type
        assert node["inputs"][link["target_slot"]]["widget"] == {"name": widget}
        assert value_inside(node, widget) == value_in_the_workflow(node_type, widget)


def value_inside(node, widget):
    """In the order of the widgets; a seed is followed by what happens to it after a run."""
    names = []
    for entry in SCHEMAS[node["type"]].chosen({"preset": "distilled"}).widgets:
        names += [entry.name, "control"] if entry.control_after_generate else [entry.name]
    return node["widgets_values"][names.index(widget)]


def value_in_the_workflow(node_type, widget):
    (value,) = [n["inputs"][widget] for n in draw_api(distilled()).values() if n["class_type"] == node_type]
    return value


def test_the_loaders_inside_offer_their_files(definition):
    workflow = {node.schema.type: node.models for node in distilled().nodes if node.models}
    inside = {node["type"]: node["properties"].get("models") for node in definition["nodes"]}
    for node_type, models in workflow.items():
        assert inside[node_type] == [vars(model) for model in models]
