"""App mode: which widgets of a workflow the frontend shows as a form, and which nodes as its results.

    extra.linearData = {"inputs": [[node id, widget], ...], "outputs": [node id, ...]}

Every workflow has it, by one table of node types; a workflow whose nodes are not listed adds a row. `extra.linearMode`
opens a workflow as an app: only the app template has that.
"""

from typing import Any, NamedTuple

from .graph import Graph, Node, Output


class AppInput(NamedTuple):
    """A widget that belongs into the form.

    Attributes:
        label: what stands over it; None where the node's own translations give its name.
        is_first_only: of several such nodes in a graph, only the first is asked.
    """

    node_type: str
    widget: str
    label: str | None = None
    is_first_only: bool = False


APP_INPUTS = (
    AppInput("LoadImage", "image", "Face"),
    AppInput("LoadAudio", "audio", "Voice"),
    AppInput("LTXIDLoRA_LoadVoice", "voice"),
    AppInput("PrimitiveStringMultiline", "value", "What is said"),
    AppInput("LTXIDLoRA_Prompt", "speech"),
    AppInput("LTXIDLoRA_Prompt", "visual"),
    AppInput("LTXIDLoRA_Prompt", "sounds"),
    AppInput("LTXIDLoRA_SceneScript", "script"),
    AppInput("LTXIDLoRA_SceneScript", "visual"),
    AppInput("LTXIDLoRA_SceneScript", "sounds"),
    AppInput("LTXIDLoRA_ClipLength", "seconds"),
    AppInput("LTXIDLoRA_FirstFrame", "shape"),
    AppInput("LTXIDLoRA_Takes", "takes"),
    AppInput("LTXIDLoRA_KSampler", "seed", is_first_only=True),
    AppInput("LTXIDLoRA_SaveSignedVideo", "signer"),
    AppInput("LTXIDLoRA_SaveSignedVideo", "consent"),
    AppInput("LTXIDLoRA_SaveSignedVideo", "caption"),
)
APP_OUTPUTS = ("SaveVideo", "LTXIDLoRA_SaveSignedVideo", "SaveAudio")


def linear_data(graph: Graph, inputs: tuple[AppInput, ...] = APP_INPUTS) -> dict[str, Any]:
    """The form of a graph, in the order of the table; a linked widget is not asked."""
    return {
        "inputs": [[str(node.id), entry.widget] for entry in inputs for node in _asked(graph, entry)],
        "outputs": [str(node.id) for node in graph.nodes if node.schema.type in APP_OUTPUTS],
    }


def _asked(graph: Graph, entry: AppInput) -> list[Node]:
    nodes = [node for node in graph.nodes if node.schema.type == entry.node_type]
    free = [node for node in nodes if not isinstance(node.values.get(entry.widget), Output)]
    return free[:1] if entry.is_first_only else free


def label_of(node_type: str, widget: str) -> str | None:
    """What the table writes over a widget of the host's own nodes, which pictures and sounds share."""
    return next((entry.label for entry in APP_INPUTS if entry[:2] == (node_type, widget)), None)
