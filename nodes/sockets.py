"""Names that several nodes share."""

from collections.abc import Callable
from typing import Any

from comfy_api.latest import io

CATEGORY = "ID-LoRA"
CREDENTIALS_CATEGORY = "ID-LoRA/credentials"
TRAINING_CATEGORY = "ID-LoRA/training"

IdentityReference = io.Custom("IDLORA_REFERENCE")
"""Socket of `idlora_core.reference.Reference`."""

Guidance = io.Custom("IDLORA_GUIDANCE")
"""Socket of `guidance_options.GuidanceOptions`."""

TrainingData = io.Custom("IDLORA_DATASET")
"""Socket of `idlora_core.dataset.manifest.Dataset`."""


def video_vae_input() -> io.Vae.Input:
    return io.Vae.Input("video_vae", tooltip="The VAE output of the loader that loads LTX-2.")


def audio_vae_input() -> io.Vae.Input:
    return io.Vae.Input("audio_vae", tooltip="From LTXV Audio VAE Loader, with the same checkpoint.")


def frame_rate_input(tooltip: str, optional: bool = False) -> io.Float.Input:
    return io.Float.Input(
        "frame_rate", default=25.0, min=1.0, max=120.0, step=0.01, tooltip=tooltip, optional=optional
    )


def known_frame_rate_input(tooltip: str, advanced: bool = False) -> io.Float.Input:
    """A frame rate that is mostly known from elsewhere: 0 takes that one."""
    return io.Float.Input(
        "frame_rate",
        default=0.0,
        min=0.0,
        max=120.0,
        step=0.01,
        tooltip=tooltip,
        optional=True,
        advanced=advanced,
    )


def strength_input() -> io.Float.Input:
    """How firmly the first frame is held."""
    return io.Float.Input(
        "strength",
        default=1.0,
        min=0.0,
        max=1.0,
        step=0.01,
        tooltip="1 keeps the picture as the first frame; less lets it change; 0 ignores it.",
    )


def refusal(check: Callable[..., Any], *values: Any) -> bool | str:
    """What a node's `validate_inputs` gives back: True, or the sentence with which the check refuses the values."""
    try:
        check(*values)
    except ValueError as error:
        return str(error)
    return True
