"""Whole workflows as a single node: blueprints, which the frontend lists in its node library.

A blueprint file holds one node whose type is a subgraph, and the definition of that subgraph. Inside, the links that
come from the subgraph's own inputs start at a node -10, and those that go to its outputs end at a node -20.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .graph import Graph, Node, Note, Output
from .head import LENGTH_TITLE
from .layout import Rectangle, lay_out
from .one_stage import one_stage
from .schema import OWN_PACK, PACK_VERSIONS, InputSchema, NodeSchema, OutputSchema
from .two_people import two_people
from .ui_format import Link, draw_groups, draw_items, identifier, links_of

CATEGORY = "ID-LoRA"
LEFT_OUT = ("SaveVideo",)
RESULT = ("AV Decode", "video")


@dataclass(frozen=True, eq=False)
class Blueprint:
    """A workflow as one node.

    Attributes:
        name: of the node and of its file.
        build: the workflow.
        replaced: by title, the nodes that stand outside: their first output is an input of the blueprint.
        exposed: inputs that are widgets: name, and the title and the widget of the node inside.
    """

    name: str
    description: str
    build: Callable[[], Graph]
    replaced: Mapping[str, str]
    exposed: tuple[tuple[str, str, str], ...]


SHARED = (
    ("length", LENGTH_TITLE, "value"),
    ("frame_rate", "Frame rate", "value"),
    ("seed", "Identity-Guided KSampler", "seed"),
)
TALKING_HEAD = Blueprint(
    "Talking Head (ID-LoRA)",
    "From one picture, one voice clip and a prompt to a talking video: the face of the picture, the voice of the clip.",
    one_stage,
    {"Face (first frame)": "face", "Voice (3-5 s of one speaker)": "voice"},
    (
        ("visual", "ID-LoRA Prompt", "visual"),
        ("speech", "ID-LoRA Prompt", "speech"),
        ("sounds", "ID-LoRA Prompt", "sounds"),
        *SHARED,
    ),
)
TWO_PEOPLE = Blueprint(
    "Two People Talking (ID-LoRA)",
    "Two people in one picture speak in turn, each in their own voice, as a script says.",
    two_people,
    {
        "Picture (first frame)": "picture",
        "Voice on the left": "left_voice",
        "Voice on the right": "right_voice",
    },
    (
        ("left_name", "Cast: left", "name"),
        ("left_look", "Cast: left", "look"),
        ("right_name", "Cast: right", "name"),
        ("right_look", "Cast: right", "look"),
        ("visual", "Scene Script", "visual"),
        ("script", "Scene Script", "script"),
        ("sounds", "Scene Script", "sounds"),
        *SHARED,
    ),
)
BLUEPRINTS = (TALKING_HEAD, TWO_PEOPLE)

INPUT_ID, OUTPUT_ID = -10, -20
NODE_SIZE = (400, 560)
BOUNDARY_WIDTH, BOUNDARY_GAP, SLOT_HEIGHT = 140, 120, 20


def draw_blueprint(blueprint: Blueprint) -> dict[str, Any]:
    """The file's content."""
    graph = blueprint.build()
    node_id = graph.next_id()
    replaced = blueprint.replaced
    outside = {node: replaced[node.title] for node in graph.nodes if node.title in replaced}
    _leave_out(graph, outside)
    nodes = {node.title: node for node in graph.nodes}
    result = nodes[RESULT[0]][RESULT[1]]
    inputs = _boundary(INPUT_ID, outputs=_input_types(blueprint, nodes, outside))
    output = _boundary(OUTPUT_ID, inputs=(InputSchema(RESULT[1], result.type),))
    _link_to_inputs(graph, inputs, outside)
    links = links_of(graph)
    ends = [*_widget_ends(blueprint, inputs, nodes), (result, output, 0)]
    links += [Link(number, *end) for number, end in enumerate(ends, start=len(links) + 1)]
    return {
        "revision": 0,
        "last_node_id": node_id,
        "last_link_id": 0,
        "nodes": [_draw_node(blueprint, node_id, inputs, output)],
        "links": [],
        "version": 0.4,
        "definitions": {"subgraphs": [_draw_definition(blueprint, graph, links, inputs, output)]},
        "extra": {},
    }


def _leave_out(graph: Graph, outside: dict[Node, str]) -> None:
    """Remove what stands outside, and the note for the whole workflow."""
    for section in graph.sections:
        for column in section.columns:
            column.entries = [
                entry
                for entry in column.entries
                if entry not in outside
                and not (isinstance(entry, Node) and entry.schema.type in LEFT_OUT)
                and not (isinstance(entry, Note) and section.title is None)
            ]
    graph.sections = [
        section for section in graph.sections if any(column.items for column in section.columns)
    ]


def _input_types(
    blueprint: Blueprint, nodes: dict[str, Node], outside: dict[Node, str]
) -> tuple[OutputSchema, ...]:
    sockets = [OutputSchema(name, node.schema.outputs[0].type) for node, name in outside.items()]
    types = {title: {entry.name: entry.type for entry in node.schema.inputs} for title, node in nodes.items()}
    return (
        *sockets,
        *(OutputSchema(name, types[title][widget]) for name, title, widget in blueprint.exposed),
    )


def _boundary(
    node_id: int, inputs: tuple[InputSchema, ...] = (), outputs: tuple[OutputSchema, ...] = ()
) -> Node:
    """The subgraph's inputs or outputs, as the node that its inner links know them by."""
    return Node(node_id, NodeSchema("", "", OWN_PACK, inputs, outputs), "", {}, None, (), "fixed")


def _link_to_inputs(graph: Graph, inputs: Node, outside: dict[Node, str]) -> None:
    """What came from a node that stands outside comes from the subgraph's input."""
    for node in graph.nodes:
        node.values |= {
            name: inputs[outside[value.node]]
            for name, value in node.values.items()
            if isinstance(value, Output) and value.node in outside
        }


def _widget_ends(
    blueprint: Blueprint, inputs: Node, nodes: dict[str, Node]
) -> list[tuple[Output, Node, int]]:
    """Where links to exposed widgets start and end; the widgets keep their values as the blueprint's defaults."""
    ends = []
    for name, title, widget in blueprint.exposed:
        slots = [entry.name for entry in nodes[title].schema.slots]
        ends.append((inputs[name], nodes[title], slots.index(widget)))
    return ends


def _draw_node(blueprint: Blueprint, node_id: int, inputs: Node, output: Node) -> dict[str, Any]:
    """The one node that stands on the canvas."""
    widgets = [name for name, *_ in blueprint.exposed]
    return {
        "id": node_id,
        "type": identifier("subgraphs", blueprint.name),
        "pos": [0, 0],
        "size": list(NODE_SIZE),
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": [
            {"name": entry.name, "type": entry.type, "link": None}
            | ({"widget": {"name": entry.name}} if entry.name in widgets else {})
            for entry in inputs.schema.outputs
        ],
        "outputs": [{"name": entry.name, "type": entry.type, "links": []} for entry in output.schema.inputs],
        "title": blueprint.name,
        "properties": {"cnr_id": OWN_PACK, "ver": PACK_VERSIONS[OWN_PACK]},
        "widgets_values": [],
    }


def _draw_definition(
    blueprint: Blueprint, graph: Graph, links: list[Link], inputs: Node, output: Node
) -> dict[str, Any]:
    layout = lay_out(graph)
    left, right = _boundary_boxes(layout.bounds, len(inputs.schema.outputs))
    groups = draw_groups(layout)
    return {
        "id": identifier("subgraphs", blueprint.name),
        "version": 1,
        "state": {
            "lastGroupId": len(groups),
            "lastNodeId": max(item.id for item in graph.items),
            "lastLinkId": len(links),
            "lastRerouteId": 0,
        },
        "revision": 0,
        "config": {},
        "name": blueprint.name,
        "inputNode": {"id": INPUT_ID, "bounding": [left.x, left.y, left.width, left.height]},
        "outputNode": {"id": OUTPUT_ID, "bounding": [right.x, right.y, right.width, right.height]},
        "inputs": [
            _draw_slot(blueprint.name, "inputs", entry, (left.x + left.width, left.y + SLOT_HEIGHT * (i + 1)))
            | {"linkIds": [link.id for link in links if link.origin == Output(inputs, i)]}
            for i, entry in enumerate(inputs.schema.outputs)
        ],
        "outputs": [
            _draw_slot(blueprint.name, "outputs", entry, (right.x, right.y + SLOT_HEIGHT))
            | {"linkIds": [link.id for link in links if link.target is output]}
            for entry in output.schema.inputs
        ],
        "widgets": [],
        "nodes": draw_items(graph, layout, links),
        "groups": groups,
        "links": [link.draw_in_subgraph() for link in links],
        "extra": {},
        "category": CATEGORY,
        "description": blueprint.description,
    }


def _boundary_boxes(bounds: Rectangle, num_inputs: int) -> tuple[Rectangle, Rectangle]:
    """Where inputs and outputs stand: left and right of the graph."""
    left, right = bounds.x - BOUNDARY_GAP - BOUNDARY_WIDTH, bounds.x + bounds.width + BOUNDARY_GAP
    return (
        Rectangle(left, bounds.y, BOUNDARY_WIDTH, SLOT_HEIGHT * (num_inputs + 2)),
        Rectangle(right, bounds.y, BOUNDARY_WIDTH, SLOT_HEIGHT * 3),
    )


def _draw_slot(
    name: str, side: str, entry: InputSchema | OutputSchema, at: tuple[int, int]
) -> dict[str, Any]:
    return {
        "id": identifier("subgraphs", name, side, entry.name),
        "name": entry.name,
        "type": entry.type,
        "pos": list(at),
    }
