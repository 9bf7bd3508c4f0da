"""What `speed` means: `exact` computes every prediction, `fast` extrapolates differences: see `extrapolation`."""

from typing import Literal, get_args

from .options import checked_choice

Speed = Literal["exact", "fast"]
SPEEDS: tuple[Speed, ...] = get_args(Speed)


def checked_speed(name: str) -> Speed:
    """The speed of that name.

    Raises:
        ValueError: there is none.
    """
    return checked_choice("speed", name, SPEEDS)
