"""Identity-Guided KSampler and Identity Guider: one guider, run here or by the host's own sampler."""

import torch
from comfy_api.latest import io

from ..idlora_core.guidance import MAX_SCALE, Scales
from ..idlora_core.sigmas import DISTILLED_8_STEPS, checked_sigmas, ltx2_sigmas
from .host import sampling as host_sampling
from .host.guider import GuiderSettings, identity_guider
from .host.latents import FRAME_RATE, with_frame_rate
from .sockets import CATEGORY, IdentityReference, numerics_input

LTX2, DISTILLED = "ltx2", "distilled 8 steps"
AUDIO, BOTH = "audio", "audio and video"


def _scale(name: str, default: float, tooltip: str) -> io.Float.Input:
    return io.Float.Input(name, default=default, min=0.0, max=MAX_SCALE, step=0.1, tooltip=tooltip)


def _fraction(name: str, default: float, tooltip: str) -> io.Float.Input:
    return io.Float.Input(
        name, default=default, min=0.0, max=1.0, step=0.01, tooltip=tooltip, optional=True, advanced=True
    )


def _shared_inputs() -> list[io.Input]:
    """Inputs of both nodes that say how to guide, in the order shown.

    Advanced ones are optional, so that a script's graph goes on working when one is added.
    """
    return [
        _scale("video_cfg", 3.0, "How strictly the picture follows the prompt. Paper: 3. Off at 1."),
        _scale("audio_cfg", 7.0, "How strictly the sound follows the prompt. Paper: 7. Off at 1."),
        _scale(
            "identity_scale",
            4.0,
            "How strongly the voice is pulled towards the reference. Paper: 4; distilled models sound better"
            " with 1.5-2 by users' reports. Off at 1. 4.0 here is 3.0 in LTXV Reference Audio and in the"
            " authors' scripts, which count from 0.",
        ),
        _scale("stg_scale", 1.0, "Spatio-temporal guidance: steadier picture and sound. Paper: 1. Off at 0."),
        _scale("av_bimodal_scale", 3.0, "How tightly lips and sound are coupled. Paper: 3. Off at 1."),
        io.String.Input(
            "stg_block_indices",
            default="29",
            tooltip="Transformer blocks that STG perturbs, such as 29 or 14, 19. Paper: 29 of 48.",
            optional=True,
            advanced=True,
        ),
        _fraction("identity_start_percent", 0.0, "Identity guidance acts from this part of the sampling on."),
        _fraction("identity_end_percent", 1.0, "Identity guidance acts up to this part of the sampling."),
        io.Combo.Input(
            "identity_applies_to",
            options=[AUDIO, BOTH],
            default=AUDIO,
            tooltip="The paper guides the sound only. LTXV Reference Audio guides the picture as well.",
            optional=True,
            advanced=True,
        ),
        _fraction("video_rescale", 0.0, "Pulls the picture's contrast back to the unguided one. Off at 0."),
        _fraction("audio_rescale", 0.0, "Pulls the sound's level back to the unguided one. Off at 0."),
        numerics_input(),
    ]


def _settings(
    video_cfg,
    audio_cfg,
    identity_scale,
    stg_scale,
    av_bimodal_scale,
    stg_block_indices="29",
    identity_start_percent=0.0,
    identity_end_percent=1.0,
    identity_applies_to=AUDIO,
    video_rescale=0.0,
    audio_rescale=0.0,
    numerics="host",
) -> GuiderSettings:
    """The inputs of `_shared_inputs` as the guider takes them."""
    video_identity = identity_scale if identity_applies_to == BOTH else 1.0
    return GuiderSettings(
        video=Scales(video_cfg, video_identity, stg_scale, av_bimodal_scale, video_rescale),
        audio=Scales(audio_cfg, identity_scale, stg_scale, av_bimodal_scale, audio_rescale),
        stg_block_indices=stg_block_indices,
        identity_percents=(identity_start_percent, identity_end_percent),
        numerics=numerics,
    )


def _model_inputs() -> list[io.Input]:
    return [
        io.Model.Input("model", tooltip="LTX-2 with the ID-LoRA loaded."),
        io.Conditioning.Input("positive", tooltip="The encoded prompt."),
        io.Conditioning.Input("negative", tooltip="What the clip should not have. Not used where both CFG scales are 1."),
    ]


def _reference_input() -> io.Input:
    return IdentityReference.Input(
        "reference",
        optional=True,
        tooltip="The voice, from Encode Reference Audio. Without one there is no identity guidance.",
    )


class IdentityGuidedKSampler(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_KSampler",
            display_name="Identity-Guided KSampler",
            category=CATEGORY,
            description=(
                "Denoises picture and sound together with the four guidances of ID-LoRA."
                " A guidance that is off costs no pass."
            ),
            search_aliases=["id-lora", "voice clone", "talking head", "lip sync", "ksampler", "four-way guidance"],
            inputs=[
                *_model_inputs(),
                io.Latent.Input("latent", tooltip="From First-Frame Condition, or any joint audio-video latent."),
                _reference_input(),
                io.Sigmas.Input(
                    "sigmas", optional=True, tooltip="A schedule of your own; takes the place of steps and schedule."
                ),
                io.Int.Input(
                    "seed", default=0, min=0, max=0xFFFFFFFFFFFFFFFF, control_after_generate=True, tooltip="Noise seed."
                ),
                io.Int.Input(
                    "steps", default=30, min=1, max=1000, tooltip="Steps of the ltx2 schedule. Paper: 30; HQ: 15."
                ),
                io.Combo.Input(
                    "sampler_name",
                    options=host_sampling.SAMPLER_NAMES,
                    default="euler",
                    tooltip="Any sampler of ComfyUI. Paper: euler.",
                ),
                io.Combo.Input(
                    "schedule",
                    options=[LTX2, DISTILLED],
                    default=LTX2,
                    tooltip="ltx2: for the dev models. distilled 8 steps: its fixed list, whatever steps says.",
                ),
                *_shared_inputs(),
            ],
            outputs=[io.Latent.Output(display_name="latent")],
        )

    @classmethod
    def execute(
        cls,
        model,
        positive,
        negative,
        latent,
        seed,
        steps,
        sampler_name,
        schedule,
        reference=None,
        sigmas=None,
        **guidance,
    ) -> io.NodeOutput:
        settings = _settings(**guidance)
        sigmas = _schedule(schedule, steps, sigmas)
        if FRAME_RATE in latent:
            positive = with_frame_rate(positive, latent[FRAME_RATE])
            negative = with_frame_rate(negative, latent[FRAME_RATE])
        guider = identity_guider(model, positive, negative, settings, reference)
        return io.NodeOutput(host_sampling.sample(guider, latent, sigmas, sampler_name, seed))


def _schedule(name: str, steps: int, sigmas):
    """The connected schedule, or the named one."""
    if sigmas is not None:
        return checked_sigmas(sigmas)
    return torch.tensor(DISTILLED_8_STEPS) if name == DISTILLED else ltx2_sigmas(steps)


class IdentityGuiderNode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_Guider",
            display_name="Identity Guider",
            category=CATEGORY,
            description="The same guidance as Identity-Guided KSampler, for SamplerCustomAdvanced.",
            search_aliases=["id-lora", "voice clone", "guider", "multimodal guider", "four-way guidance"],
            inputs=[
                *_model_inputs(),
                _reference_input(),
                io.Float.Input(
                    "frame_rate",
                    default=25.0,
                    min=1.0,
                    max=120.0,
                    step=0.01,
                    tooltip="Used only where the conditioning does not carry one from LTXV Conditioning.",
                ),
                *_shared_inputs(),
            ],
            outputs=[io.Guider.Output(display_name="guider")],
        )

    @classmethod
    def execute(cls, model, positive, negative, frame_rate, reference=None, **guidance) -> io.NodeOutput:
        positive, negative = (with_frame_rate(c, frame_rate) for c in (positive, negative))
        return io.NodeOutput(identity_guider(model, positive, negative, _settings(**guidance), reference))


NODES = [IdentityGuidedKSampler, IdentityGuiderNode]
