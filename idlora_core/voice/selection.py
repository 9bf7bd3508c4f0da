"""Which seconds of a recording become the reference: the best part, with its pauses shortened."""

import math

import torch
from torch import Tensor

from .features import FRAMES_PER_SECOND, Frames, sample_at
from .runs import runs, widened
from .waveform import CROSSFADE_SECONDS, MIN_SECONDS, Span

# Pauses in read and in conversational speech are of 0.2-1 s (Campione and Veronis 2002); the model was
# trained on continuous speech, so that what is longer than a phrase boundary needs is time without a voice.
LONGEST_PAUSE_FRAMES = 50
PAUSE_SIDE_FRAMES = 15  # kept at each side of a shortened pause: 0.3 s in all, with breath and reverberation

UNVOICED_WORTH = 0.3  # of a voiced frame: noise that passes for speech is not voiced
SUSTAINED_LIKENESS = 0.7  # of the harmonics' places over 0.2 s: a held tone, see `doctor`
WORD_EDGE_FRAMES = 5  # of quiet before speech for a start to be in a pause
WORD_CUT_COST = 20.0  # frames of good speech that a start within a word must gain
LAST_PART = 0.2  # of the window, in which a pause is taken as its end


def best_spans(
    frames: Frames,
    spoken: Tensor,
    sample_rate: int,
    num_samples: int,
    max_seconds: float,
    shorten_pauses: bool = True,
) -> list[Span]:
    """The stretch with most clear speech, from a pause to a pause where there are any.

    Every window of `max_seconds` is rated by its frames: voiced speech 1, other speech 0.3, less where the
    recording is clipped or a tone is held; a start within a word costs 0.2 s. Silence at both ends is left
    out but for 0.15 s. Of equals the first.

    Args:
        frames, spoken: of the recording; `spoken` (F,) bool.
        num_samples: N of the recording.
        max_seconds: longest sum of all spans.
        shorten_pauses: pauses longer than 0.5 s become 0.3 s.

    Returns:
        [start, end) in samples, in order, without overlap, at least one.
    """
    kept = _without_silence(spoken, shorten_pauses).nonzero()[:, 0]
    longest = math.floor(max_seconds * FRAMES_PER_SECOND)
    if kept.numel() > longest:
        kept = _best_window(kept, _worth(frames, spoken), spoken, longest)
    taken = torch.zeros_like(spoken)
    taken[kept] = True
    spans = [_samples(run, sample_rate, num_samples) for run in runs(taken)]
    return _long_enough(spans, sample_rate, num_samples)


def first_spans(
    start: int, spoken: Tensor, sample_rate: int, num_samples: int, max_seconds: float, shorten_pauses: bool
) -> list[Span]:
    """The first `max_seconds` from a sample on; with `shorten_pauses`, less what pauses hold beyond 0.3 s.

    Args:
        start: where the recording begins to sound.
        spoken: (F,) bool. num_samples: N of the recording.
    """
    spans = [(start, num_samples)]
    if shorten_pauses:
        found = [_samples(run, sample_rate, num_samples) for run in runs(_without_long_pauses(spoken))]
        spans = [(max(first, start), last) for first, last in found if last > start]
    limited = _limited(spans, round(max_seconds * sample_rate))
    return _long_enough(limited, sample_rate, num_samples)


def _without_silence(spoken: Tensor, shorten_pauses: bool) -> Tensor:
    """(F,) bool: all from the first to the last speech, with 0.15 s at both ends, less what is shortened."""
    kept = _without_long_pauses(spoken) if shorten_pauses else torch.ones_like(spoken)
    first, last = (int(frame) for frame in spoken.nonzero()[[0, -1], 0])
    kept[: max(first - PAUSE_SIDE_FRAMES, 0)] = False
    kept[last + 1 + PAUSE_SIDE_FRAMES :] = False
    return kept


def _without_long_pauses(spoken: Tensor) -> Tensor:
    """(F,) bool: False in what is left out of pauses longer than 0.5 s."""
    kept = torch.ones_like(spoken)
    for start, end in runs(~spoken):
        if end - start > LONGEST_PAUSE_FRAMES:
            first = start + PAUSE_SIDE_FRAMES * (start > 0)
            last = end - PAUSE_SIDE_FRAMES * (end < spoken.numel())
            kept[first:last] = False
    return kept


def _worth(frames: Frames, spoken: Tensor) -> Tensor:
    """(F,) what each frame is worth in a reference, 0-1; below 0 where it is clipped."""
    worth = torch.where(frames.is_voiced, 1.0, UNVOICED_WORTH)
    worth = torch.where(frames.sustained >= SUSTAINED_LIKENESS, 0.0, worth) * spoken
    return worth - (frames.clipped > 0).float()


def _best_window(kept: Tensor, worth: Tensor, spoken: Tensor, longest: int) -> Tensor:
    """Of the frames `kept`, (K,) int64 with K > `longest`, the best `longest` in a row, or a few less."""
    running = torch.nn.functional.pad(worth[kept].double().cumsum(0), (1, 0))
    gains = running[longest:] - running[:-longest]
    is_cut = widened(spoken, WORD_EDGE_FRAMES)[kept[: gains.numel()]]
    is_cut[0] = False
    start = int((gains - WORD_CUT_COST * is_cut).argmax())
    end = start + longest
    if end < kept.numel():
        end = _last_pause(spoken[kept[start:end]]) + start
    return kept[start:end]


def _last_pause(spoken: Tensor) -> int:
    """Where a window (W,) ends: shortly after the last speech that ends in its last part, else at its end."""
    length = spoken.numel()
    if not spoken[-1]:
        last = int(spoken.nonzero()[-1]) + 1 if spoken.any() else length
        return min(last + PAUSE_SIDE_FRAMES, length)
    ends = [end for _, end in runs(spoken) if (1 - LAST_PART) * length <= end < length]
    if not ends:
        return length
    following = spoken[ends[-1] :].nonzero()[0]  # the next word begins within the window
    return ends[-1] + min(PAUSE_SIDE_FRAMES, int(following) // 2)


def _samples(run: Span, sample_rate: int, num_samples: int) -> Span:
    start, end = (sample_at(frame, sample_rate) for frame in run)
    return start, min(end, num_samples)


def _length(spans: list[Span]) -> int:
    return sum(end - start for start, end in spans)


def _long_enough(spans: list[Span], sample_rate: int, num_samples: int) -> list[Span]:
    """The spans; the shortest that is accepted around their middle where they hold less: a single word."""
    needed = min(math.ceil(MIN_SECONDS * sample_rate), num_samples)
    fades = (len(spans) - 1) * math.ceil(CROSSFADE_SECONDS * sample_rate)
    if _length(spans) - fades >= needed:
        return spans
    middle = (spans[0][0] + spans[-1][1]) // 2
    start = min(max(middle - needed // 2, 0), num_samples - needed)
    return [(start, start + needed)]


def _limited(spans: list[Span], num_samples: int) -> list[Span]:
    """The first spans, of `num_samples` together."""
    limited: list[Span] = []
    for start, end in spans:
        room = num_samples - _length(limited)
        if room > 0:
            limited.append((start, min(end, start + room)))
    return limited
