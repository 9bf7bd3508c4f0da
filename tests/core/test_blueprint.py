"""The blueprints: well-formed files, and inside each its workflow."""

import json

import pytest

from tools.workflows import draw_api
from tools.workflows.blueprint import BLUEPRINTS, INPUT_ID, LEFT_OUT, OUTPUT_ID, TALKING_HEAD, TWO_PEOPLE
from tools.workflows.files import BLUEPRINT_FOLDER, blueprint_files
from tools.workflows.schema import load_recorded

SCHEMAS = load_recorded()
WIDGETS = {
    TALKING_HEAD: ("visual", "speech", "sounds"),
    TWO_PEOPLE: (
        *("left_name", "left_look", "right_name", "right_look"),
        *("visual", "script", "sounds"),
    ),
}
SOCKETS = {
    TALKING_HEAD: {"face": "IMAGE", "voice": "AUDIO"},
    TWO_PEOPLE: {"picture": "IMAGE", "left_voice": "AUDIO", "right_voice": "AUDIO"},
}


@pytest.fixture(scope="module", params=BLUEPRINTS, ids=lambda source: source.name)
def source(request):
    return request.param


@pytest.fixture(scope="module")
def blueprint(source):
    return json.loads((BLUEPRINT_FOLDER / f"{source.name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def definition(blueprint):
    (definition,) = blueprint["definitions"]["subgraphs"]
    return definition


def test_the_committed_file_is_what_the_source_draws():
    assert {file.stem for file in BLUEPRINT_FOLDER.iterdir()} == {source.name for source in BLUEPRINTS}
    for path, text in blueprint_files().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `python3 dev.py workflows`."


def test_one_node_stands_for_the_subgraph(source, blueprint, definition):
    (node,) = blueprint["nodes"]
    assert node["type"] == definition["id"] and node["id"] == blueprint["last_node_id"]
    assert node["title"] == definition["name"] == source.name
    for side in ("inputs", "outputs"):
        outside = [(slot["name"], slot["type"]) for slot in node[side]]
        assert outside == [(slot["name"], slot["type"]) for slot in definition[side]]
    assert [(slot["name"], slot["type"]) for slot in node["outputs"]] == [("video", "VIDEO")]
    widgets = {slot["name"]: slot["type"] for slot in node["inputs"] if "widget" in slot}
    assert widgets == {
        **dict.fromkeys(WIDGETS[source], "STRING"),
        "length": "INT",
        "frame_rate": "FLOAT",
        "seed": "INT",
    }
    sockets = {slot["name"]: slot["type"] for slot in node["inputs"] if "widget" not in slot}
    assert sockets == SOCKETS[source]


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


def test_inside_is_the_workflow(source, definition):
    """Every inner node is one of the workflow's, with its links; what it lacks is what stands outside."""
    api = draw_api(source.build())
    outside = {
        key
        for key, node in api.items()
        if node["class_type"] in LEFT_OUT or node["_meta"]["title"] in source.replaced
    }
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
                assert name == source.replaced[api[expected[0]]["_meta"]["title"]]


def test_exposed_widgets_start_with_the_workflows_values(source, definition):
    for exposed in source.exposed:
        require_the_workflows_value(source, definition, *exposed)


def require_the_workflows_value(source, definition, name, title, widget):
    (slot,) = [slot for slot in definition["inputs"] if slot["name"] == name]
    (link,) = [link for link in definition["links"] if link["id"] in slot["linkIds"]]
    (node,) = [node for node in definition["nodes"] if node["id"] == link["target_id"]]
    assert node["inputs"][link["target_slot"]]["widget"] == {"name": widget}
    (expected,) = [
        n["inputs"][widget] for n in draw_api(source.build()).values() if n["_meta"]["title"] == title
    ]
    widgets = [entry.name for entry in SCHEMAS[node["type"]].widgets]
    assert node["widgets_values"][widgets.index(widget)] == expected


def test_the_loaders_inside_offer_their_files(source, definition):
    workflow = {node.schema.type: node.models for node in source.build().nodes if node.models}
    inside = {node["type"]: node["properties"].get("models") for node in definition["nodes"]}
    for node_type, models in workflow.items():
        assert inside[node_type] == [vars(model) for model in models]
