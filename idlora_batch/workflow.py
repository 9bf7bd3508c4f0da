"""A workflow in the API's format, and which of its inputs a column means."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .comfy.client import Graph
from .inputs import Schemas, Spec, specs

PACK = "LTXIDLoRA_"
SHIPPED = Path(__file__).resolve().parents[1] / "docs" / "api"
DEFAULT = "idlora_one_stage"
SEEDS = ("seed", "noise_seed")
SAVERS = ("SaveVideo", f"{PACK}SaveSignedVideo")
PREFIX = "idlora_batch/clip"  # the same for all: it is written into the clip, and equal rows give equal bits


@dataclass(frozen=True)
class Target:
    """One input of one node."""

    node: str
    input: str


@dataclass
class Workflow:
    """A graph with a name; `schemas` are those of the host that will run it."""

    name: str
    graph: Graph
    schemas: Schemas = field(default_factory=dict)
    _of_class: dict[str, dict[str, Spec]] = field(
        default_factory=dict
    )  # of nodes whose values bring no inputs

    def spec(self, target: Target) -> Spec:
        return self.specs(target.node)[target.input]

    def specs(self, node: str, of_all_options: bool = False) -> dict[str, Spec]:
        """Inputs by name: those that are there with the node's values, or with any."""
        class_type, values = self.graph[node]["class_type"], self.graph[node]["inputs"]
        if class_type in self._of_class:
            return self._of_class[class_type]
        schema = self.schemas.get(class_type, {})
        of_all = specs(schema)
        if not any(spec.needs for spec in of_all.values()):
            self._of_class[class_type] = of_all
        return of_all if of_all_options else specs(schema, values)

    def put(self, target: Target, value: Any) -> None:
        """Give an input a value; where it is a list whose options bring inputs, exchange those."""
        inputs = self.graph[target.node]["inputs"]
        inputs[target.input] = value
        live = self.specs(target.node)
        for name in [name for name in inputs if name.startswith(f"{target.input}.") and name not in live]:
            del inputs[name]
        for name, spec in live.items():
            if name.startswith(f"{target.input}.") and spec.is_widget:
                inputs.setdefault(name, default_of(spec))

    def value(self, target: Target) -> Any:
        return self.graph[target.node]["inputs"].get(target.input)

    def classes(self) -> set[str]:
        return {node["class_type"] for node in self.graph.values()}

    def copied(self) -> "Workflow":
        return Workflow(self.name, copy.deepcopy(self.graph), self.schemas, self._of_class)


def file_of(name: str, beside: Path) -> Path:
    """The file of a workflow: a path, or the name of a shipped one.

    Raises:
        ValueError: neither.
    """
    shipped = SHIPPED / f"{name}.json"
    if name.endswith(".json"):
        return (beside / name).resolve()
    if shipped.is_file():
        return shipped
    names = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.json"))) or "none here"
    raise ValueError(f"{name} is neither a .json file nor one of the shipped workflows ({names}).")


def load(file: Path) -> Workflow:
    """Raises: ValueError: not there, not JSON, or not in the API's format."""
    try:
        graph = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"There is no workflow {file}.") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{file.name} is not a workflow: {error}") from None
    if isinstance(graph, dict) and "nodes" in graph and "links" in graph:
        raise ValueError(
            f"{file.name} is saved for the editor. In ComfyUI, use Export (API), and name that file."
        )
    if not isinstance(graph, dict) or not graph or not all(map(_is_node, graph.values())):
        raise ValueError(f"{file.name} is not a workflow in the API's format. In ComfyUI, use Export (API).")
    for node in graph.values():
        if node["class_type"] in SAVERS and "filename_prefix" in node["inputs"]:
            node["inputs"]["filename_prefix"] = PREFIX
    return Workflow(file.stem, graph)


def _is_node(node: Any) -> bool:
    return (
        isinstance(node, dict)
        and isinstance(node.get("class_type"), str)
        and isinstance(node.get("inputs"), dict)
    )


def require_nodes(workflow: Workflow) -> None:
    """Raises: ValueError: the host lacks a node of the workflow, or nothing in it saves a video."""
    missing = sorted(workflow.classes() - set(workflow.schemas))
    if missing:
        raise ValueError(
            f"The workflow {workflow.name} needs nodes that this ComfyUI does not have: {', '.join(missing)}."
            " Install their pack, or use another workflow."
        )
    savers = [node for node in workflow.graph.values() if node["class_type"] in SAVERS]
    if len(savers) != 1:
        raise ValueError(
            f"The workflow {workflow.name} has {len(savers)} nodes that save a video; it needs one, {SAVERS[0]}."
        )


def targets(workflow: Workflow, column: str) -> list[Target]:
    """The inputs that a column sets: `speech`, `steps`, `LTXIDLoRA_KSampler.steps`, `KSampler.steps`, `17.steps`.

    A name alone is looked for in all nodes, and must be in nodes of one class only; `*.numerics` sets it in all,
    `seed` every seed. An input that a value node feeds, such as a length entered once, stands for that node's value.
    An input of an optional node that the workflow lacks, such as Guidance Options, brings the node.

    Raises:
        ValueError: no such input, or several; with what to write.
    """
    if column == "seed":
        found = [target for name in SEEDS for target in _named(workflow, name) if _is_value(workflow, target)]
        if not found:
            raise ValueError(f"the workflow {workflow.name} has no seed.")
        return found
    is_for_all, column = column.startswith("*."), column.removeprefix("*.")
    owner, dot, name = column.partition(".")
    nodes = _nodes(workflow, owner) if dot else []
    if nodes:
        found = [target for target in _named(workflow, name) if target.node in nodes]
    else:
        found = list(_named(workflow, column))
    if not found:
        found = _brought(workflow, column)
    if not found:
        raise ValueError(f"the workflow {workflow.name} has no such input. {_suggestion(workflow, column)}")
    classes = sorted({workflow.graph[target.node]["class_type"] for target in found})
    if len(classes) > 1 and not is_for_all:
        choices = " or ".join(f"{_short(name)}.{column}" for name in classes)
        raise ValueError(f"several nodes of the workflow {workflow.name} have this input; write {choices}.")
    return [_followed(workflow, target) for target in found]


def _nodes(workflow: Workflow, owner: str) -> list[str]:
    """Ids of the nodes with this id, class, or title."""
    return [
        node_id
        for node_id, node in workflow.graph.items()
        if owner
        in (node_id, node["class_type"], _short(node["class_type"]), (node.get("_meta") or {}).get("title"))
    ]


def _named(workflow: Workflow, name: str) -> Iterator[Target]:
    """Inputs of the name, also where they belong to an option (`preset.steps`)."""
    for node_id in workflow.graph:
        for input_name in workflow.specs(node_id):
            if input_name == name or input_name.endswith(f".{name}"):
                yield Target(node_id, input_name)


def _followed(workflow: Workflow, target: Target) -> Target:
    """The value node's own input, where the input is connected to one."""
    value = workflow.value(target)
    if not is_link(value):
        return target
    node = str(value[0])
    own = [name for name, spec in workflow.specs(node).items() if spec.is_widget]
    if len(own) != 1 or is_link(workflow.value(Target(node, own[0]))):
        source = workflow.graph[node]["class_type"]
        raise ValueError(
            f"is connected to {source} in the workflow {workflow.name}; set an input of that node."
        )
    return Target(node, own[0])


def _is_value(workflow: Workflow, target: Target) -> bool:
    return workflow.spec(target).is_widget and not is_link(workflow.value(target))


def is_link(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[1], int)


def _brought(workflow: Workflow, column: str) -> list[Target]:
    """Add the one node of this pack that has the input, where a node of the workflow takes its output and has none."""
    owner, _, name = column.rpartition(".")
    for class_type, schema in workflow.schemas.items():
        named = [found for found in specs(schema, {}) if found == name or found.endswith(f".{name}")]
        if not class_type.startswith(PACK) or not named or owner not in ("", class_type, _short(class_type)):
            continue
        takers = [
            Target(node_id, input_name)
            for node_id in workflow.graph
            for input_name, spec in workflow.specs(node_id).items()
            if spec.is_optional
            and spec.type in schema["output"]
            and workflow.value(Target(node_id, input_name)) is None
        ]
        if takers and class_type not in workflow.classes():
            node_id = _add_node(workflow, class_type)
            for taker in takers:
                slot = schema["output"].index(workflow.spec(taker).type)
                workflow.graph[taker.node]["inputs"][taker.input] = [node_id, slot]
            return [Target(node_id, input_name) for input_name in named]
    return []


def _add_node(workflow: Workflow, class_type: str) -> str:
    """A node with the values of its schema; its id."""
    node_id = f"batch_{class_type}"
    values = {
        name: default_of(spec)
        for name, spec in specs(workflow.schemas[class_type], {}).items()
        if spec.is_widget
    }
    workflow.graph[node_id] = {"class_type": class_type, "inputs": values}
    return node_id


def default_of(spec: Spec) -> Any:
    if "default" in spec.extra:
        return spec.extra["default"]
    return spec.options[0] if spec.options else {"INT": 0, "FLOAT": 0.0, "BOOLEAN": False}.get(spec.type, "")


def replace_saver(workflow: Workflow, class_type: str) -> None:
    """Another node saves the video.

    Raises:
        ValueError: the host does not have it.
    """
    if class_type not in workflow.schemas:
        raise ValueError(f"This ComfyUI has no node {class_type}; update ID-LoRA for LTX-2 there.")
    (node,) = [node for node in workflow.graph.values() if node["class_type"] in SAVERS]
    inputs = {
        name: default_of(spec)
        for name, spec in specs(workflow.schemas[class_type], {}).items()
        if spec.is_widget
    }
    kept = {"video": node["inputs"]["video"]}
    if "filename_prefix" in inputs:
        kept["filename_prefix"] = PREFIX
    node |= {"class_type": class_type, "inputs": {**inputs, **kept}}


def _short(class_type: str) -> str:
    return class_type.removeprefix(PACK)


def _suggestion(workflow: Workflow, column: str) -> str:
    """Where a name with that ending is, or what names there are."""
    name = column.rpartition(".")[2]
    owners = sorted({_short(workflow.graph[target.node]["class_type"]) for target in _named(workflow, name)})
    if owners:
        return "There is " + ", ".join(f"{owner}.{name}" for owner in owners) + "."
    for node_id in workflow.graph:
        for found, spec in workflow.specs(node_id, of_all_options=True).items():
            if spec.needs and found.rpartition(".")[2] == name:
                conditions = " and ".join(f"{selector} is {option}" for selector, option in spec.needs)
                return f"{_short(workflow.graph[node_id]['class_type'])} has it where {conditions}; add that column."
    return "Columns are face, voice, speech, visual, sounds, seconds, seed, workflow, name, or node.input."
