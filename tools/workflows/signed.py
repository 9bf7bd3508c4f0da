"""One stage, saved with content credentials, which are then read back."""

from .graph import Graph, Output
from .head import (
    DECODER_WIDTH,
    ORANGE,
    STATUS_HEIGHT,
    Conditions,
    Loaders,
    add_face_voice_words,
    add_introduction,
    add_loaders,
)
from .one_stage import SETTINGS
from .tail import PREVIEW_HEIGHT, add_decoder, add_sampling

REPORT_HEIGHT = 160

INTRODUCTION = """
# A talking clip that says what it is

The one-stage workflow; its mp4 is signed with **content credentials** (C2PA): made by a model, by whom, with \
whose consent.

1. Once: `pip install c2pa-python` in ComfyUI's Python, and restart. Without it the run stops before the render.
2. Choose **face** and **voice**, write the **ID-LoRA Prompt**.
3. **Save Signed Video**: write your name and who agreed to the clip. Both can be read by everyone.
4. **Run**. The mp4 is saved in `output/video`.
"""

SIGNING = """
**The key** is made on first use and stays in ComfyUI's `user` folder. To other people's verifiers such a signer \
is unknown; a certificate of your own is a setting, see `docs/provenance.md`.

**Last step.** Whatever writes the file again, an editor or most sites, drops its credentials.

**The caption** is seen for the first seconds: many places ask you to say openly that a face or voice is synthetic.
"""


def signed() -> Graph:
    graph = Graph("ID-LoRA Talking Head, signed")
    add_introduction(graph, INTRODUCTION)
    loaders = add_loaders(graph)
    conditions = add_face_voice_words(graph, loaders)
    sampled = add_sampling(graph, "3 · Sample", loaders, conditions, SETTINGS)
    _add_signing(graph, loaders, conditions, sampled)
    return graph


def _add_signing(graph: Graph, loaders: Loaders, conditions: Conditions, latent: Output) -> None:
    section = graph.section("4 · Save and sign", ORANGE, DECODER_WIDTH)
    video = add_decoder(section, loaders, latent)["video"]
    section.column(width=340)
    saved = section.node(
        "LTXIDLoRA_SaveSignedVideo",
        video=video,
        face=conditions.image,
        voice=conditions.recording,
        filename_prefix="video/ID-LoRA Talking Head, signed",
        signer="",
        consent="",
        caption="Made with AI",
    )
    section.space(STATUS_HEIGHT + PREVIEW_HEIGHT)
    section.column(width=300)
    check = section.node("LTXIDLoRA_CheckCredentials", video=saved["video"])
    section.space(STATUS_HEIGHT)
    section.note("Signing", SIGNING, height=300)
    section.column(width=320)
    section.node("PreviewAny", title="What the file says", source=check["report"], height=REPORT_HEIGHT)
