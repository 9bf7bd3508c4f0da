"""Eight steps with the distilled LoRA, two predictions a step: the fast one, with a checkpoint and with GGUF files."""

from .graph import Graph
from .head import (
    BLUE,
    COLUMNS,
    Loaders,
    add_distilled_lora,
    add_face_voice_words,
    add_id_lora,
    add_introduction,
    add_loaders,
    add_model_note,
)
from .models import (
    AUDIO_VAE,
    DISTILLED_LORA,
    GGUF_MODEL,
    GGUF_TEXT_ENCODER,
    ID_LORA,
    TEXT_CONNECTORS,
    VIDEO_VAE,
)
from .tail import add_sampling, add_save

INTRODUCTION = """
# The fast one: eight steps

A face, a voice and a line of text become a talking clip with the distilled LoRA: 8 steps of 2 predictions, \
where the paper's settings take 30 steps of 5.

1. Choose **face** and **voice**, write the **ID-LoRA Prompt**.
2. **Run**. The mp4 is saved in `output/video`.
"""

SETTINGS = """
**Model.** Dev checkpoint, distilled LoRA at 1, ID-LoRA above it. A distilled checkpoint does as well: leave \
the distilled LoRA out.

**Guidance.** All off but identity, 2 (1 in LTXVReferenceAudio). Users report 1.5 to 2 for distilled models; \
higher dulls emotion. The negative prompt is not used.

**Preset.** `distilled` has 8 steps of its own; `custom` shows every value, and `paper` needs the dev model without \
the distilled LoRA.
"""


GGUF_INTRODUCTION = """
# For cards of 12 to 16 GB: GGUF

The fast workflow (8 steps of 2 predictions, distilled LoRA) with quantised files. It needs the pack \
**ComfyUI-GGUF**, in a version of January 2026 or newer: older ones know neither LTX-2 nor Gemma 3.

1. Choose **face** and **voice**, write the **ID-LoRA Prompt**.
2. **Run**. The mp4 is saved in `output/video`.
"""

GGUF_FILES = (
    GGUF_MODEL,
    GGUF_TEXT_ENCODER,
    TEXT_CONNECTORS,
    VIDEO_VAE,
    AUDIO_VAE,
    DISTILLED_LORA,
    ID_LORA,
)


def distilled() -> Graph:
    graph = Graph("ID-LoRA Talking Head, fast lip sync")
    add_introduction(graph, INTRODUCTION)
    return _finished(graph, add_loaders(graph, distilled_strength=1.0))


def gguf() -> Graph:
    graph = Graph("ID-LoRA Talking Head, GGUF")
    add_introduction(graph, GGUF_INTRODUCTION)
    return _finished(graph, _add_gguf_loaders(graph))


def _finished(graph: Graph, loaders: Loaders) -> Graph:
    conditions = add_face_voice_words(graph, loaders)
    sampled = add_sampling(graph, "3 · Sample", loaders, conditions, SETTINGS, preset="distilled")
    add_save(graph, 4, loaders, sampled)
    return graph


def _add_gguf_loaders(graph: Graph) -> Loaders:
    section = graph.section("1 · Models", BLUE, COLUMNS[0])
    base = section.node("UnetLoaderGGUF", unet_name=GGUF_MODEL.name, models=(GGUF_MODEL,))
    video_vae = section.node("VAELoader", vae_name=VIDEO_VAE.name, models=(VIDEO_VAE,))
    audio_vae = section.node("LTXVAudioVAELoader", ckpt_name=AUDIO_VAE.name, models=(AUDIO_VAE,))
    section.column(COLUMNS[1])
    text_encoder = section.node(
        "DualCLIPLoaderGGUF",
        clip_name1=GGUF_TEXT_ENCODER.name,
        clip_name2=TEXT_CONNECTORS.name,
        type="ltxv",
        models=(GGUF_TEXT_ENCODER, TEXT_CONNECTORS),
    )
    model = add_distilled_lora(section, base["MODEL"], 1.0)
    section.column(COLUMNS[2])
    model = add_id_lora(section, model)
    add_model_note(section, GGUF_FILES)
    return Loaders(base["MODEL"], model, text_encoder["CLIP"], video_vae["VAE"], audio_vae["Audio VAE"])
