"""Conditioning of one guider: what is refused before the render, and what each prediction adds to it."""

import uuid
from collections.abc import Mapping
from typing import Any

import comfy.conds
import torch

from ...idlora_core.numerics import Numerics
from ...idlora_core.reference import Reference
from ...idlora_core.reference_masks import ReferenceMasks
from ...idlora_core.scene import Scene
from .forward.passes import BOUNDS, MASKS, PASS_KEY, REFERENCE_KEY, SCENE_KEY, Pass
from .forward.scene import Direction
from .line_tokens import LINES, TURNS


def check_single_reference(positive: list, negative: list, reference: Reference | Scene | None) -> None:
    """Refuse a second reference from another node, which would be overridden silently.

    Raises:
        ValueError: the conditioning carries one.
    """
    given = any(REFERENCE_KEY in entry[1] for entry in (*positive, *negative))
    if given and reference is not None:
        raise ValueError(
            "The conditioning already carries a reference voice, from LTXV Reference Audio or LTXV Set Audio Ref Tokens."
            " Remove that node, or leave the reference input here unconnected."
        )


def check_finite(positive: list, negative: list) -> None:
    """Refuse conditioning that would turn the whole clip into noise or black.

    Raises:
        ValueError: a text embedding holds NaN or infinity.
    """
    for name, entries in (("positive", positive), ("negative", negative)):
        if not all(torch.isfinite(entry[0]).all() for entry in entries):
            raise ValueError(
                f"The {name} conditioning holds values that are not finite (NaN or infinity): its text encoder or a"
                " node behind it has failed. Load the text encoder again, in another precision if need be."
            )


def check_lines(positive: list, reference: Reference | Scene | None) -> None:
    """Refuse the words of one script with the turns of another.

    Raises:
        ValueError: the turns are not those of the lines.
    """
    for _, values in positive:
        lines = values.get(LINES)
        if lines is None:
            continue
        if not isinstance(reference, Scene):
            raise ValueError(
                "The positive conditioning comes from Scene Script, and its reference is not connected. Connect both"
                " outputs of the same Scene Script."
            )
        if len(lines) != len(reference.turns) or values.get(TURNS, reference.turns) != reference.turns:
            raise ValueError(
                f"The positive conditioning ({len(lines)} lines) and the reference ({len(reference.turns)} turns) come"
                " from two scripts. Connect both outputs of the same Scene Script."
            )


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
