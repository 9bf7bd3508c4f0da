"""Identity-Guided KSampler and Identity Guider: one guider, run here or by the host's own sampler."""

import time
from collections.abc import Mapping
from typing import Any

import torch
from comfy_api.latest import io

from ..idlora_core.families import UNKNOWN
from ..idlora_core.guidance import Guidance
from ..idlora_core.presets import DISTILLED, LTX2_SCHEDULE, PRESETS
from ..idlora_core.run_report import RunReport, voice_remarks
from ..idlora_core.sigmas import DISTILLED_8_STEPS, checked_sigmas, ltx2_sigmas
from ..idlora_core.term_sizes import CallSizes, TermRecord
from .frame_rate import agreed
from .guidance_inputs import guidance_input, guider_settings, preset_input
from .host import sampling as host_sampling
from .host.guider import IdentityGuider, identity_guider
from .host.latents import FRAME_RATE
from .host.res2s import sampler_names
from .host.scene_for_latent import scene_for
from .host.status import WARNING, ExecutionBlocker, log, missing_output, send_advised_status, send_status
from .host.variant import variant_of
from .host.voice_on_model import has_id_lora, keeps_sound
from .pictures.drawing import CannotDraw
from .pictures.guidance_plot import guidance_plot
from .sockets import CATEGORY, IdentityReference, known_frame_rate_input

SAMPLER, GUIDER = "Identity-Guided KSampler", "Identity Guider"
PAPER_STEPS = PRESETS["paper"].steps
ALL_SIGMAS = tuple(i / 100 for i in range(101))


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
        tooltip="The voice, from Encode Reference Audio. Without one the model invents a voice.",
    )


class IdentityGuidedKSampler(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_KSampler",
            display_name=SAMPLER,
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
                    tooltip="A schedule of your own; steps and schedule are then not read, nor those of a preset.",
                ),
                guidance_input(),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="Noise seed.",
                ),
                io.Combo.Input(
                    "sampler_name",
                    options=sampler_names(),
                    default="euler",
                    tooltip="Any sampler of ComfyUI, and res_2s. Paper: euler; HQ: res_2s, with two predictions a step.",
                ),
                preset_input(
                    io.Int.Input(
                        "steps",
                        default=PAPER_STEPS,
                        min=1,
                        max=1000,
                        optional=True,
                        tooltip="Steps of the ltx2 schedule; the distilled one always has 8. Paper: 30; HQ: 15.",
                    ),
                    io.Combo.Input(
                        "schedule",
                        options=[LTX2_SCHEDULE, DISTILLED],
                        default=LTX2_SCHEDULE,
                        optional=True,
                        tooltip="ltx2: for the dev models. distilled 8 steps: a fixed list, whatever steps says.",
                    ),
                ),
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
        seed,
        sampler_name,
        preset,
        reference=None,
        sigmas=None,
        guidance=None,
    ) -> io.NodeOutput:
        schedule = _sigmas(preset, sigmas)
        reference = scene_for(reference, latent)
        remarks = voice_remarks(reference is not None, has_id_lora(model), keeps_sound(latent))
        frame_rate, positive, negative, disagreement = agreed(
            positive, negative, latent.get(FRAME_RATE), "latent"
        )
        if frame_rate is not None:
            latent = {**latent, FRAME_RATE: frame_rate}
        guider = identity_guider(model, positive, negative, guider_settings(preset, guidance), reference)
        guider.record = TermRecord()
        levels = schedule[:-1].tolist()
        report = _report(guider, preset["preset"], levels, remarks + disagreement, len(levels))
        send_advised_status(cls.hidden.unique_id, SAMPLER, report.advice, report.before())
        denoised = host_sampling.sample(guider, latent, schedule, sampler_name, seed)
        calls = guider.record.read()
        seconds = time.perf_counter() - guider.started
        num_run = sum(call.predictions for call in calls)
        ran = report.after([call.sigma for call in calls], seconds, num_run)
        send_status(cls.hidden.unique_id, WARNING + ran if report.advice else ran)
        # Always drawn, whoever asks: the host keeps a node's outputs and does not run it again when one is
        # connected later. It takes a few hundredths of a second.
        return io.NodeOutput(denoised, plot_or_reason(calls, guider.guidance))


def _sigmas(preset: Mapping[str, Any], connected: torch.Tensor | None) -> torch.Tensor:
    """The connected schedule, or the preset's, or the chosen one."""
    if connected is not None:
        return checked_sigmas(connected)
    chosen = PRESETS.get(preset["preset"])
    if chosen:
        schedule, steps = chosen.schedule, chosen.steps
    else:
        schedule, steps = preset.get("schedule") or LTX2_SCHEDULE, preset.get("steps") or PAPER_STEPS
    return torch.tensor(DISTILLED_8_STEPS) if schedule == DISTILLED else ltx2_sigmas(steps)


def _report(
    guider: IdentityGuider, preset: str, sigmas, remarks: tuple[str, ...], num_steps: int | None = None
) -> RunReport:
    return RunReport(
        variant=variant_of(guider.model_patcher),
        preset=preset,
        guidance=guider.guidance,
        has_reference=guider.has_voice,
        sigmas=sigmas,
        num_steps=num_steps,
        remarks=remarks,
        is_fast=guider.extrapolation is not None,
        audio_vae=guider.reference.audio_vae if guider.reference else UNKNOWN,
    )


def plot_or_reason(calls: list[CallSizes], guidance: Guidance) -> torch.Tensor | ExecutionBlocker:
    """The plot; a picture that cannot be drawn must not cost a finished render."""
    try:
        return guidance_plot(calls, guidance.video, guidance.audio)
    except CannotDraw as reason:
        return missing_output(str(reason))
    except Exception as error:
        log.exception("The guidance plot could not be drawn.")
        return missing_output(
            f"The guidance plot could not be drawn ({type(error).__name__}: {error}); the clip is not affected."
        )


class IdentityGuiderNode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_Guider",
            display_name=GUIDER,
            category=CATEGORY,
            description="The same guidance as Identity-Guided KSampler, for SamplerCustomAdvanced.",
            search_aliases=["id-lora", "voice clone", "guider", "multimodal guider", "four-way guidance"],
            inputs=[
                *_model_inputs(),
                _reference_input(),
                guidance_input(),
                known_frame_rate_input(
                    "Frame rate of the latent, which a guider cannot see. 0: that of LTXV Conditioning, else 25."
                ),
                preset_input(),
            ],
            outputs=[io.Guider.Output(display_name="guider")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, model, positive, negative, preset, frame_rate=0.0, reference=None, guidance=None
    ) -> io.NodeOutput:
        remarks = voice_remarks(reference is not None, has_id_lora(model), keeps_sound=False)
        _, positive, negative, disagreement = agreed(positive, negative, frame_rate, "set here")
        remarks += disagreement
        guider = identity_guider(model, positive, negative, guider_settings(preset, guidance), reference)
        report = _report(guider, preset["preset"], ALL_SIGMAS, remarks)
        send_advised_status(cls.hidden.unique_id, GUIDER, report.advice, report.before())
        return io.NodeOutput(guider)


NODES = [IdentityGuidedKSampler, IdentityGuiderNode]
