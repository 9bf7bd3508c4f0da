"""Names that several nodes share."""

from comfy_api.latest import io

CATEGORY = "ID-LoRA"
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
