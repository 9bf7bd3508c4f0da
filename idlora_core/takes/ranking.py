"""Which of several takes of one prompt is the best: a gate, then one measure, and ties that are called ties.

    1. gate     it is spoken at all, and its word errors are at most 0.1 above the best take's
    2. order    by voice similarity
    3. ties     what lies within the noise band of the best of the rest is a tie; the earlier seed goes first

There is no blended score. Face similarity, lip distance and predicted quality never rank: still faces and clean but wrong
voices score best in them (arXiv 2603.10256, B.1). Scores of two prompts cannot be compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WORDS_ABOVE_BEST = 0.1


@dataclass(frozen=True)
class Score:
    """What ranks a take; what was not measured is None.

    Attributes:
        is_spoken: whether it has speech. similarity: of its voice to the reference, -1 to 1.
        word_error_rate: 0 or more.
    """

    is_spoken: bool
    similarity: float | None = None
    word_error_rate: float | None = None


@dataclass(frozen=True)
class Place:
    """A take's place.

    Attributes:
        take: its number, from 0, in the order of the seeds.
        rank: 1 is best; tied takes share one.
        why: in words.
    """

    take: int
    rank: int
    is_tied: bool
    why: str


def rank_takes(scores: Sequence[Score], noise_band: float) -> list[Place]:
    """All takes, best first; the winner is the first.

    Args:
        scores: in the order of the seeds.
        noise_band: differences of similarity up to this are noise.

    Raises:
        ValueError: no takes.
    """
    if not scores:
        raise ValueError("There are no takes to choose from.")
    least = min(
        (s.word_error_rate for s in scores if s.is_spoken and s.word_error_rate is not None), default=0.0
    )
    faults = [_fault(score, least) for score in scores]
    places: list[Place] = []
    for is_behind in (False, True):
        takes = [number for number, fault in enumerate(faults) if bool(fault) == is_behind]
        for group in _groups(takes, scores, noise_band):
            rank = len(places) + 1
            for number in group:
                why = faults[number] or _reason(scores[number], len(group) > 1, noise_band)
                places.append(Place(number, rank, len(group) > 1 and not is_behind, why))
    return places


def _fault(score: Score, least_errors: float) -> str:
    """Why a take does not pass the gate; empty where it does."""
    if not score.is_spoken:
        return "no speech"
    rate = score.word_error_rate
    if rate is not None and rate > least_errors + WORDS_ABOVE_BEST + 1e-9:
        return f"{100 * rate:.0f} % of the words wrong, the best take {100 * least_errors:.0f} %"
    return ""


def _groups(takes: list[int], scores: Sequence[Score], noise_band: float) -> list[list[int]]:
    """Takes in groups within which only noise differs, the most alike group first, by seed in each."""
    similar = {take: -2.0 if (value := scores[take].similarity) is None else value for take in takes}
    groups = []
    while similar:
        best = max(similar.values())
        group = [take for take in sorted(similar) if similar[take] >= best - noise_band]
        groups.append(group)
        similar = {take: value for take, value in similar.items() if take not in group}
    return groups


def _reason(score: Score, is_tied: bool, noise_band: float) -> str:
    if score.similarity is None:
        return "voice not measured: by seed"
    return f"tied within {noise_band:g}: by seed" if is_tied else f"voice {score.similarity:.2f}"
