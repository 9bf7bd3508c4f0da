"""A graph as its author thinks of it: sections with nodes in columns, links by output.

    graph = Graph("ID-LoRA Talking Head")
    models = graph.section("1 · Models", BLUE, width=420)
    checkpoint = models.node("CheckpointLoaderSimple", ckpt_name="ltx.safetensors")
    load = models.node("LTXIDLoRA_Load", model=checkpoint["MODEL"], lora_name="id.safetensors")

Positions follow from the order of the calls (layout.py); ui_format.py and api_format.py draw the two JSON
formats.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .schema import InputSchema, NodeSchema, load_all

NOTE = "MarkdownNote"
Place = Literal["right", "below", "head", "foot"]
ANY = "*"  # the type of an input that takes every output


@dataclass(frozen=True)
class Output:
    """One output of a node, to be given as another node's input."""

    node: "Node"
    slot: int

    @property
    def type(self) -> str:
        return self.node.schema.outputs[self.slot].type


@dataclass(frozen=True)
class Model:
    """A model file as the frontend offers it for download."""

    name: str
    url: str
    directory: str


@dataclass(eq=False)
class Node:
    id: int
    schema: NodeSchema
    title: str
    values: dict[str, Any]
    height: int | None
    models: tuple[Model, ...]
    control_after_generate: str

    def __getitem__(self, output_name: str) -> Output:
        names = [entry.name for entry in self.schema.outputs]
        if output_name not in names:
            raise KeyError(f"{self.schema.type} has no output {output_name!r}; it has {', '.join(names)}.")
        return Output(self, names.index(output_name))


@dataclass(eq=False)
class Note:
    """Words for the reader of the graph; not part of the API format."""

    id: int
    title: str
    text: str
    height: int


@dataclass(eq=False)
class Space:
    """Room kept free in a column, for what a node grows by: a preview."""

    height: int


@dataclass(eq=False)
class Column:
    width: int
    entries: list[Node | Note | Space] = field(default_factory=list)

    @property
    def items(self) -> list[Node | Note]:
        return [entry for entry in self.entries if not isinstance(entry, Space)]


class Section:
    """Columns of nodes; with a title and a colour, a group on the canvas."""

    def __init__(self, graph: "Graph", title: str | None, colour: str, width: int, place: Place):
        self.graph = graph
        self.title = title
        self.colour = colour
        self.place = place
        self.columns = [Column(width)]

    def column(self, width: int) -> None:
        """What is added next stands in a new column."""
        self.columns.append(Column(width))

    def node(
        self,
        node_type: str,
        title: str | None = None,
        height: int | None = None,
        models: tuple[Model, ...] = (),
        control_after_generate: str = "randomize",
        **values: Any,
    ) -> Node:
        """Add a node; what is not given keeps its default. Heights below what the node needs are raised."""
        schema = self.graph.schemas[node_type].chosen(values)
        complete, title = _complete(schema, values), title or schema.title
        node = Node(self.graph.next_id(), schema, title, complete, height, models, control_after_generate)
        self.columns[-1].entries.append(node)
        return node

    def note(self, title: str, text: str, height: int) -> None:
        self.columns[-1].entries.append(Note(self.graph.next_id(), title, text.strip(), height))

    def space(self, height: int) -> None:
        self.columns[-1].entries.append(Space(height))


class Graph:
    """One workflow: a name, which is its file's name, and sections, left to right or below each other."""

    def __init__(self, name: str, schemas: Mapping[str, NodeSchema] | None = None, last_id: int = 0):
        self.name = name
        self.schemas = load_all() if schemas is None else schemas
        self.sections: list[Section] = []
        self._last_id = last_id  # ids below are taken, by nodes of a subgraph

    def section(
        self, title: str | None, colour: str, width: int, is_below: bool = False, place: Place | None = None
    ) -> Section:
        """Add a section on the right of the last one, or below it, or elsewhere; `width` is that of its first column.

        `place` "head" and "foot" are the top and the bottom of the last lane, which has room for notes.
        """
        self.sections.append(Section(self, title, colour, width, place or ("below" if is_below else "right")))
        return self.sections[-1]

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    @property
    def items(self) -> Iterator[Node | Note]:
        for section in self.sections:
            for column in section.columns:
                yield from column.items

    @property
    def nodes(self) -> list[Node]:
        return sorted((item for item in self.items if isinstance(item, Node)), key=lambda node: node.id)


def _complete(schema: NodeSchema, values: Mapping[str, Any]) -> dict[str, Any]:
    """Every input of a node with its value: given, or the default. Sockets without a link are left out."""
    unknown = values.keys() - {entry.name for entry in schema.inputs}
    if unknown:
        raise ValueError(f"{schema.type} has no input {', '.join(sorted(unknown))}.")
    complete = {entry.name: _value(schema, entry, values) for entry in schema.slots}
    return {name: value for name, value in complete.items() if value is not None}


def _value(schema: NodeSchema, entry: InputSchema, values: Mapping[str, Any]) -> Any:
    value = values.get(entry.name, entry.default)
    if value is None and not (entry.optional and not entry.is_widget):
        raise ValueError(f"{schema.type} needs a value for {entry.name}.")
    if isinstance(value, Output) and entry.type not in (value.type, ANY):
        raise ValueError(f"{schema.type}.{entry.name} is {entry.type}; the link gives {value.type}.")
    return value
