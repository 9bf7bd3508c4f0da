"""Four takes of one prompt: each is sampled and heard, and the best one alone becomes a picture."""

from .graph import Graph, Node, Section
from .head import (
    PURPLE,
    STATUS_HEIGHT,
    WORDS_TITLE,
    Conditions,
    Loaders,
    add_face_voice_words,
    add_introduction,
    add_loaders,
)
from .tail import PREVIEW_HEIGHT, SAMPLER_WIDTH, add_sampler, add_save

TABLE_HEIGHT = 380

INTRODUCTION = """
# The best of four takes

1. **Face, voice, words** as in the one-stage workflow. The words stand in a box of their own, *What is said*: they \
are spoken, and the takes are checked against them.
2. **Takes**: how many, and the first seed. The sampler runs once for each.
3. **Pick Take** decodes the sound of every take, ranks them by voice and words, and gives the best one on. Only that \
one is decoded to pictures.
4. **Run**. The mp4 is saved in `output/video`, all scores in `output/takes`.
"""

SCORING = """
**Models.** Voice and words are measured where a model file is in `models/idlora_metrics`: `pretrained.pt` of the \
Python package Resemblyzer for the voice, a folder with Whisper for the words. Without them the takes are checked for \
speech alone.

**The rule.** Takes without speech, or with many more wrong words than the best, are behind. Among the others the most \
alike voice wins; differences within the noise band are ties, and the earlier seed goes first.

**Two stages.** Connect *Second Stage* to the latent of Pick Take: it then runs for the winner alone.
"""


def best_of_four() -> Graph:
    graph = Graph("ID-LoRA Best of Four")
    add_introduction(graph, INTRODUCTION)
    loaders = add_loaders(graph)
    conditions = add_face_voice_words(graph, loaders, has_shared_words=True)
    pick = _add_takes(graph, loaders, conditions)
    add_save(graph, 4, loaders, pick["latent"])
    graph.sections[-1].space(PREVIEW_HEIGHT)  # a square clip's player is as high as it is wide
    return graph


def _add_takes(graph: Graph, loaders: Loaders, conditions: Conditions) -> Node:
    section = graph.section("3 · Takes", PURPLE, width=360)
    takes = section.node("LTXIDLoRA_Takes", takes=4, first_seed=42)
    section.column(SAMPLER_WIDTH)
    sampled = add_sampler(
        section,
        loaders.model,
        conditions,
        latent=conditions.latent,
        reference=conditions.reference,
        seed=takes["seeds"],
    )
    section.space(PREVIEW_HEIGHT)
    section.column(width=400)
    pick = _add_pick(graph, section, loaders, conditions, latents=sampled, seeds=takes["seeds"])
    section.note("Scores", SCORING, height=300)
    return pick


def _add_pick(graph: Graph, section: Section, loaders: Loaders, conditions: Conditions, **takes) -> Node:
    pick = section.node(
        "LTXIDLoRA_PickTake",
        audio_vae=loaders.audio_vae,
        reference_audio=conditions.reference.node["audio"],
        words=_titled(graph, WORDS_TITLE)["STRING"],
        **takes,
    )
    section.space(STATUS_HEIGHT + TABLE_HEIGHT)
    return pick


def _titled(graph: Graph, title: str) -> Node:
    (found,) = [node for node in graph.nodes if node.title == title]
    return found
