"""Choices that arrive as text."""

from typing import TypeVar

Choice = TypeVar("Choice", bound=str)


def checked_choice(what: str, name: str, choices: tuple[Choice, ...]) -> Choice:
    """The choice of that name.

    Raises:
        ValueError: there is none; the message names `what` and all that there are.
    """
    for choice in choices:
        if choice == name:
            return choice
    raise ValueError(f"{what} is '{name}'; choose one of {', '.join(choices)}.")
