"""What the graph source must know of a node type: its inputs in order, its widgets, its outputs.

The facts are recorded from a running host's /object_info into `node_schemas.json`, so that workflows can be
drawn without a host:

    python3 dev.py workflows --record

Those of other packs, which no host of the tests has, are written by hand from their sources into
`foreign_schemas.json`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).with_name("node_schemas.json")
FOREIGN = Path(__file__).with_name("foreign_schemas.json")

HOST_PACK, OWN_PACK, GGUF_PACK = "comfy-core", "unpublished-idlora-ltx2", "comfyui-gguf"
PACK_VERSIONS = {HOST_PACK: "0.30.0", OWN_PACK: "0.1.0", GGUF_PACK: "1.1.10"}

# Optional inputs that the oldest host lacks: left at their defaults, so that the files suit every host.
NEWER_INPUTS = {"CreateVideo": ("bit_depth",)}

DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
WIDGET_TYPES = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", DYNAMIC_COMBO)
PLAYER = "AUDIO_UI"  # a widget without a value, shown below all others
CONTROL_VALUES = ("fixed", "increment", "decrement", "randomize")


@dataclass(frozen=True)
class Widget:
    """A slot that the frontend adds beside a file chooser: a player, an upload button."""

    name: str
    type: str
    value: str | None


# Which widgets the frontend makes for these keys of an input's options.
UPLOAD_WIDGETS = {
    "image_upload": (Widget("upload", "IMAGEUPLOAD", "image"),),
    "audio_upload": (Widget("audioUI", "AUDIO_UI", None), Widget("upload", "AUDIOUPLOAD", None)),
}


@dataclass(frozen=True)
class InputSchema:
    name: str
    type: str
    optional: bool = False
    default: Any = None
    multiline: bool = False
    advanced: bool = False
    control_after_generate: bool = False
    upload: str | None = None
    choices: "tuple[tuple[str, tuple[InputSchema, ...]], ...]" = ()  # of a dynamic combo, and what each brings

    def chosen(self, value: Any) -> "tuple[InputSchema, ...]":
        """This input, and those that its value brings."""
        brought = dict(self.choices).get(self.default if value is None else value, ())
        return (self, *(replace(entry, name=f"{self.name}.{entry.name}") for entry in brought))

    @property
    def is_widget(self) -> bool:
        return self.type in WIDGET_TYPES

    @property
    def is_player(self) -> bool:
        return self.type == PLAYER


@dataclass(frozen=True)
class OutputSchema:
    name: str
    type: str


@dataclass(frozen=True)
class NodeSchema:
    type: str
    title: str
    pack: str
    inputs: tuple[InputSchema, ...]
    outputs: tuple[OutputSchema, ...]

    def chosen(self, values: Mapping[str, Any]) -> "NodeSchema":
        """The node as it looks with these values: dynamic combos bring inputs."""
        inputs = (entry for known in self.inputs for entry in known.chosen(values.get(known.name)))
        return replace(self, inputs=tuple(inputs))

    @property
    def slots(self) -> tuple[InputSchema, ...]:
        """Inputs in the order of the frontend's slots: sockets before widgets, required before optional."""
        with_value = [entry for entry in self.inputs if not entry.is_player]
        return tuple(sorted(with_value, key=lambda entry: (entry.is_widget, entry.optional)))

    @property
    def sockets(self) -> tuple[InputSchema, ...]:
        return tuple(entry for entry in self.slots if not entry.is_widget)

    @property
    def widgets(self) -> tuple[InputSchema, ...]:
        return tuple(entry for entry in self.slots if entry.is_widget)

    @property
    def players(self) -> tuple[InputSchema, ...]:
        """Inputs that only play what the node made: slots, but no values, neither in a file nor in a prompt."""
        return tuple(entry for entry in self.inputs if entry.is_player)

    @property
    def upload_widgets(self) -> tuple[Widget, ...]:
        return tuple(w for entry in self.widgets if entry.upload for w in UPLOAD_WIDGETS[entry.upload])


def read_live(node_type: str, info: Mapping[str, Any]) -> NodeSchema:
    """The schema of one entry of a host's /object_info."""
    is_own = info["python_module"].startswith("custom_nodes.")
    inputs = _read_inputs(info["input"], NEWER_INPUTS.get(node_type, ()))
    if not is_own:  # what a choice brings differs from host to host, and the shipped graphs choose none of it
        inputs = tuple(replace(e, choices=(), default=None) if e.choices else e for e in inputs)
    outputs = [
        OutputSchema(name, kind) for name, kind in zip(info["output_name"], info["output"], strict=True)
    ]
    pack = OWN_PACK if is_own else HOST_PACK
    title = info["display_name"] or node_type  # as the frontend shows a node without one
    return NodeSchema(node_type, title, pack, inputs, tuple(outputs))


def _read_inputs(sections: Mapping[str, Any], left_out: tuple[str, ...] = ()) -> tuple[InputSchema, ...]:
    return tuple(
        _read_input(name, spec, optional=section == "optional")
        for section in ("required", "optional")
        for name, spec in sections.get(section, {}).items()
        if name not in left_out
    )


def _read_input(name: str, spec: list[Any], optional: bool) -> InputSchema:
    kind, options = spec[0], spec[1] if len(spec) > 1 else {}
    choices = options["options"] if kind == DYNAMIC_COMBO else []
    return InputSchema(
        name=name,
        type="COMBO" if isinstance(kind, list) else kind,
        optional=optional,
        default=choices[0]["key"] if choices else options.get("default"),
        multiline=bool(options.get("multiline")),
        advanced=bool(options.get("advanced")),
        control_after_generate=bool(options.get("control_after_generate")),
        upload=next((key for key in UPLOAD_WIDGETS if options.get(key)), None),
        choices=tuple((choice["key"], _read_inputs(choice["inputs"])) for choice in choices),
    )


def load_recorded(path: Path = RECORDED) -> dict[str, NodeSchema]:
    recorded = json.loads(path.read_text(encoding="utf-8"))
    return {
        node_type: NodeSchema(
            node_type,
            entry["title"],
            entry["pack"],
            tuple(_load_input(item) for item in entry["inputs"]),
            tuple(OutputSchema(**item) for item in entry["outputs"]),
        )
        for node_type, entry in recorded.items()
    }


def _load_input(item: Mapping[str, Any]) -> InputSchema:
    choices = item.get("choices", {}).items()
    brought = tuple((key, tuple(_load_input(each) for each in inputs)) for key, inputs in choices)
    return InputSchema(**{**item, "choices": brought})


def load_all() -> dict[str, NodeSchema]:
    """What a graph may use: recorded node types, and those of other packs."""
    return {**load_recorded(), **load_recorded(FOREIGN)}


def record(schemas: list[NodeSchema], path: Path = RECORDED) -> None:
    """Write the schemas, leaving out what has its usual value."""
    entries = {
        schema.type: {
            "title": schema.title,
            "pack": schema.pack,
            "inputs": [_unusual(entry) for entry in schema.inputs],
            "outputs": [{"name": entry.name, "type": entry.type} for entry in schema.outputs],
        }
        for schema in sorted(schemas, key=lambda schema: schema.type)
    }
    path.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


def _unusual(entry: InputSchema) -> dict[str, Any]:
    usual = InputSchema(entry.name, entry.type)
    unusual = {
        key: value
        for key, value in vars(entry).items()
        if key in ("name", "type") or value != getattr(usual, key)
    }
    if entry.choices:
        unusual["choices"] = {key: [_unusual(each) for each in inputs] for key, inputs in entry.choices}
    return unusual
