"""One clip has one frame rate: whose holds where latent and conditioning disagree."""

from typing import Any, NamedTuple

FRAME_RATE = "frame_rate"
"""Key of a conditioning entry, as LTXV Conditioning sets it."""

Conditioning = list[list[Any]]


class Agreed(NamedTuple):
    """Conditioning that says one frame rate.

    Attributes:
        frame_rate: None where nothing says one; the model then takes 25.
        remarks: a sentence where another one was said.
    """

    frame_rate: float | None
    positive: Conditioning
    negative: Conditioning
    remarks: tuple[str, ...]


def agreed(positive: Conditioning, negative: Conditioning, known: float | None, source: str) -> Agreed:
    """The frame rate that is known from the latent goes before that of the conditioning: lips follow its clock.

    Args:
        positive, negative: conditioning of the host.
        known: the latent's; None or 0 takes the positive conditioning's.
        source: where `known` is from, in a word or two.
    """
    rate, source = (known, source) if known else (_frame_rate_of(positive), "positive")
    if rate is None:
        return Agreed(None, positive, negative, ())
    remarks = _disagreement(rate, source, positive=positive, negative=negative)
    return Agreed(rate, _with(positive, rate), _with(negative, rate), remarks)


def _frame_rate_of(conditioning: Conditioning) -> float | None:
    """The first one that an entry carries."""
    return next((entry[1][FRAME_RATE] for entry in conditioning if FRAME_RATE in entry[1]), None)


def _with(conditioning: Conditioning, frame_rate: float) -> Conditioning:
    return [[entry[0], {**entry[1], FRAME_RATE: frame_rate}] for entry in conditioning]


def _disagreement(frame_rate: float, source: str, **conditionings: Conditioning) -> tuple[str, ...]:
    others: dict[float, list[str]] = {}
    for name, conditioning in conditionings.items():
        rate = _frame_rate_of(conditioning)
        if rate is not None and rate != frame_rate:
            others.setdefault(rate, []).append(name)
    if not others:
        return ()
    unused = " and ".join(f"{rate:g} ({', '.join(names)})" for rate, names in others.items())
    return (f"Frame rate {frame_rate:g} ({source}) is used, not {unused}.",)
