"""Identity-Guided KSampler and Identity Guider: one guider, run here or by the host's own sampler."""

import time
from collections.abc import Sequence

import torch
from comfy_api.latest import io

from ..idlora_core.presets import DISTILLED, LTX2, PRESETS
from ..idlora_core.sigmas import DISTILLED_8_STEPS, checked_sigmas, ltx2_sigmas
from ..idlora_core.term_sizes import CallSizes, TermRecord
from ..idlora_core.variant import mismatches
from .guidance_inputs import guidance_inputs, guider_settings, preset_input
from .host import sampling as host_sampling
from .host.guider import IdentityGuider, identity_guider
from .host.latents import FRAME_RATE, with_frame_rate
from .host.res2s import sampler_names
from .host.status import ExecutionBlocker, missing_output, send_status
from .host.variant import variant_of
from .pictures.drawing import CannotDraw
from .pictures.guidance_plot import guidance_plot
from .sockets import CATEGORY, IdentityReference, frame_rate_input

ALL_SIGMAS = [i / 100 for i in range(101)]


def _model_inputs() -> list[io.Input]:
    return [
        io.Model.Input("model", tooltip="LTX-2 with the ID-LoRA loaded."),
        io.Conditioning.Input("positive", tooltip="The encoded prompt."),
        io.Conditioning.Input(
            "negative", tooltip="What the clip should not have. Not used where both CFG scales are 1."
        ),
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
            search_aliases=[
                "id-lora",
                "voice clone",
                "talking head",
                "lip sync",
                "ksampler",
                "four-way guidance",
            ],
            inputs=[
                *_model_inputs(),
                io.Latent.Input(
                    "latent", tooltip="From First-Frame Condition, or any joint audio-video latent."
                ),
                _reference_input(),
                io.Sigmas.Input(
                    "sigmas",
                    optional=True,
                    tooltip="A schedule of your own; takes the place of steps and schedule.",
                ),
                preset_input(),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="Noise seed.",
                ),
                io.Int.Input(
                    "steps",
                    default=30,
                    min=1,
                    max=1000,
                    tooltip="Steps of the ltx2 schedule. Paper: 30; HQ: 15.",
                ),
                io.Combo.Input(
                    "sampler_name",
                    options=sampler_names(),
                    default="euler",
                    tooltip="Any sampler of ComfyUI, and res_2s. Paper: euler; HQ: res_2s, with two predictions a step.",
                ),
                io.Combo.Input(
                    "schedule",
                    options=[LTX2, DISTILLED],
                    default=LTX2,
                    tooltip="ltx2: for the dev models. distilled 8 steps: its fixed list, whatever steps says.",
                ),
                *guidance_inputs(),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="Picture and sound, for AV Decode."),
                io.Image.Output(
                    display_name="guidance_plot",
                    tooltip=(
                        "How much each guidance changed picture and sound, step by step: connect Preview Image to see"
                        " which scale does what. May be connected after the run; nothing is sampled again."
                    ),
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        model,
        positive,
        negative,
        latent,
        preset,
        seed,
        steps,
        sampler_name,
        schedule,
        reference=None,
        sigmas=None,
        **guidance,
    ) -> io.NodeOutput:
        sigmas = _sigmas(preset, schedule, steps, sigmas)
        if FRAME_RATE in latent:
            positive, negative = (with_frame_rate(c, latent[FRAME_RATE]) for c in (positive, negative))
        settings = guider_settings(preset, **guidance)
        guider = identity_guider(model, positive, negative, settings, reference)
        guider.record = TermRecord()
        num_steps = len(sigmas) - 1
        levels = sigmas[:-1].tolist()
        send_status(cls.hidden.unique_id, _status(guider, preset, levels, f" a step, {num_steps} steps"))
        denoised = host_sampling.sample(guider, latent, sigmas, sampler_name, seed)
        calls = guider.record.read()
        took = _taken(num_steps, len(calls), time.perf_counter() - guider.started)
        levels = [call.sigma for call in calls] or levels
        send_status(cls.hidden.unique_id, _status(guider, preset, levels, took))
        # Always drawn, whoever asks: the host keeps a node's outputs and does not run it again when one is
        # connected later. It takes a few hundredths of a second.
        return io.NodeOutput(denoised, _plot(calls, guider))


def _plot(calls: list[CallSizes], guider: IdentityGuider) -> torch.Tensor | ExecutionBlocker:
    """The plot; a picture that cannot be drawn must not cost a finished render."""
    try:
        return guidance_plot(calls, guider.guidance.video, guider.guidance.audio)
    except CannotDraw as reason:
        return missing_output(str(reason))


def _sigmas(preset: str, schedule: str, steps: int, connected: torch.Tensor | None) -> torch.Tensor:
    """The connected schedule, or the preset's, or the chosen one."""
    if connected is not None:
        return checked_sigmas(connected)
    if preset in PRESETS:
        schedule, steps = PRESETS[preset].schedule, PRESETS[preset].steps
    return torch.tensor(DISTILLED_8_STEPS) if schedule == DISTILLED else ltx2_sigmas(steps)


def _status(guider: IdentityGuider, preset: str, sigmas: Sequence[float], steps: str) -> str:
    """What is connected, what it costs, and what does not go together."""
    variant = variant_of(guider.model_patcher)
    reuse = ", some of them reused" if guider.last is not None else ""
    cost = f"{variant}, {preset}: {_predictions(guider, sigmas)} predictions{steps}{reuse}."
    return " ".join([cost, *mismatches(variant, preset, guider.reference)])


def _predictions(guider: IdentityGuider, sigmas: Sequence[float]) -> str:
    """How many at each of these noise levels; a window makes them differ."""
    counts = [guider.passes_at(sigma) for sigma in sigmas]
    fewest, most = min(counts), max(counts)
    return str(most) if fewest == most else f"{fewest} to {most}"


def _taken(num_steps: int, num_calls: int, seconds: float) -> str:
    """Steps and time after a run. Some samplers call the guided model more often than once a step."""
    each = seconds / num_steps
    time_each = f"{each:.0f}" if each >= 100 else f"{each:.3g}"
    if num_calls == num_steps:
        return f" a step, {num_steps} steps, {time_each} s a step"
    return f" a call, {num_calls} calls in {num_steps} steps, {time_each} s a step"


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
                preset_input(),
                frame_rate_input(
                    "Used only where the conditioning does not carry one from LTXV Conditioning."
                ),
                *guidance_inputs(),
            ],
            outputs=[io.Guider.Output(display_name="guider")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, model, positive, negative, preset, frame_rate, reference=None, **guidance
    ) -> io.NodeOutput:
        positive, negative = (with_frame_rate(c, frame_rate) for c in (positive, negative))
        guider = identity_guider(model, positive, negative, guider_settings(preset, **guidance), reference)
        send_status(cls.hidden.unique_id, _status(guider, preset, ALL_SIGMAS, " a step"))
        return io.NodeOutput(guider)


NODES = [IdentityGuidedKSampler, IdentityGuiderNode]
