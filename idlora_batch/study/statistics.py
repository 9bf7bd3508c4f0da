"""Intervals and tests of a study; all of it on plain arrays."""

import math
import warnings
from dataclasses import dataclass
from typing import Any

from ..requirements import required

CONFIDENCE = 0.95
POWER = 0.8
RESAMPLES = 9999
LEAST_PAIRS = 10  # below, a nominal 95 % BCa interval covers 82 to 90 %
MOST_PAIRS = 100_000
FAR_OUT = 8  # standard errors; there the power is 1, and scipy's noncentral t is not a number
NO_INTERVAL = f"fewer than {LEAST_PAIRS}: no interval"
ALL_EQUAL = "all equal: no interval"


@dataclass(frozen=True)
class Estimate:
    """A mean of n values, with its interval, or a note why there is none."""

    mean: float
    n: int
    low: float | None = None
    high: float | None = None
    note: str = ""

    @property
    def excludes_zero(self) -> bool:
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def mean_interval(values: Any, seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """The mean with its bias-corrected and accelerated bootstrap interval.

    Args:
        values: (n,) finite. For a comparison, the differences of pairs: one pair is resampled as a whole.
        seed: of the resampling.

    Returns:
        without an interval below 10 values, or where all are equal.

    Source:
        Efron 1987, Better Bootstrap Confidence Intervals; scipy.stats.bootstrap.
    """
    numpy, stats = required("numpy"), required("scipy.stats")
    values = numpy.asarray(values, dtype=float)
    if values.size == 0:
        return Estimate(math.nan, 0, note="no values")
    mean = float(values.mean())
    if values.size < LEAST_PAIRS:
        return Estimate(mean, values.size, note=NO_INTERVAL)
    if numpy.ptp(values) == 0:
        return Estimate(mean, values.size, note=ALL_EQUAL)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # it warns where the interval is not a number, which is looked at below
        interval = stats.bootstrap(
            (values,),
            numpy.mean,
            confidence_level=CONFIDENCE,
            n_resamples=resamples,
            method="BCa",
            rng=numpy.random.default_rng(seed),
        ).confidence_interval
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return Estimate(mean, values.size, note=ALL_EQUAL)
    return Estimate(mean, values.size, float(interval.low), float(interval.high))


def pairs_needed(differences: Any, power: float = POWER) -> int | None:
    """How many pairs a t-test of differences such as these would need to tell them from zero.

        power(n) = P(|T| > t_{1-a/2, n-1}),  T noncentral t with n - 1 degrees and shift sqrt(n) |mean| / sd

    Returns:
        at least 2; None where the mean is zero, or more than 100,000 would be needed.
    """
    numpy = required("numpy")
    differences = numpy.asarray(differences, dtype=float)
    if differences.size < 2 or differences.mean() == 0:
        return None
    spread = differences.std(ddof=1)
    effect = abs(differences.mean()) / spread if spread else math.inf
    if math.isinf(effect):
        return 2
    low, high = 2, MOST_PAIRS
    if _power(high, effect) < power:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(middle, effect) >= power else (middle + 1, high)
    return low


def _power(pairs: int, effect: float) -> float:
    stats = required("scipy.stats")
    critical = stats.t.ppf(1 - (1 - CONFIDENCE) / 2, pairs - 1)
    shift = math.sqrt(pairs) * effect
    if shift - critical > FAR_OUT:
        return 1.0
    wrong_side = (
        stats.nct.cdf(-critical, pairs - 1, shift) if shift < 4 else 0.0
    )  # further out it is 0, and not a number
    return float(stats.nct.sf(critical, pairs - 1, shift) + wrong_side)


def two_way_interval(ratings: Any, seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """The mean of ratings by listeners of clips, both resampled together.

    As if each rating stood alone, the interval would be far too narrow: a listener's ratings resemble each other, and
    so do a clip's.

    Args:
        ratings: (listeners, clips), NaN where a listener did not rate a clip.

    Returns:
        the mean of all ratings, with the percentile interval; n counts ratings. Without an interval below 2 listeners
        or 10 clips.
    """
    numpy = required("numpy")
    ratings = numpy.asarray(ratings, dtype=float)
    is_rated = numpy.isfinite(ratings)
    n = int(is_rated.sum())
    if not n:
        return Estimate(math.nan, 0, note="no ratings")
    mean = float(ratings[is_rated].mean())
    listeners, clips = ratings.shape
    if listeners < 2 or clips < LEAST_PAIRS:
        return Estimate(mean, n, note=f"{listeners} listeners and {clips} clips: no interval")
    random = numpy.random.default_rng(seed)
    of_listeners = random.multinomial(listeners, [1 / listeners] * listeners, resamples)
    of_clips = random.multinomial(clips, [1 / clips] * clips, resamples)
    sums = numpy.einsum(
        "rl,lc,rc->r", of_listeners, numpy.where(is_rated, ratings, 0.0), of_clips, optimize=True
    )
    counts = numpy.einsum("rl,lc,rc->r", of_listeners, is_rated.astype(float), of_clips, optimize=True)
    means = sums[counts > 0] / counts[counts > 0]
    low, high = numpy.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    if low == high:
        return Estimate(mean, n, note=ALL_EQUAL)
    return Estimate(mean, n, float(low), float(high))


@dataclass(frozen=True)
class Preference:
    """How often one of two was preferred; ties stand apart."""

    wins: int
    losses: int
    ties: int
    low: float  # of the share of wins among those decided, Wilson
    high: float
    p: float  # two-sided, exact; as if each answer stood alone


def preference(wins: int, losses: int, ties: int) -> Preference:
    """The sign test of wins against losses."""
    stats = required("scipy.stats")
    if not wins + losses:
        return Preference(0, 0, ties, 0.0, 1.0, 1.0)
    test = stats.binomtest(wins, wins + losses)
    interval = test.proportion_ci(CONFIDENCE, method="wilson")
    return Preference(wins, losses, ties, float(interval.low), float(interval.high), float(test.pvalue))


def holm(p_values: list[float]) -> list[float]:
    """P-values of several comparisons, adjusted so that all of them together err in 5 % (Holm 1979)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
