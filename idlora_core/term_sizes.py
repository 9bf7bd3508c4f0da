"""How large each guidance term is beside the unguided prediction, call by call: which scale does what."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from .guidance import contributions
from .terms import TERMS, Prediction, Scales, TermName

Sizes = dict[TermName, float]


def term_sizes(
    predictions: Mapping[Prediction, Tensor],
    scales: Scales,
    guided: Tensor | None = None,
    weights: Mapping[TermName, Tensor] | None = None,
) -> Tensor:
    """Relative size of each term of one stream.

        r_k = ||(scale_k - off_k) (cond - other_k)|| / ||cond||

    Norms over the whole stream, the batch and what a mask keeps included.

    Args:
        predictions: x0 predictions of one stream, any shape, `cond` among them.
        scales: scales of that stream.
        guided: result of another pack's CFG function; r_cfg is then ||guided - cond|| / ||cond||.
        weights: as in `guidance.combine`.

    Returns:
        (number of TERMS,) float32 on cond's device, in the order of TERMS; 0 for a term that adds nothing. The
        inputs are not changed, and the device is not waited for.
    """
    cond = predictions["cond"].float()
    terms = contributions(predictions, scales, weights)
    norms = {term.scale: contribution.norm() for term, contribution in terms}
    if guided is not None:
        norms["cfg"] = (guided.float() - cond).norm()
    nothing = cond.new_zeros(())
    smallest = torch.finfo(torch.float32).tiny  # a prediction of zeros everywhere
    return torch.stack([norms.get(term.scale, nothing) for term in TERMS]) / cond.norm().clamp_min(smallest)


@dataclass(frozen=True)
class CallSizes:
    """Sizes of the terms in one call of the guided model.

    Attributes:
        sigma: noise level of the call.
        video, audio: relative size per term.
        reused: terms whose difference was extrapolated.
        predictions: how many were run.
    """

    sigma: float
    video: Sizes
    audio: Sizes
    reused: frozenset[TermName]
    predictions: int = 1


class TermRecord:
    """Sizes over a run: eight numbers a call, left on the device until they are read, all in one transfer."""

    def __init__(self) -> None:
        self._calls: list[tuple[float, frozenset[TermName], int]] = []
        self._sizes: list[Tensor] = []

    def begin(self, sigma: float, num_run: int, reused: Collection[Prediction]) -> None:
        """A call of the guided model, how many predictions it ran, and those that it did not run."""
        terms = frozenset(term.scale for term in TERMS if term.prediction in reused)
        self._calls.append((sigma, terms, num_run))

    def add(self, sizes: Tensor) -> None:
        """Sizes of one stream of that call: video first, then audio."""
        self._sizes.append(sizes)

    def read(self) -> list[CallSizes]:
        """All calls so far; waits for the device, once."""
        values = torch.stack(self._sizes).tolist() if self._sizes else []
        return [
            CallSizes(sigma, _named(video), _named(audio), reused, num_run)
            for (sigma, reused, num_run), video, audio in zip(
                self._calls, values[::2], values[1::2], strict=True
            )
        ]


def _named(values: list[float]) -> Sizes:
    return {term.scale: value for term, value in zip(TERMS, values, strict=True)}
