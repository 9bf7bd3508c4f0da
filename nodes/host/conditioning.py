"""Conditioning of one guider: what each prediction adds to it."""

import uuid
from collections.abc import Mapping
from typing import Any

import comfy.conds
import torch

from ...idlora_core.options import Numerics
from ...idlora_core.reference import Reference
from ...idlora_core.reference_masks import ReferenceMasks
from ...idlora_core.scene import Scene
from .forward.passes import BOUNDS, MASKS, PASS_KEY, REFERENCE_KEY, SCENE_KEY, Pass
from .forward.scene import Direction
from .line_tokens import LINES


def direction_of(
    entry: Mapping[str, Any], reference: Reference | Scene | None, negative_prompt: bool, hides_text: bool
) -> Direction | None:
    """What a scene changes in a prediction from this conditioning entry; None where it is a plain pass."""
    if not isinstance(reference, Scene):
        return None
    direction = Direction(reference, None if negative_prompt else entry.get(LINES), hides_text)
    return direction if direction.acts else None


def with_reference(
    numerics: Numerics,
    reference: Reference | Scene,
    hide_from_video: bool,
    hide_text: bool,
    device: torch.device,
) -> dict[str, Any]:
    """The reference as the host's model takes it, and its time bounds and masks for our passes."""
    given: dict[str, Any] = {
        "tokens": reference.tokens.to(device),
        BOUNDS: reference.bounds(numerics).to(device),
    }
    # Several voices at one time would blur what video takes from them.
    hide_from_video |= isinstance(reference, Scene) and len(reference.voices) > 1
    if hide_from_video or hide_text:
        given[MASKS] = ReferenceMasks(reference.num_tokens, hide_from_video, hide_text)
    return given


def variant(
    entry: dict, change: Pass, reference: Mapping[str, Any] | None, direction: Direction | None
) -> dict:
    """A copy of one processed conditioning entry for one prediction."""
    extra = {PASS_KEY: comfy.conds.CONDConstant(change)}
    if reference is not None:
        extra[REFERENCE_KEY] = comfy.conds.CONDConstant(reference)
    if direction is not None:
        extra[SCENE_KEY] = comfy.conds.CONDConstant(direction)
    # Caching nodes tell predictions apart by uuid: variants of a prompt must not share its.
    identity = entry["uuid"] if change.negative is None else uuid.uuid4()
    return {**entry, "model_conds": {**entry["model_conds"], **extra}, "uuid": identity}
