"""Which workflows there are, and how they are written to files."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import one_stage
from .api_format import draw_api
from .graph import Graph
from .ui_format import draw_ui

FOLDER = Path(__file__).resolve().parents[3] / "workflows"


@dataclass(frozen=True)
class Workflow:
    """A graph, and the words on its thumbnail."""

    build: Callable[[], Graph]
    title: str
    tagline: str


WORKFLOWS = (
    Workflow(one_stage.one_stage, "ID-LoRA · one stage", "a face, a voice, a prompt: a talking clip"),
)


def files(workflow: Workflow, folder: Path = FOLDER) -> dict[Path, str]:
    """The two JSON files of a workflow with their text."""
    graph = workflow.build()
    return {
        folder / f"{graph.name}.json": as_text(draw_ui(graph)),
        folder / "api" / f"{graph.name}.json": as_text(draw_api(graph)),
    }


def as_text(drawn: dict[str, Any]) -> str:
    return json.dumps(drawn, indent=2, ensure_ascii=False) + "\n"
