"""What the user chose, and what it means for the passes of this model."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from comfy.model_patcher import ModelPatcher

from ...idlora_core import terms
from ...idlora_core.guidance import Guidance
from ...idlora_core.options import Numerics, Speed
from ...idlora_core.terms import Change, Prediction, Scales, TermName
from ..stg_blocks import parse_stg_block_indices
from .forward.passes import Pass


@dataclass(frozen=True)
class GuiderSettings:
    """What the user chose.

    Attributes:
        video, audio: guidance scales of each stream.
        stg_block_indices: text such as "29".
        windows: (start, end) of a term as fractions of the host's sampling progress, 0 <= start <= end <= 1;
            a term without one acts throughout.
        numerics: see `idlora_core.options`.
        hide_reference_from_video, hide_text_from_reference: training-time masks of the reference tokens.
        speed: see `idlora_core.options`.
    """

    video: Scales
    audio: Scales
    stg_block_indices: str = "29"
    windows: Mapping[TermName, tuple[float, float]] = field(default_factory=dict)
    numerics: Numerics = "host"
    hide_reference_from_video: bool = False
    hide_text_from_reference: bool = False
    speed: Speed = "exact"


def sigma_guidance(model: ModelPatcher, settings: GuiderSettings) -> Guidance:
    """Scales, with the windows in sigmas of this model's schedule.

    Raises:
        ValueError: a window the wrong way round.
    """
    sampling: Any = model.get_model_object("model_sampling")
    windows = {}
    for name, (start, end) in settings.windows.items():
        if not 0.0 <= start <= end <= 1.0:
            title = next(term.title for term in terms.TERMS if term.scale == name)
            raise ValueError(
                f"{title} runs from {start} to {end}; the start must not be after the end, both between 0.0 and 1.0."
            )
        windows[name] = (sampling.percent_to_sigma(start), sampling.percent_to_sigma(end))
    return Guidance(settings.video, settings.audio, windows)


def pass_of(prediction: Prediction, settings: GuiderSettings) -> Pass:
    """What a prediction changes in the network; a voice that is left out is not the network's business."""
    change = terms.change_of(prediction)
    in_network = replace(change, negative_prompt=False)
    if in_network == Change():  # `cond` and `uncond`, which share a batch and which other nodes look at
        return Pass()
    on_video = any(settings.video.weight(term) for term in terms.TERMS if term.prediction == prediction)
    audio_only = change.without_reference and not on_video  # the other terms have one scale for both streams
    return Pass(
        perturbed=change.perturbed,
        uncoupled=change.uncoupled,
        audio_only=audio_only,
        shares_prefix=change == Change(perturbed=True),
        negative=change.negative_prompt,
    )


def stg_blocks(model: ModelPatcher, settings: GuiderSettings) -> tuple[int, ...]:
    """Indices of the blocks to perturb; not read where nothing is perturbed.

    Raises:
        ValueError: not indices of this model's blocks.
    """
    weighed = (
        term for term in terms.TERMS if settings.video.weight(term) != 0 or settings.audio.weight(term) != 0
    )
    if not any(term.change.perturbed for term in weighed):
        return ()
    num_blocks = len(model.model.diffusion_model.transformer_blocks)
    return parse_stg_block_indices(settings.stg_block_indices, num_blocks)
