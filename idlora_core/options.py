"""Options with a choice of two, and what comes from outside, checked and made fit to be shown.

A link can bring what a widget's list, minimum and maximum would not let through, so they are checked again.
"""

from typing import Literal, TypeVar, get_args

Numerics = Literal["host", "official"]
"""`host`: as ComfyUI runs every other LTX-2 graph (float32 positions, per-token audio-video timesteps).
`official`: as the authors' inference script does, so that published results can be reproduced.
docs/parity.md lists every difference with the test that proves it."""
NUMERICS: tuple[Numerics, ...] = get_args(Numerics)

Speed = Literal["exact", "fast"]
"""`exact` runs every prediction; `fast` extrapolates guidance differences: see `extrapolation`."""
SPEEDS: tuple[Speed, ...] = get_args(Speed)

Choice = TypeVar("Choice", bound=str)


def checked_choice(what: str, name: str, choices: tuple[Choice, ...]) -> Choice:
    """The choice of that name.

    Raises:
        ValueError: there is none; the message names `what` and all that there are.
    """
    for choice in choices:
        if choice == name:
            return choice
    raise ValueError(f"{what} is '{shown(name)}'; choose one of {', '.join(choices)}.")


def checked_number(what: str, value: float, lowest: float, highest: float, hint: str = "") -> float:
    """The number, once it is from `lowest` to `highest`; not NaN either.

    Raises:
        ValueError: otherwise; the message names `what` and the range.
    """
    if lowest <= value <= highest:
        return value
    given = str(value) if len(str(value)) < 25 else f"{value:.3g}"
    raise ValueError(f"{what} is {given}; use {lowest:g} to {highest:g}{hint}.")


def shown(text: object, limit: int = 80) -> str:
    """Text from a file or a widget, made fit to be shown: one line, printable, not too long."""
    line = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text)[: limit + 1]
    )
    return line if len(line) <= limit else f"{line[: limit - 3]}..."
