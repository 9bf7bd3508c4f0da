"""What the user chose, and what it means for the passes of this model."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from comfy.model_patcher import ModelPatcher

from ...idlora_core import guidance
from ...idlora_core.guidance import Guidance
from ...idlora_core.numerics import Numerics
from ...idlora_core.speed import Speed
from ...idlora_core.terms import TERMS, Prediction, Scales, TermName
from ..stg_blocks import parse_stg_block_indices
from .attention import ReferenceMasks
from .heard_video import HeardVideo
from .model_patch import Pass
from .rope_tables import RopeTables
from .shared_prefix import SharedPrefix


@dataclass(frozen=True)
class GuiderSettings:
    """What the user chose.

    Attributes:
        video, audio: guidance scales of each stream.
        stg_block_indices: text such as "29".
        windows: (start, end) of a term as fractions of the host's sampling progress, 0 <= start <= end <= 1;
            a term without one acts throughout.
        numerics: see `idlora_core.numerics`.
        hide_reference_from_video, hide_text_from_reference: training-time masks of the reference tokens.
        speed: see `idlora_core.speed`.
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
            title = next(term.title for term in TERMS if term.scale == name)
            raise ValueError(
                f"{title} runs from {start} to {end}; the start must not be after the end, both between 0.0 and 1.0."
            )
        windows[name] = (sampling.percent_to_sigma(start), sampling.percent_to_sigma(end))
    return Guidance(settings.video, settings.audio, windows)


def passes(model: ModelPatcher, settings: GuiderSettings) -> dict[Prediction, Pass]:
    """What each prediction changes in the forward pass."""
    stg_block_indices = _stg_blocks(model, settings)
    masks = ReferenceMasks(settings.hide_reference_from_video, settings.hide_text_from_reference)
    plain = Pass(numerics=settings.numerics, masks=masks, tables=RopeTables())
    if settings.speed == "fast" and not guidance.is_on("identity", settings.video):
        plain = replace(plain, heard=HeardVideo(len(model.model.diffusion_model.transformer_blocks)))
    if stg_block_indices:
        plain = replace(plain, prefix=SharedPrefix(stg_block_indices[0]))
    return {
        "cond": plain,
        "uncond": plain,
        "no_reference": replace(plain, audio_only=not guidance.is_on("identity", settings.video)),
        "perturbed": replace(plain, stg_block_indices=stg_block_indices),
        "uncoupled": replace(plain, uncoupled=True, prefix=None),
    }


def _stg_blocks(model: ModelPatcher, settings: GuiderSettings) -> tuple[int, ...]:
    """Indices of the blocks to perturb; not read where STG is off."""
    if settings.video["stg"] == 0 and settings.audio["stg"] == 0:
        return ()
    num_blocks = len(model.model.diffusion_model.transformer_blocks)
    return parse_stg_block_indices(settings.stg_block_indices, num_blocks)
