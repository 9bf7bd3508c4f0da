"""Where a clip is cut: at pauses, without leading silence, never twice the same moment."""

from torch import Tensor

from ..voice.features import FRAMES_PER_SECOND
from ..voice.runs import runs

LEAD_FRAMES = 15  # of quiet kept before the first word: 0.15 s, as at the ends of a reference
REACH_FRAMES = 200  # a later start is taken where the cut then also ends in a pause
LEAST_SPEECH_SECONDS, LEAST_SPEECH_SHARE = 2.0, 0.5


def least_speech(seconds: float) -> float:
    """Seconds of speech that a cut must hold: 2 s, or half of a shorter cut."""
    return min(LEAST_SPEECH_SECONDS, LEAST_SPEECH_SHARE * seconds)


def plan_starts(spoken: Tensor, seconds: float) -> list[float]:
    """Starts of cuts of equal length, in seconds, in order.

    Each begins 0.15 s before a word. Of the words within 2 s the first from which the cut also ends in a pause is
    taken, else the first. Cuts do not overlap, lie wholly in the clip and each hold `least_speech`.

    Args:
        spoken: (F,) bool, one per 10 ms, as `detection.speech_frames` gives it.
        seconds: length of a cut.
    """
    length = round(seconds * FRAMES_PER_SECOND)
    last = spoken.numel() - length
    onsets = [start for start, _ in runs(spoken)]
    starts: list[int] = []
    earliest = 0
    while earliest <= last and (following := spoken[earliest:].nonzero()).numel():
        first = earliest + int(following[0, 0])
        near = [first, *(onset for onset in onsets if first < onset <= first + REACH_FRAMES)]
        candidates = [min(max(onset - LEAD_FRAMES, earliest), last) for onset in near]
        start = next((s for s in candidates if _ends_in_pause(spoken, s + length)), candidates[0])
        starts.append(start)
        earliest = start + length
    needed = least_speech(seconds) * FRAMES_PER_SECOND
    return [start / FRAMES_PER_SECOND for start in starts if spoken[start : start + length].sum() >= needed]


def _ends_in_pause(spoken: Tensor, end: int) -> bool:
    return end >= spoken.numel() or not bool(spoken[end])
