"""What `speed` means: `exact` computes every prediction, `fast` leaves out what changes the result little.

fast, beside `exact`'s savings:
    identity               the pass without reference runs the audio stream only, listening to the video of `cond`
    STG, audio-video       every second step takes the difference that the step before has computed

docs/performance.md has what each gives, how far the result moves, and what was tried instead.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from torch import Tensor

from .choices import checked_choice
from .terms import TERMS, Prediction

Speed = Literal["exact", "fast"]
SPEEDS: tuple[Speed, ...] = get_args(Speed)
MOST_SIGMA_CHANGE = 0.05


def checked_speed(name: str) -> Speed:
    """The speed of that name.

    Raises:
        ValueError: there is none.
    """
    return checked_choice("speed", name, SPEEDS)


class LastDifferences:
    """Differences `cond - other` of one step, used again once, for a step close by.

    Two steps of the paper's schedule lie closer than `MOST_SIGMA_CHANGE` down to sigma 0.7; behind that,
    and in shorter schedules, where sigma falls faster, every difference is computed.
    """

    def __init__(self) -> None:
        self._sigma = 0.0
        self._differences: dict[Prediction, Tensor] = {}

    def clear(self) -> None:
        """Forget the run."""
        self._differences = {}

    def to_run(self, wanted: tuple[Prediction, ...], sigma: float) -> tuple[Prediction, ...]:
        """The predictions of a step that have to be run."""
        if abs(sigma - self._sigma) > MOST_SIGMA_CHANGE:
            self.clear()
        return tuple(name for name in wanted if name not in self._differences)

    def completed(
        self, wanted: tuple[Prediction, ...], run: Mapping[Prediction, Tensor], sigma: float
    ) -> dict[Prediction, Tensor]:
        """All wanted predictions: those that were run, and the others from the differences kept."""
        cond = run["cond"]
        predictions: dict[Prediction, Tensor] = {
            name: run[name] if name in run else cond - self._differences[name] for name in wanted
        }
        self._sigma = sigma
        self._differences = {
            term.prediction: cond - run[term.prediction]
            for term in TERMS
            if term.reused_by_fast and term.prediction in run
        }
        return predictions
