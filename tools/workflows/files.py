"""Which workflows there are, and how they are written to files."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev_setup.versions import ROOT

from . import (
    app,
    blueprint,
    continued,
    distilled,
    one_stage,
    reference_sheet,
    shot_reverse,
    signed,
    takes,
    two_people,
    two_stage,
)
from .api_format import draw_api
from .graph import Graph
from .schema import GGUF_PACK
from .ui_format import draw_ui

FOLDER = ROOT / "workflows"
BLUEPRINT_FOLDER = ROOT / "subgraphs"
API_FOLDER = ROOT / "docs" / "api"  # not below workflows/: some frontends list every JSON there as a template


@dataclass(frozen=True)
class Workflow:
    """A graph, and the words on its thumbnail.

    Attributes:
        needs_packs: other packs that it uses; such a workflow is drawn and checked, and not run by tests.
    """

    build: Callable[[], Graph]
    title: str
    tagline: str
    needs_packs: tuple[str, ...] = ()


WORKFLOWS = (
    Workflow(distilled.distilled, "ID-LoRA · fast", "a face, a voice, a prompt: a talking clip"),
    Workflow(one_stage.one_stage, "ID-LoRA · paper settings", "30 steps, all four guidances"),
    Workflow(two_stage.two_stage, "ID-LoRA · two stages", "twice the size, the voice kept"),
    Workflow(two_stage.two_stage_hq, "ID-LoRA · two stages HQ", "fewer, finer steps with res_2s"),
    Workflow(continued.continued, "ID-LoRA · clip after clip", "a longer talk, one face, one voice"),
    Workflow(two_people.two_people, "ID-LoRA · two people talking", "one shot, two faces, two voices"),
    Workflow(
        reference_sheet.reference_sheet,
        "ID-LoRA · reference sheet",
        "faces from a sheet, voices from recordings",
    ),
    Workflow(shot_reverse.shot_reverse, "ID-LoRA · shot, reverse shot", "one speaker per clip, joined"),
    Workflow(takes.best_of_four, "ID-LoRA · best of four", "four takes heard, the best one becomes a clip"),
    Workflow(one_stage.saved_voice, "ID-LoRA · saved voice", "a voice on file, a face, a prompt"),
    Workflow(signed.signed, "ID-LoRA · signed", "a talking clip that says what it is"),
    Workflow(distilled.gguf, "ID-LoRA · GGUF", "quantised files, eight steps", needs_packs=(GGUF_PACK,)),
)


def files(workflow: Workflow, folder: Path = FOLDER, api_folder: Path = API_FOLDER) -> dict[Path, str]:
    """The two JSON files of a workflow with their text."""
    graph = workflow.build()
    return {
        folder / f"{graph.name}.json": as_text(draw_ui(graph)),
        api_folder / f"{graph.name}.json": as_text(draw_api(graph)),
    }


def blueprint_files(folder: Path = BLUEPRINT_FOLDER) -> dict[Path, str]:
    """The blueprint's file, whose name is what the frontend shows, with its text."""
    return {folder / f"{blueprint.NAME}.json": as_text(blueprint.draw_blueprint())}


def app_files(folder: Path = FOLDER) -> dict[Path, str]:
    """The file of the template that is an app: the blueprint has the graph, so that there is no API format of it."""
    return {folder / f"{app.NAME}.json": as_text(app.draw_app())}


def as_text(drawn: dict[str, Any]) -> str:
    return json.dumps(drawn, indent=2, ensure_ascii=False) + "\n"
