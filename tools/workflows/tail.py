"""What the workflows have in common after the conditions: samplers, the second stage, the video."""

from typing import Any

from .graph import Graph, Node, Output, Section
from .head import (
    COLUMNS,
    DECODER_WIDTH,
    ORANGE,
    PLAYER_WIDTH,
    PURPLE,
    SAMPLER_WIDTH,
    STATUS_HEIGHT,
    Conditions,
    Loaders,
    add_distilled_lora,
)
from .models import UPSCALER

PREVIEW_HEIGHT = 220
PLAYER_HEIGHT = 350
SAMPLER = "LTXIDLoRA_KSampler"
STAGE_2_SIGMAS = "0.909375, 0.725, 0.421875, 0.0"
OFF = {"video_cfg": 1.0, "audio_cfg": 1.0, "identity_scale": 1.0, "stg_scale": 0.0, "av_bimodal_scale": 1.0}

SECOND_STAGE = """
**Second Stage** doubles the picture, sets the first frame again at the new size and freezes the sound: what \
was heard after the first stage is heard in the end, sample for sample.

**Sampling.** Three short steps with the distilled LoRA on the bare model: no ID-LoRA, no reference, no \
guidance. The schedule is Lightricks' own; ComfyUI's templates use 0.85, 0.725, 0.4219, 0.
"""


def add_sampling(
    graph: Graph,
    title: str,
    loaders: Loaders,
    conditions: Conditions,
    settings: str,
    options: dict[str, Any] | None = None,
    **values: Any,
) -> Output:
    """The guided sampler with its note; `values` differ from the node's defaults, which are the paper's.

    `options` are those of a Guidance Options node.
    """
    section = graph.section(title, PURPLE, SAMPLER_WIDTH)
    if options:
        node = section.node("LTXIDLoRA_GuidanceOptions", **options)
        values["guidance"] = node["guidance"]
        section.column(SAMPLER_WIDTH)
    sampled = add_sampler(
        section, loaders.model, conditions, latent=conditions.latent, reference=conditions.reference, **values
    )
    section.space(PREVIEW_HEIGHT)
    section.note("Settings", settings, height=280)
    return sampled


def add_second_stage(
    graph: Graph,
    loaders: Loaders,
    conditions: Conditions,
    latent: Output,
    distilled_strength: float,
    sampler_name: str = "euler",
) -> Output:
    """Twice the size with the distilled LoRA, all guidance off."""
    section = graph.section("4 · Second stage", PURPLE, COLUMNS[0])
    model = add_distilled_lora(section, loaders.base, distilled_strength)
    upscaler = section.node("LatentUpscaleModelLoader", model_name=UPSCALER.name, models=(UPSCALER,))
    sigmas = section.node("ManualSigmas", sigmas=STAGE_2_SIGMAS)
    section.column(COLUMNS[2])
    doubled = section.node(
        "LTXIDLoRA_SecondStage",
        latent=latent,
        upscale_model=upscaler["LATENT_UPSCALE_MODEL"],
        video_vae=loaders.video_vae,
        image=conditions.image,
    )
    section.note("Settings", SECOND_STAGE, height=280)
    section.column(SAMPLER_WIDTH)
    sampled = add_sampler(
        section,
        model,
        conditions,
        latent=doubled["latent"],
        sigmas=sigmas["SIGMAS"],
        sampler_name=sampler_name,
        **OFF,
    )
    section.space(PREVIEW_HEIGHT)
    return sampled


def add_sampler(section: Section, model: Output, conditions: Conditions, **values: Any) -> Output:
    """A sampler of this pack; `values` are its other inputs, where they differ from the paper's."""
    shown = [entry.name for entry in section.graph.schemas[SAMPLER].chosen(values).inputs]
    own = {f"preset.{name}" if f"preset.{name}" in shown else name: value for name, value in values.items()}
    sampler = section.node(
        SAMPLER,
        model=model,
        positive=conditions.positive,
        negative=conditions.negative,
        **{"seed": 42, "sampler_name": "euler", **own},
    )
    section.space(STATUS_HEIGHT)
    return sampler["latent"]


def add_save(graph: Graph, number: int, loaders: Loaders, latent: Output) -> None:
    section = graph.section(f"{number} · Save", ORANGE, DECODER_WIDTH)
    video = add_decoder(section, loaders, latent)["video"]
    section.column(PLAYER_WIDTH)
    add_video_file(section, graph.name, video)


def add_decoder(section: Section, loaders: Loaders, latent: Output) -> Node:
    return section.node(
        "LTXIDLoRA_DecodeAV", latent=latent, video_vae=loaders.video_vae, audio_vae=loaders.audio_vae
    )


def add_video_file(section: Section, name: str, video: Output) -> None:
    section.node(
        "SaveVideo",
        height=PLAYER_HEIGHT,
        video=video,
        filename_prefix=f"video/{name}",
        format="auto",
        codec="auto",
    )
