"""Names that several nodes share."""

from comfy_api.latest import io

CATEGORY = "ID-LoRA"
CREDENTIALS_CATEGORY = "ID-LoRA/credentials"
NUMERICS_TOOLTIP = (
    "host: computes like every other LTX-2 graph. official: like the authors' inference script,"
    " to reproduce published results. The differences are in docs/parity.md."
)

IdentityReference = io.Custom("IDLORA_REFERENCE")
"""Socket of `idlora_core.reference.Reference`."""


def numerics_input() -> io.Combo.Input:
    """The advanced switch between the host's numerics and the authors'."""
    from ..idlora_core.numerics import NUMERICS

    return io.Combo.Input(
        "numerics",
        options=list(NUMERICS),
        default="host",
        tooltip=NUMERICS_TOOLTIP,
        optional=True,
        advanced=True,
    )


def video_vae_input() -> io.Vae.Input:
    return io.Vae.Input("video_vae", tooltip="The VAE output of the loader that loads LTX-2.")


def audio_vae_input() -> io.Vae.Input:
    return io.Vae.Input("audio_vae", tooltip="From LTXV Audio VAE Loader, with the same checkpoint.")


def frame_rate_input(tooltip: str, optional: bool = False) -> io.Float.Input:
    return io.Float.Input(
        "frame_rate", default=25.0, min=1.0, max=120.0, step=0.01, tooltip=tooltip, optional=optional
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
