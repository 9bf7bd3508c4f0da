"""The two ways of computing that a graph can ask for."""

from typing import Literal, get_args

from .options import checked_choice

Numerics = Literal["host", "official"]
"""`host`: as ComfyUI runs every other LTX-2 graph (float32 positions, per-token audio-video timesteps).
`official`: as the authors' inference script does, so that published results can be reproduced.
docs/parity.md lists every difference with the test that proves it."""

NUMERICS: tuple[Numerics, ...] = get_args(Numerics)


def checked_numerics(name: str) -> Numerics:
    """The way of computing of that name.

    Raises:
        ValueError: there is none.
    """
    return checked_choice("numerics", name, NUMERICS)
