"""What the shipped workflows' files hold, as far as a browser is to show it."""

import json
from typing import Any

from tools.workflows.files import FOLDER
from tools.workflows.schema import HOST_PACK, OWN_PACK

NAMES = sorted(file.stem for file in FOLDER.glob("*.json"))
INSTALLED = (OWN_PACK, HOST_PACK)
DOWNLOADABLE = (".safetensors", ".sft", ".ckpt", ".pth", ".pt")  # the frontend's choice: no .gguf


def nodes_of(name: str) -> list[dict[str, Any]]:
    """All nodes of a workflow, those inside its subgraphs too."""
    workflow = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    inside = workflow.get("definitions", {}).get("subgraphs", [])
    return [*workflow["nodes"], *(node for definition in inside for node in definition["nodes"])]


def foreign_types(name: str) -> list[str]:
    """Node types of packs that the tests do not install."""
    return sorted({node["type"] for node in nodes_of(name) if _is_foreign(node)})


def models_of(name: str) -> dict[str, tuple[str, str]]:
    """What the frontend can offer to download: file name -> folder, address.

    It looks at the nodes that it knows: what only another pack's node names, it learns when that is there.
    """
    known = [node for node in nodes_of(name) if not _is_foreign(node)]
    models = [model for node in known for model in node["properties"].get("models", [])]
    return {
        model["name"]: (model["directory"], model["url"])
        for model in models
        if model["name"].endswith(DOWNLOADABLE)
    }


def _is_foreign(node: dict[str, Any]) -> bool:
    return node["properties"].get("cnr_id", HOST_PACK) not in INSTALLED
