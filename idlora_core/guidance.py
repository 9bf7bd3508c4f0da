"""Guidance of ID-LoRA as a plan and a combination, both pure, over the table of `terms`.

pred = cond + sum over terms of (scale - off) * (cond - other)
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from .terms import TERMS, Prediction, Scales, Term, TermName

ALWAYS = (math.inf, 0.0)
"""(highest, lowest) sigma of a term without a window."""


@dataclass(frozen=True)
class Guidance:
    """Scales of both streams and the sigma windows in which terms act.

    Attributes:
        video: scales of the video stream.
        audio: scales of the audio stream.
        windows: (highest, lowest) sigma at which a term acts, both included; a term without one always acts.
    """

    video: Scales
    audio: Scales
    windows: Mapping[TermName, tuple[float, float]] = field(default_factory=dict)

    def acts(self, term: Term, sigma: float) -> bool:
        """Whether the term is on in either stream at this noise level."""
        highest, lowest = self.windows.get(term.scale, ALWAYS)
        if not lowest <= sigma <= highest:
            return False
        return self.video.weight(term) != 0 or self.audio.weight(term) != 0


def plan(guidance: Guidance, sigma: float, has_reference: bool = True) -> tuple[Prediction, ...]:
    """The predictions that one step needs, `cond` first.

    Args:
        guidance: scales and windows.
        sigma: noise level of the step, 1 = pure noise.
        has_reference: without one, `no_reference` would equal `cond` and is left out.

    Returns:
        Names without repetition, in the order of `TERMS`.
    """
    wanted = [term for term in TERMS if guidance.acts(term, sigma)]
    if not has_reference:
        wanted = [term for term in wanted if not term.change.without_reference]
    return ("cond", *(term.prediction for term in wanted))


def combine(
    predictions: Mapping[Prediction, Tensor],
    scales: Scales,
    guided: Tensor | None = None,
    weights: Mapping[TermName, Tensor] | None = None,
) -> Tensor:
    """One stream's guided x0 from its predictions.

        pred = cond + sum_k (scale_k - off_k) * (cond - other_k)
        pred = pred * (rescale * std(cond) / std(pred) + 1 - rescale)

    Args:
        predictions: x0 predictions of one stream, any shape, `cond` among them; a term whose
            prediction is absent (its plan left it out) adds nothing.
        scales: scales of that stream.
        guided: result of another pack's CFG function; takes the place of `cond` + the cfg term.
        weights: factors on single terms, such as one that changes with time; broadcast against the stream.

    Returns:
        Tensor of cond's shape and dtype; summed in float32. The inputs are not changed.

    Source:
        arXiv 2603.10256, eq. 5 and section 4.4; order of summation and rescaling as in
        `MultiModalGuider.calculate` of ltx-core, to which it is bit-equal without the identity term.
    """
    cond = predictions["cond"]
    cond32 = cond.float()
    pred = cond32 if guided is None else guided.float()
    for term, contribution in contributions(predictions, scales, weights):
        if guided is None or term.scale != "cfg":
            pred = pred + contribution
    return _rescale(pred, cond32, scales.rescale).to(cond.dtype)


def contributions(
    predictions: Mapping[Prediction, Tensor],
    scales: Scales,
    weights: Mapping[TermName, Tensor] | None = None,
) -> Iterator[tuple[Term, Tensor]]:
    """What each term adds to `cond`, one at a time: (scale_k - off_k) * w_k * (cond - other_k), in float32.

    w_k is 1 where no weight is given.

    Terms that are off and terms whose prediction is absent are left out.
    """
    cond = predictions["cond"].float()
    for term in TERMS:
        weight = scales.weight(term)
        if weight != 0 and term.prediction in predictions:
            difference = weight * (cond - predictions[term.prediction].float())
            factor = (weights or {}).get(term.scale)
            yield term, difference if factor is None else factor * difference


def _rescale(pred: Tensor, cond: Tensor, rescale: float) -> Tensor:
    """Rescale the standard deviation of `pred` towards that of `cond`."""
    if rescale == 0:
        return pred
    factor = cond.std() / pred.std()
    return pred * (rescale * factor + (1 - rescale))
