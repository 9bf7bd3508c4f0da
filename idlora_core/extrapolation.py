"""`fast`: guidance differences are extrapolated over sigma instead of being computed in every call.

Per term, with D = cond - other its difference and v = D / sigma:

    whole call i       other is run; v_i is known
    held call          v = v_k                              one whole call k is known
    extrapolated call  v = v_k + a (sigma - sigma_k)        a = (v_k - v_j) / (sigma_k - sigma_j), j the one before k
                       other = cond - sigma v

What the calls between k and the next whole call i took too much or too little is given back there:

    other = cond - sigma_i (v_i + (a_i - a) M / (sigma_i - sigma_i+1))
    M = sum over those calls of (sigma - sigma_next) (sigma - sigma_k)

An Euler step moves x by (x - pred) / sigma (sigma_next - sigma), of which a term has -weight v: M (a_i - a) is the
error of the time integral of v where v is linear in sigma between k and i. No call is added for it.

Which calls are whole is told by `Term.reuse` and the schedule alone, so that a run can be counted before it starts.
Extrapolating guidance is published (FasterCache, arXiv 2410.19355; TaylorSeer, arXiv 2503.06923, for features;
leaving out uncond, adaptive guidance, arXiv 2312.12487); for the feedback no source was found. The gaps were chosen on
random weights: docs/performance.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .terms import TERMS, Prediction, Reuse

MEASURED_SAMPLERS = frozenset(("euler", "dpmpp_2m", "res_multistep", "gradient_estimation"))
"""One deterministic call a step, and closer to `exact` than without feedback; ddim is euler. All others run whole:
those that add noise (v jumps with it), those with several calls a step, and multistep ones of high order
(deis, ipndm, uni_pc, lms, sa_solver), which amplify what an extrapolated call leaves. docs/performance.md has the figures."""


@dataclass
class _Kept:
    """What is known of one term: v at the last whole call, and its slope over sigma where there are two."""

    value: Tensor
    sigma: float
    call: int
    slope: Tensor | None = None
    owed: float = 0.0  # M

    def at(self, sigma: float) -> Tensor:
        return self.value if self.slope is None else self.value + self.slope * (sigma - self.sigma)


class Extrapolation:
    """Says which predictions a call runs and completes the others. One object per guider; `begin` starts a run.

    Attributes:
        steps_aside: every prediction is run: another sampler than those measured, or calls that do not follow the
            schedule one by one.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget the run."""
        self._kept: dict[Prediction, _Kept] = {}
        self._sigmas: list[float] = []
        self._call = 0
        self.steps_aside = True

    def begin(self, sigmas: Tensor | Sequence[float], sampler: str) -> None:
        """Start a run.

        Args:
            sigmas: the schedule, falling, one more than steps.
            sampler: name of the sampler function without `sample_`.
        """
        self.clear()
        self._sigmas = sigmas.tolist() if isinstance(sigmas, Tensor) else list(sigmas)
        self.steps_aside = sampler not in MEASURED_SAMPLERS

    def to_run(self, wanted: tuple[Prediction, ...], sigma: float) -> tuple[Prediction, ...]:
        """The predictions of a call that have to be run, `cond` first."""
        if not self.steps_aside and not self._follows(sigma):
            self.steps_aside = True
            self._kept = {}
        if self.steps_aside:
            return wanted
        return tuple(name for name in wanted if name == "cond" or self._is_whole(name))

    def completed(
        self, wanted: tuple[Prediction, ...], run: Mapping[Prediction, Tensor], sigma: float
    ) -> dict[Prediction, Tensor]:
        """All wanted predictions: those that were run, with what they give back, and the extrapolated ones.

        Args:
            wanted: the plan of this call.
            run: x0 predictions of `to_run`, any shape; not changed.
            sigma: noise level of the call, above 0.

        Returns:
            Predictions of cond's shape and dtype; computed in float32.
        """
        if self.steps_aside:
            return {name: run[name] for name in wanted}
        step = sigma - self._next_sigma
        predictions = {"cond": run["cond"]}
        for name in wanted[1:]:
            if name in run:
                predictions[name] = self._whole(name, run["cond"], run[name], sigma, step)
            else:
                kept = self._kept[name]
                kept.owed += step * (sigma - kept.sigma)
                predictions[name] = _other(run["cond"], sigma, kept.at(sigma))
        self._call += 1
        return predictions

    @property
    def _next_sigma(self) -> float:
        return self._sigmas[self._call + 1]

    def _follows(self, sigma: float) -> bool:
        """Whether this call is the next step of the schedule."""
        return self._call + 1 < len(self._sigmas) and abs(self._sigmas[self._call] - sigma) <= 1e-5 * sigma

    def _is_whole(self, name: Prediction) -> bool:
        kept = self._kept.get(name)
        if kept is None:
            return True
        reuse = _reuse(name)
        gap, calls = (reuse.held_gap, reuse.held_calls) if kept.slope is None else (reuse.gap, reuse.calls)
        return kept.sigma - self._next_sigma > gap or self._call - kept.call > calls

    def _whole(self, name: Prediction, cond: Tensor, other: Tensor, sigma: float, step: float) -> Tensor:
        """Keep what was computed; hand it on with what is owed."""
        value, before = (cond.float() - other.float()) / sigma, self._kept.get(name)
        if before is None:
            self._kept[name] = _Kept(value, sigma, self._call)
            return other
        slope = (value - before.value) / (sigma - before.sigma)
        self._kept[name] = _Kept(value, sigma, self._call, slope)
        if not before.owed:
            return other
        change = slope if before.slope is None else slope - before.slope
        return _other(cond, sigma, value + change * (before.owed / step))


def _reuse(name: Prediction) -> Reuse:
    return next(term.reuse for term in TERMS if term.prediction == name)


def _other(cond: Tensor, sigma: float, value: Tensor) -> Tensor:
    return (cond.float() - sigma * value).to(cond.dtype)


def whole_calls(wanted: tuple[Prediction, ...], sigmas: Sequence[float]) -> list[tuple[Prediction, ...]]:
    """What each step of a schedule runs, with a sampler of one call a step.

    Args:
        wanted: the predictions of every step, `cond` first.
        sigmas: the schedule, one more than steps.
    """
    rule, nothing, calls = Extrapolation(), torch.zeros(()), []
    rule.begin(sigmas, "euler")
    for sigma in sigmas[:-1]:
        calls.append(rule.to_run(wanted, sigma))
        rule.completed(wanted, dict.fromkeys(calls[-1], nothing), sigma)
    return calls
