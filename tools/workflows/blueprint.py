"""The fast graph as a single node: a blueprint, which the frontend lists in its node library.

A blueprint file holds one node whose type is a subgraph, and the definition of that subgraph. Inside, the links that
come from the subgraph's own inputs start at a node -10, and those that go to its outputs end at a node -20.
"""

from dataclasses import dataclass
from typing import Any

from .distilled import distilled
from .graph import Graph, Node, Note, Output
from .layout import Rectangle, lay_out
from .schema import OWN_PACK, PACK_VERSIONS, InputSchema, NodeSchema, OutputSchema
from .ui_format import Link, draw_groups, draw_items, identifier, links_of

NAME = "Talking Head (ID-LoRA)"
DESCRIPTION = "Turns one picture, a voice clip and a prompt into a talking video: the face of the picture, the voice of the clip."
CATEGORY = "ID-LoRA"

# What stands outside: nodes whose first output is an input of the blueprint, and those that are left out.
REPLACED = {"LoadImage": "face", "LoadAudio": "voice"}
LEFT_OUT = ("SaveVideo",)


@dataclass(frozen=True)
class Exposed:
    """An input that is a widget: what stands on it, and the widgets inside that it sets, by their nodes' type."""

    name: str
    label: str
    targets: tuple[tuple[str, str], ...]


EXPOSED = (
    Exposed("speech", "What is said", (("LTXIDLoRA_Prompt", "speech"),)),
    Exposed("visual", "What is seen", (("LTXIDLoRA_Prompt", "visual"),)),
    Exposed("sounds", "How it sounds", (("LTXIDLoRA_Prompt", "sounds"),)),
    Exposed("seconds", "Seconds", (("LTXIDLoRA_ClipLength", "seconds"),)),
    Exposed("shape", "Shape", (("LTXIDLoRA_FirstFrame", "shape"),)),
    Exposed("max_side", "Size (longer side)", (("LTXIDLoRA_FirstFrame", "max_side"),)),
    Exposed("frame_rate", "Frames per second", (("LTXIDLoRA_ClipLength", "frame_rate"),)),
    Exposed("seed", "Seed", (("LTXIDLoRA_KSampler", "seed"),)),
    Exposed("preset", "Preset", (("LTXIDLoRA_KSampler", "preset"),)),
    Exposed(
        "checkpoint",
        "Checkpoint",
        (
            ("CheckpointLoaderSimple", "ckpt_name"),
            ("LTXVAudioVAELoader", "ckpt_name"),
            ("LTXAVTextEncoderLoader", "ckpt_name"),
        ),
    ),
    Exposed("text_encoder", "Text encoder", (("LTXAVTextEncoderLoader", "text_encoder"),)),
    Exposed("id_lora", "ID-LoRA", (("LTXIDLoRA_Load", "lora_name"),)),
    Exposed("distilled_lora", "Distilled LoRA", (("LoraLoaderModelOnly", "lora_name"),)),
    Exposed("distilled_strength", "Distilled LoRA, strength", (("LoraLoaderModelOnly", "strength_model"),)),
)
LABELS = {"face": "Face", "voice": "Voice", **{entry.name: entry.label for entry in EXPOSED}}
RESULT = ("LTXIDLoRA_DecodeAV", "video")

INPUT_ID, OUTPUT_ID = -10, -20
NODE_SIZE = (400, 900)
BOUNDARY_WIDTH, BOUNDARY_GAP, SLOT_HEIGHT = 140, 120, 20


@dataclass(frozen=True)
class Blueprint:
    """The definition of the subgraph, and its node from outside."""

    definition: dict[str, Any]
    schema: NodeSchema
    last_id: int


def blueprint() -> Blueprint:
    graph = distilled()
    last_id = graph.next_id()
    outside = {node: REPLACED[node.schema.type] for node in graph.nodes if node.schema.type in REPLACED}
    _leave_out(graph, outside)
    nodes = {node.schema.type: node for node in graph.nodes}
    result = nodes[RESULT[0]][RESULT[1]]
    slots = _slots(nodes, outside)
    inputs = _boundary(INPUT_ID, outputs=tuple(OutputSchema(slot.name, slot.type) for slot in slots))
    output = _boundary(OUTPUT_ID, inputs=(InputSchema(RESULT[1], result.type),))
    _link_to_inputs(graph, inputs, outside)
    links = links_of(graph)
    ends = [*_widget_ends(inputs, nodes), (result, output, 0)]
    links += [Link(number, *end) for number, end in enumerate(ends, start=len(links) + 1)]
    outputs = (OutputSchema(RESULT[1], result.type),)
    schema = NodeSchema(identifier("subgraphs", NAME), NAME, OWN_PACK, slots, outputs)
    return Blueprint(_draw_definition(graph, links, inputs, output), schema, last_id)


def draw_blueprint() -> dict[str, Any]:
    """The file's content."""
    drawn = blueprint()
    return {
        "revision": 0,
        "last_node_id": drawn.last_id,
        "last_link_id": 0,
        "nodes": [_draw_node(drawn)],
        "links": [],
        "version": 0.4,
        "definitions": {"subgraphs": [drawn.definition]},
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


def _slots(nodes: dict[str, Node], outside: dict[Node, str]) -> tuple[InputSchema, ...]:
    """The subgraph's inputs: sockets, then widgets with the type and the value of the first one inside."""
    sockets = [InputSchema(name, node.schema.outputs[0].type) for node, name in outside.items()]
    return (*sockets, *(_exposed_slot(entry, nodes) for entry in EXPOSED))


def _exposed_slot(entry: Exposed, nodes: dict[str, Node]) -> InputSchema:
    node_type, widget = entry.targets[0]
    node = nodes[node_type]
    (inside,) = [slot for slot in node.schema.inputs if slot.name == widget]
    return InputSchema(entry.name, inside.type, default=node.values[widget])


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


def _widget_ends(inputs: Node, nodes: dict[str, Node]) -> list[tuple[Output, Node, int]]:
    """Where links to exposed widgets start and end; the widgets keep their values as the blueprint's defaults."""
    ends = []
    for entry in EXPOSED:
        for node_type, widget in entry.targets:
            slots = [slot.name for slot in nodes[node_type].schema.slots]
            ends.append((inputs[entry.name], nodes[node_type], slots.index(widget)))
    return ends


def _draw_node(drawn: Blueprint) -> dict[str, Any]:
    """The one node that stands on the canvas."""
    schema = drawn.schema
    return {
        "id": drawn.last_id,
        "type": schema.type,
        "pos": [0, 0],
        "size": list(NODE_SIZE),
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": [
            {"name": entry.name, "type": entry.type, "label": LABELS[entry.name], "link": None}
            | ({"widget": {"name": entry.name}} if entry.is_widget else {})
            for entry in schema.inputs
        ],
        "outputs": [{"name": entry.name, "type": entry.type, "links": []} for entry in schema.outputs],
        "title": NAME,
        "properties": {"cnr_id": OWN_PACK, "ver": PACK_VERSIONS[OWN_PACK]},
        "widgets_values": [],
    }


def _draw_definition(graph: Graph, links: list[Link], inputs: Node, output: Node) -> dict[str, Any]:
    layout = lay_out(graph)
    left, right = _boundary_boxes(layout.bounds, len(inputs.schema.outputs))
    groups = draw_groups(layout)
    return {
        "id": identifier("subgraphs", NAME),
        "version": 1,
        "state": {
            "lastGroupId": len(groups),
            "lastNodeId": max(item.id for item in graph.items),
            "lastLinkId": len(links),
            "lastRerouteId": 0,
        },
        "revision": 0,
        "config": {},
        "name": NAME,
        "inputNode": {"id": INPUT_ID, "bounding": [left.x, left.y, left.width, left.height]},
        "outputNode": {"id": OUTPUT_ID, "bounding": [right.x, right.y, right.width, right.height]},
        "inputs": [
            _draw_slot("inputs", entry, (left.x + left.width, left.y + SLOT_HEIGHT * (i + 1)))
            | {"linkIds": [link.id for link in links if link.origin == Output(inputs, i)]}
            for i, entry in enumerate(inputs.schema.outputs)
        ],
        "outputs": [
            _draw_slot("outputs", entry, (right.x, right.y + SLOT_HEIGHT))
            | {"linkIds": [link.id for link in links if link.target is output]}
            for entry in output.schema.inputs
        ],
        "widgets": [],
        "nodes": draw_items(graph, layout, links),
        "groups": groups,
        "links": [link.draw_in_subgraph() for link in links],
        "extra": {},
        "category": CATEGORY,
        "description": DESCRIPTION,
    }


def _boundary_boxes(bounds: Rectangle, num_inputs: int) -> tuple[Rectangle, Rectangle]:
    """Where inputs and outputs stand: left and right of the graph."""
    left, right = bounds.x - BOUNDARY_GAP - BOUNDARY_WIDTH, bounds.x + bounds.width + BOUNDARY_GAP
    return (
        Rectangle(left, bounds.y, BOUNDARY_WIDTH, SLOT_HEIGHT * (num_inputs + 2)),
        Rectangle(right, bounds.y, BOUNDARY_WIDTH, SLOT_HEIGHT * 3),
    )


def _draw_slot(side: str, entry: InputSchema | OutputSchema, at: tuple[int, int]) -> dict[str, Any]:
    return {
        "id": identifier("subgraphs", NAME, side, entry.name),
        "name": entry.name,
        "type": entry.type,
        **({"label": LABELS[entry.name]} if entry.name in LABELS else {}),
        "pos": list(at),
    }
