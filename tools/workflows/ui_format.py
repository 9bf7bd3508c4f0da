"""The UI format: litegraph's JSON, version 0.4, as frontend 1.47 writes it."""

import uuid
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from .app_mode import label_of, linear_data
from .graph import NOTE, Graph, Node, Note, Output
from .layout import Layout, Rectangle, lay_out
from .schema import PACK_VERSIONS, InputSchema

NOTE_COLOURS = {"color": "#432", "bgcolor": "#000"}
SCREEN = Rectangle(0, 0, 1800, 940)  # what a usual screen shows beside the frontend's own bars
SCREEN_MARGIN = 70


@dataclass(frozen=True)
class Link:
    id: int
    origin: Output
    target: Node
    slot: int

    def draw(self) -> list[Any]:
        return [self.id, self.origin.node.id, self.origin.slot, self.target.id, self.slot, self.origin.type]

    def draw_in_subgraph(self) -> dict[str, Any]:
        """Links of subgraphs have names for what those of a graph have places for."""
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        return dict(zip(keys, self.draw(), strict=True))


def draw_ui(graph: Graph) -> dict[str, Any]:
    layout, links = lay_out(graph), links_of(graph)
    nodes = draw_items(graph, layout, links)
    return {
        "id": identifier("workflows", graph.name),
        "revision": 0,
        "last_node_id": max(node["id"] for node in nodes),
        "last_link_id": len(links),
        "nodes": nodes,
        "links": [link.draw() for link in links],
        "groups": draw_groups(layout),
        "config": {},
        "extra": {"ds": _view(layout.bounds), "linearData": linear_data(graph)},
        "version": 0.4,
    }


def identifier(*path: str) -> str:
    """A UUID that stays the same from drawing to drawing."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(("idlora-ltx2", *path))))


def links_of(graph: Graph) -> list[Link]:
    links: list[Link] = []
    for node in graph.nodes:
        for slot, entry in enumerate(node.schema.slots):
            value = node.values.get(entry.name)
            if isinstance(value, Output):
                links.append(Link(len(links) + 1, value, node, slot))
    return links


def draw_items(graph: Graph, layout: Layout, links: list[Link]) -> list[dict[str, Any]]:
    """Nodes and notes, by id."""
    items = sorted(graph.items, key=lambda item: item.id)
    order = _execution_order(items, links)
    return [_draw_item(item, layout, links, order) for item in items]


def _execution_order(items: list[Node | Note], links: list[Link]) -> dict[int, int]:
    """Node id -> place in the order of execution: sources first, then whatever has all its inputs."""
    ids = {item.id for item in items}
    links = [link for link in links if {link.origin.node.id, link.target.id} <= ids]
    waiting = Counter(link.target.id for link in links)
    ready = deque(item.id for item in items if not waiting[item.id])
    order: dict[int, int] = {}
    while ready:
        node_id = ready.popleft()
        order[node_id] = len(order)
        for link in sorted(links, key=lambda link: link.origin.slot):
            if link.origin.node.id == node_id:
                waiting[link.target.id] -= 1
                if not waiting[link.target.id]:
                    ready.append(link.target.id)
    return order


def _draw_item(item: Node | Note, layout: Layout, links: list[Link], order: dict[int, int]) -> dict[str, Any]:
    body = layout.bodies[item.id]
    placed = {
        "id": item.id,
        "type": NOTE if isinstance(item, Note) else item.schema.type,
        "pos": [body.x, body.y],
        "size": [body.width, body.height],
        "flags": {},
        "order": order[item.id],
        "mode": 0,
    }
    return placed | (_draw_note(item) if isinstance(item, Note) else _draw_node(item, links))


def _draw_note(note: Note) -> dict[str, Any]:
    drawn = {
        "inputs": [],
        "outputs": [],
        "title": note.title,
        "properties": {},
        "widgets_values": [note.text],
    }
    return drawn | NOTE_COLOURS


def _draw_node(node: Node, links: list[Link]) -> dict[str, Any]:
    title = {"title": node.title} if node.title != node.schema.title else {}
    return {
        "inputs": _draw_inputs(node, links),
        "outputs": _draw_outputs(node, links),
        **title,
        "properties": _draw_properties(node),
        "widgets_values": _widget_values(node),
    }


def _draw_inputs(node: Node, links: list[Link]) -> list[dict[str, Any]]:
    link_ids = {link.slot: link.id for link in links if link.target is node}
    inputs: list[dict[str, Any]] = []
    for slot, entry in enumerate((*node.schema.slots, *node.schema.players)):
        drawn: dict[str, Any] = {"name": entry.name, "type": entry.type, "link": link_ids.get(slot)}
        if entry.optional:
            drawn["shape"] = 7  # the frontend's ring for an optional input
        if entry.is_widget or entry.is_player:
            drawn["widget"] = {"name": entry.name}
        if label := label_of(node.schema.type, entry.name):
            drawn["label"] = label
        inputs.append(drawn)
    return inputs + [
        {"name": widget.name, "type": widget.type, "link": None, "widget": {"name": widget.name}}
        for widget in node.schema.upload_widgets
    ]


def _draw_outputs(node: Node, links: list[Link]) -> list[dict[str, Any]]:
    def ids(slot: int) -> list[int] | None:
        return [link.id for link in links if link.origin == Output(node, slot)] or None

    return [
        {"name": entry.name, "type": entry.type, "links": ids(i)}
        for i, entry in enumerate(node.schema.outputs)
    ]


def _draw_properties(node: Node) -> dict[str, Any]:
    pack = node.schema.pack
    properties = {"Node name for S&R": node.schema.type, "cnr_id": pack, "ver": PACK_VERSIONS[pack]}
    return properties | ({"models": [vars(model) for model in node.models]} if node.models else {})


def _widget_values(node: Node) -> list[Any]:
    """Values in the order of the widgets; a linked widget keeps its default."""
    values: list[Any] = []
    for entry in node.schema.widgets:
        value = node.values[entry.name]
        values.append(_default(entry) if isinstance(value, Output) else value)
        if entry.control_after_generate:
            values.append(node.control_after_generate)
    return values + [widget.value for widget in node.schema.upload_widgets]


def _default(entry: InputSchema) -> Any:
    return "" if entry.default is None else entry.default


def draw_groups(layout: Layout) -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "title": section.title,
            "bounding": [box.x, box.y, box.width, box.height],
            "color": section.colour,
            "flags": {},
        }
        for number, (section, box) in enumerate(layout.groups, start=1)
    ]


def _view(bounds: Rectangle) -> dict[str, Any]:
    """Scale and offset that show the whole graph on a usual screen."""
    room = (SCREEN.width - 2 * SCREEN_MARGIN, SCREEN.height - 2 * SCREEN_MARGIN)
    scale = round(min(room[0] / bounds.width, room[1] / bounds.height, 1.0), 3)
    margin = round(SCREEN_MARGIN / scale)
    return {"scale": scale, "offset": [margin - bounds.x, margin - bounds.y]}
