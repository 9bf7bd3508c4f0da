"""Where everything stands: lanes left to right, sections in a lane, columns in a section, nodes in a column.

Units are the canvas's. A node's position is its body's top left corner; its title bar stands above that.
Sizes are those of the classic renderer; the spacing leaves the room that Nodes 2.0 needs, whose nodes are
taller. A group is as large as its content, with the room that previews take.
"""

from dataclasses import dataclass

from .graph import Column, Graph, Node, Note, Section, Space
from .schema import HOST_PACK, OWN_PACK, PLAYER

TITLE_HEIGHT = 30
GAP = 30
GROUP_PADDING = 20
GROUP_TITLE_HEIGHT = 40
SECTION_GAP = 40

# Rows of a node as frontend 1.47 draws them: classic, and Nodes 2.0 (measured there, rounded up).
SOCKET_HEIGHT, WIDGET_HEIGHT, TEXT_WIDGET_HEIGHT, NODE_PADDING = 20, 24, 54, 14
NEW_WIDGET_HEIGHT, NEW_TEXT_WIDGET_HEIGHT, NEW_NODE_PADDING, NEW_FOOTER_HEIGHT = 32, 62, 10, 28
NEW_PLAYER_HEIGHT = 64
NEW_STATUS_HEIGHT = 60  # of the line in which a node of this pack says what it did


@dataclass(frozen=True)
class Rectangle:
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Layout:
    bodies: dict[int, Rectangle]  # node id -> body, without the title bar
    groups: list[tuple[Section, Rectangle]]

    @property
    def bounds(self) -> Rectangle:
        everything = [*self.bodies.values(), *(rectangle for _, rectangle in self.groups)]
        left, top = min(r.x for r in everything), min(r.y - TITLE_HEIGHT for r in everything)
        right, bottom = max(r.x + r.width for r in everything), max(r.y + r.height for r in everything)
        return Rectangle(left, top, right - left, bottom - top)


def lay_out(graph: Graph) -> Layout:
    lanes = _lanes(graph)
    bodies: dict[int, Rectangle] = {}
    groups: list[tuple[Section, Rectangle]] = []
    x = 0
    for lane in lanes:
        y = 0
        for section in lane:
            bottom = y + _size(section)[1] - SECTION_GAP
            bodies |= _place_section(section, x, y)
            if section.title is not None:
                groups.append((section, Rectangle(x, y, _size(section)[0] - SECTION_GAP, bottom - y)))
            y = bottom + SECTION_GAP
        x += max(_size(section)[0] for section in lane)
    return Layout(bodies, groups)


def _lanes(graph: Graph) -> list[list[Section]]:
    lanes: list[list[Section]] = []
    for section in graph.sections:
        if section.place == "below" and lanes:
            lanes[-1].append(section)
        elif section.place in ("right", "below"):
            lanes.append([section])
    head, foot = ([s for s in graph.sections if s.place == place] for place in ("head", "foot"))
    return [*lanes[:-1], [*head, *(lanes[-1] if lanes else []), *foot]]


def _size(section: Section) -> tuple[int, int]:
    """Width and height that a section takes, with the gap after it."""
    width = sum(column.width for column in section.columns) + GAP * (len(section.columns) - 1)
    height = max(sum(_room(entry) for entry in column.entries) - GAP for column in section.columns)
    padding = GROUP_PADDING if section.title is not None else 0
    return width + 2 * GROUP_PADDING + SECTION_GAP, _top(section) + height + padding + SECTION_GAP


def _place_section(section: Section, left: int, top: int) -> dict[int, Rectangle]:
    bodies: dict[int, Rectangle] = {}
    x = left + GROUP_PADDING
    for column in section.columns:
        bodies |= _place_column(column, x, top + _top(section))
        x += column.width + GAP
    return bodies


def _place_column(column: Column, x: int, y: int) -> dict[int, Rectangle]:
    bodies: dict[int, Rectangle] = {}
    for entry in column.entries:
        if not isinstance(entry, Space):
            bodies[entry.id] = Rectangle(x, y + TITLE_HEIGHT, column.width, height_of(entry))
        y += _room(entry)
    return bodies


def _top(section: Section) -> int:
    return GROUP_TITLE_HEIGHT if section.title is not None else 0


def _room(entry: Node | Note | Space) -> int:
    """Height in a column, with title bar and the gap after it, in whichever renderer needs more."""
    if isinstance(entry, Space):
        return entry.height
    return TITLE_HEIGHT + max(height_of(entry), _new_least_height(entry)) + GAP


def height_of(item: Node | Note) -> int:
    if isinstance(item, Note):
        return item.height
    return max(item.height or 0, _least_height(item))


def _least_height(node: Node) -> int:
    """The height that the classic renderer gives the node's slots and widgets."""
    schema = node.schema
    rows = _socket_rows(node) * SOCKET_HEIGHT
    for entry in schema.widgets:
        rows += TEXT_WIDGET_HEIGHT if entry.multiline else WIDGET_HEIGHT
        rows += WIDGET_HEIGHT * entry.control_after_generate
    for widget in schema.upload_widgets:
        rows += TEXT_WIDGET_HEIGHT if widget.type == PLAYER else WIDGET_HEIGHT
    rows += TEXT_WIDGET_HEIGHT * len(schema.players)
    return rows + NODE_PADDING


def _new_least_height(item: Node | Note) -> int:
    """The same for Nodes 2.0, with the footers for advanced inputs and for the pack's name."""
    if isinstance(item, Note):
        return item.height
    schema = item.schema
    rows = _socket_rows(item) * SOCKET_HEIGHT
    for entry in schema.widgets:
        if not entry.advanced:
            rows += NEW_TEXT_WIDGET_HEIGHT if entry.multiline else NEW_WIDGET_HEIGHT
    rows += NEW_PLAYER_HEIGHT * len(schema.players)
    rows += NEW_STATUS_HEIGHT * (schema.pack == OWN_PACK)
    footers = (schema.pack != HOST_PACK) + any(entry.advanced for entry in schema.widgets)
    return rows + NEW_NODE_PADDING + footers * NEW_FOOTER_HEIGHT


def _socket_rows(node: Node) -> int:
    return max(len(node.schema.sockets), len(node.schema.outputs))
