"""What a guider refuses: before sampling, and after its first guided call."""

import comfy.model_base
import torch
from comfy.model_patcher import ModelPatcher

from ...idlora_core.reference import Reference
from ...idlora_core.scene import Scene
from .forward.passes import REFERENCE_KEY
from .line_tokens import LINES, TURNS


def check_model(model: ModelPatcher) -> None:
    """Refuse a model that has no audio stream."""
    if not isinstance(model.model, comfy.model_base.LTXAV):
        raise ValueError(
            f"ID-LoRA needs an LTX-2 audio-video model; the connected model is {type(model.model).__name__}."
            " Load an LTX-2 or LTX-2.3 checkpoint."
        )


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


def check_prediction(denoised: torch.Tensor) -> None:
    """Stop a run that can only end in noise or black.

    Raises:
        RuntimeError: the guided prediction is not finite.
    """
    if not torch.isfinite(denoised).all():
        raise RuntimeError(
            "The first guided prediction is not finite (NaN or infinity), so the clip would be black or silent: check"
            " the strength and file of each LoRA, the guidance scales, and the precision in which the model is loaded."
        )
