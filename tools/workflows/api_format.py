"""The API format, as POST /prompt takes it: {id: {class_type, inputs, _meta}}; a link is [node id, slot]."""

import copy
from typing import Any

from .graph import Graph, Node, Output

ApiGraph = dict[str, dict[str, Any]]

SMALL_VALUES = {"max_side": 128, "preset.steps": 4, "seconds": 1.0}
SMALL_LENGTH = 25  # frames of one second at 25 fps
SMALL_SIZE = {"width": 192, "height": 128}  # in place of explicit sides; 0 takes the picture's


def draw_api(graph: Graph) -> ApiGraph:
    return {str(node.id): _draw_node(node) for node in graph.nodes}


def _draw_node(node: Node) -> dict[str, Any]:
    inputs = {name: _draw_value(value) for name, value in node.values.items()}
    return {"class_type": node.schema.type, "inputs": inputs, "_meta": {"title": node.title}}


def _draw_value(value: Any) -> Any:
    return [str(value.node.id), value.slot] if isinstance(value, Output) else value


def small_overrides(api_graph: ApiGraph) -> ApiGraph:
    """A copy in a size for small models on a CPU; only inputs that are there, and not linked, are changed."""
    small = copy.deepcopy(api_graph)
    for node in small.values():
        inputs = node["inputs"]
        inputs |= {name: value for name, value in SMALL_VALUES.items() if _is_number(inputs.get(name))}
        inputs |= {
            name: value
            for name, value in SMALL_SIZE.items()
            if _is_number(inputs.get(name)) and inputs[name] > 0
        }
    return small


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)
