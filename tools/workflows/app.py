"""The template that is an app: face, voice, the blueprint and the video, which opens as a form with a Run button."""

from typing import Any

from . import blueprint
from .graph import Graph
from .head import CONSENT, GREEN, GREY, ORANGE
from .schema import load_all
from .ui_format import draw_ui

# Of a pack's template the frontend knows the file name alone, and searches its first 33 characters or so.
NAME = "ID-LoRA Talking Face, Voice Clone App"
TITLE, TAGLINE = "ID-LoRA · app", "fill in five fields, press Run"
FIELDS = ("speech", "visual", "sounds", "seconds", "shape", "seed")  # of the blueprint, in the form's order

INTRODUCTION = """
# A face, a voice and a line of text become a talking clip

This is also an **app**: open *App* in the menu over the graph, and only what you fill in is there.

1. **Face**: one person, facing the camera. It becomes the first frame.
2. **Voice**: 3 to 5 seconds of clear speech by one person; a video file will do.
3. **What is said**, **what is seen**, **how it sounds**. Then **Run**.

It is the fast way: the distilled LoRA, 8 steps of 2 predictions. The other templates of this pack give the paper's \
settings (30 steps of 5), twice the size, longer talks and signed files.
"""


def draw_app() -> dict[str, Any]:
    """The file's content."""
    drawn = blueprint.blueprint()
    graph = _graph(drawn)
    ui = draw_ui(graph)
    (head,) = [node for node in graph.nodes if node.schema.type == drawn.schema.type]
    (shown,) = [node for node in ui["nodes"] if node["id"] == head.id]
    shown["widgets_values"] = []  # the values are those inside
    for slot in shown["inputs"]:
        slot["label"] = blueprint.LABELS[slot["name"]]
    ui["extra"]["linearData"]["inputs"] += [[str(head.id), name] for name in FIELDS]
    ui["extra"]["linearMode"] = True
    ui["definitions"] = {"subgraphs": [drawn.definition]}
    return ui


def _graph(drawn: blueprint.Blueprint) -> Graph:
    graph = Graph(NAME, {**load_all(), drawn.schema.type: drawn.schema}, drawn.last_id)
    graph.section(None, GREY, width=360).note("Read me", INTRODUCTION, height=460)
    section = graph.section("1 · Face and voice", GREEN, width=340)
    face = section.node("LoadImage", title="Face (first frame)", image="idlora_portrait.png", height=330)
    voice = section.node(
        "LoadAudio", title="Voice (3-5 s of one speaker, or a video)", audio="idlora_voice.flac", height=150
    )
    section.note("Consent", CONSENT, height=90)
    section = graph.section("2 · Talking head", GREEN, width=420)
    head = section.node(drawn.schema.type, face=face["IMAGE"], voice=voice["AUDIO"], height=900)
    section = graph.section("3 · Save", ORANGE, width=440)
    section.node(
        "SaveVideo", video=head["video"], filename_prefix="video/ID-LoRA", format="auto", codec="auto"
    )
    return graph
