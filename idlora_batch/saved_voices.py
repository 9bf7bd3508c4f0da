"""Voices that are kept in files: a table names one where it would name a recording."""

from .inputs import specs
from .workflow import PACK, Target, Workflow, default_of, is_link

LOADER, ENCODER = f"{PACK}LoadVoice", f"{PACK}EncodeReferenceAudio"
REFERENCE = "IDLORA_REFERENCE"
NODE = "batch_voice"


def is_saved(workflow: Workflow, value: str) -> bool:
    """Whether the host has a saved voice of this name."""
    return value in _options(workflow)


def names(workflow: Workflow) -> list[str]:
    """The saved voices that the graph loads; their files are part of what a clip depends on."""
    chooser = _chooser(workflow)
    loaders = [node for node in workflow.graph.values() if node["class_type"] == LOADER]
    return sorted({str(node["inputs"][chooser]) for node in loaders if chooser in node["inputs"]})


def use(workflow: Workflow, value: str) -> None:
    """The graph speaks with a saved voice: in its own loader, or in place of the encoder of a recording.

    Raises:
        ValueError: the workflow has no one place for a voice.
    """
    chooser = _chooser(workflow)
    loaders = [node_id for node_id, node in workflow.graph.items() if node["class_type"] == LOADER]
    encoders = [node_id for node_id, node in workflow.graph.items() if node["class_type"] == ENCODER]
    if len(loaders) == 1:
        workflow.put(Target(loaders[0], chooser), value)
        return
    if loaders or len(encoders) != 1:
        count = len(loaders) + len(encoders)
        raise ValueError(
            f"the workflow {workflow.name} has {count} places for a voice; name the node's input."
        )
    schema = workflow.schemas[LOADER]
    values = {name: default_of(spec) for name, spec in specs(schema, {}).items() if spec.is_widget}
    workflow.graph[NODE] = {"class_type": LOADER, "inputs": values}
    workflow.put(Target(NODE, chooser), value)
    _rewire(workflow, encoders[0], [NODE, schema["output"].index(REFERENCE)])


def _chooser(workflow: Workflow) -> str:
    """The loader's input that names the voice: its first list."""
    found = specs(workflow.schemas.get(LOADER, {}), {})
    return next((name for name, spec in found.items() if spec.type == "COMBO"), "")


def _options(workflow: Workflow) -> tuple:
    found = specs(workflow.schemas.get(LOADER, {}), {})
    chooser = _chooser(workflow)
    return found[chooser].options if chooser else ()


def _rewire(workflow: Workflow, encoder: str, reference: list) -> None:
    """Let everything use the reference instead of the encoder's, and drop what only fed the encoder."""
    for node in workflow.graph.values():
        for name, value in node["inputs"].items():
            if is_link(value) and str(value[0]) == encoder:
                if value[1] != 0:
                    raise ValueError(
                        f"the workflow uses the recording itself in {node['class_type']}; give a file."
                    )
                node["inputs"][name] = reference
    feeding = [str(value[0]) for value in workflow.graph.pop(encoder)["inputs"].values() if is_link(value)]
    for node_id in feeding:
        used = {
            str(value[0])
            for node in workflow.graph.values()
            for value in node["inputs"].values()
            if is_link(value)
        }
        if node_id not in used:
            del workflow.graph[node_id]
