"""Guidance Options: everything about guidance beyond the scales, for those who want to change it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from comfy_api.latest import io

from ..idlora_core.options import NUMERICS, SPEEDS, Numerics, Speed, checked_choice
from ..idlora_core.terms import TERMS, Term, TermName
from .sockets import CATEGORY, Guidance

AUDIO, BOTH = "audio", "audio and video"
WHOLE = (0.0, 1.0)


@dataclass(frozen=True)
class GuidanceOptions:
    """What the node's widgets say; the default is what holds where the node is not connected.

    Attributes:
        stg_block_indices: text such as "29".
        windows: (start, end) of a term as fractions of the sampling; a term without one acts throughout.
        identity_on_video: whether identity guidance acts on the picture as well.
        hide_reference_from_video, hide_text_from_reference: training-time masks of the reference tokens.
        video_rescale, audio_rescale: see `terms.Scales`.
        numerics, speed: see `idlora_core`.
    """

    stg_block_indices: str = "29"
    windows: Mapping[TermName, tuple[float, float]] = field(default_factory=dict)
    identity_on_video: bool = False
    hide_reference_from_video: bool = False
    hide_text_from_reference: bool = False
    video_rescale: float = 0.0
    audio_rescale: float = 0.0
    numerics: Numerics = "host"
    speed: Speed = "exact"


def _fraction(name: str, default: float, tooltip: str) -> io.Float.Input:
    return io.Float.Input(name, default=default, min=0.0, max=1.0, step=0.01, tooltip=tooltip, optional=True)


def _switch(name: str, tooltip: str) -> io.Boolean.Input:
    return io.Boolean.Input(name, default=False, tooltip=tooltip, optional=True)


def _window_names(term: Term) -> tuple[str, str]:
    return f"{term.scale}_start_percent", f"{term.scale}_end_percent"


def _window_inputs(term: Term) -> list[io.Input]:
    """From where to where a term acts; outside it runs no pass.

    Two numbers and not one `io.Range`, which the frontend of ComfyUI 0.20.1 cannot show.
    """
    start, end = _window_names(term)
    return [
        _fraction(start, 0.0, f"{term.title} acts from this part of the sampling on; 0 is the start."),
        _fraction(end, 1.0, f"{term.title} acts up to this part of the sampling; 1 is the end."),
    ]


def _windows(values: Mapping[str, Any]) -> dict[TermName, tuple[float, float]]:
    """Those that leave something out."""
    windows = {}
    for term in TERMS:
        start, end = (values.get(name, whole) for name, whole in zip(_window_names(term), WHOLE, strict=True))
        if (start, end) != WHOLE:
            windows[term.scale] = (start, end)
    return windows


class GuidanceOptionsNode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_GuidanceOptions",
            display_name="Guidance Options",
            category=CATEGORY,
            description=(
                "The finer settings of guidance, for Identity-Guided KSampler, Identity Guider and First-Frame"
                " Condition. Without this node its default values apply."
            ),
            search_aliases=["id-lora", "stg", "rescale", "guidance window", "numerics", "speed", "fast"],
            # Optional all, so that a script's graph goes on working when one is added.
            inputs=[
                io.String.Input(
                    "stg_block_indices",
                    default="29",
                    tooltip="Transformer blocks that STG perturbs, such as 29 or 14, 19. Paper: 29 of 48.",
                    optional=True,
                ),
                *(entry for term in TERMS if term.has_window for entry in _window_inputs(term)),
                io.Combo.Input(
                    "identity_applies_to",
                    options=[AUDIO, BOTH],
                    default=AUDIO,
                    tooltip="The paper guides the sound only. LTXV Reference Audio guides the picture as well.",
                    optional=True,
                ),
                _switch(
                    "hide_reference_from_video",
                    "Video may not attend to the reference, as in training. The authors' inference leaves this out.",
                ),
                _switch(
                    "hide_text_from_reference",
                    "The reference may not attend to the prompt, as in training. The authors' inference leaves this out.",
                ),
                _fraction("video_rescale", 0.0, RESCALE.format(stream="video", hq="0.45")),
                _fraction("audio_rescale", 0.0, RESCALE.format(stream="audio", hq="1")),
                io.Combo.Input(
                    "numerics",
                    options=list(NUMERICS),
                    default="host",
                    tooltip=(
                        "host: computes like every other LTX-2 graph. official: like the authors' inference script,"
                        " to reproduce published results; connect First-Frame Condition as well. The differences are"
                        " in docs/parity.md."
                    ),
                    optional=True,
                ),
                io.Combo.Input(
                    "speed",
                    options=list(SPEEDS),
                    default="exact",
                    tooltip=(
                        "exact: every prediction, nothing computed twice. fast: computes each guidance in about a third"
                        " of the steps (CFG in about half) and extrapolates it in the others; the clip changes a"
                        " little. With a sampler that adds noise, or calls the model several times a step, fast runs"
                        " as exact."
                    ),
                    optional=True,
                ),
            ],
            outputs=[
                Guidance.Output(
                    display_name="guidance", tooltip="For the sampler or guider, and First-Frame Condition."
                )
            ],
        )

    @classmethod
    def execute(
        cls,
        stg_block_indices="29",
        identity_applies_to=AUDIO,
        numerics="host",
        speed="exact",
        **values,
    ) -> io.NodeOutput:
        names = ("hide_reference_from_video", "hide_text_from_reference", "video_rescale", "audio_rescale")
        options = GuidanceOptions(
            stg_block_indices=stg_block_indices,
            windows=_windows(values),
            identity_on_video=identity_applies_to == BOTH,
            numerics=checked_choice("numerics", numerics, NUMERICS),
            speed=checked_choice("speed", speed, SPEEDS),
            **{name: values[name] for name in names if name in values},
        )
        return io.NodeOutput(options)


RESCALE = (
    "Rescales the guided {stream} latent's standard deviation towards the unguided one's (CFG rescale)."
    " HQ recipe: {hq}. Off at 0."
)

NODES = [GuidanceOptionsNode]
