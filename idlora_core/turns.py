"""When each line of a scene is spoken."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .script import Entry, Line, lines_of
from .speech_length import speech_seconds

GAP_SECONDS = 0.2
"""Between two turns, where the script says no other. Campione & Véronis 2002: pauses of speech are 0.2 to 1 s."""
LEAST_SPOKEN_SECONDS = 0.3
LEAST_TURN_SECONDS = 0.1
ROUNDING = 1e-6


@dataclass(frozen=True)
class Turn:
    """A line with its time span.

    Attributes:
        start, end: seconds from the start of the clip, [start, end).
        speakers: places in the cast.
        line: which line of the script.
    """

    start: float
    end: float
    speakers: frozenset[int]
    line: int

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class _Interval:
    """From one knot of the time line to the next: a line, a pause as written, or a gap that may shrink to nothing."""

    seconds: float
    kind: str


def spoken_seconds(line: Line) -> float:
    """How long a calm speaker takes for a line, at least 0.3 s."""
    return max(speech_seconds(line.words), LEAST_SPOKEN_SECONDS)


def needed_seconds(entries: Sequence[Entry]) -> float:
    """How long the script takes where nobody hurries: the lines, the pauses, 0.2 s between two turns."""
    return sum(interval.seconds for interval in _intervals(entries))


def spread(
    entries: Sequence[Entry], speakers: Sequence[frozenset[int]], clip_seconds: float
) -> tuple[Turn, ...]:
    """Time spans of all lines. Times in the script stay; what has none shares the time between them.

        t_line = w_line / sum(w) * (time - pauses - gaps)        w = seconds of calm speech

    Gaps of 0.2 s shrink, to nothing if need be, where the lines would not fit. Spans overlap only where the script's
    own times do.

    Args:
        entries: of `parse_script`.
        speakers: of each line.
        clip_seconds: length of the clip.

    Raises:
        ValueError: times that run backwards or past the end, or no time left for a line.
    """
    lines = lines_of(entries)
    _check_times(lines, clip_seconds)
    written = [time for line in lines for time in (line.start, line.end)]
    knots: list[float | None] = [0.0, *written, clip_seconds]
    intervals = _intervals(entries)
    known = [index for index, time in enumerate(knots) if time is not None]
    for first, last in pairwise(known):
        _fill(knots, intervals, first, last, lines)
    times: list[float] = [time for time in knots if time is not None]
    spans = zip(times[1:-1:2], times[2:-1:2], strict=True)
    return tuple(
        Turn(start, end, members, index)
        for index, ((start, end), members) in enumerate(zip(spans, speakers, strict=True))
    )


def _intervals(entries: Sequence[Entry]) -> list[_Interval]:
    """What lies between the knots 0, start, end, start, end, .., clip end."""
    intervals: list[_Interval] = []
    pause = _Interval(0.0, "pause")  # before the first line, which no gap precedes
    for entry in entries:
        if isinstance(entry, Line):
            intervals += [pause, _Interval(spoken_seconds(entry), "line")]
            pause = _Interval(GAP_SECONDS, "gap")
        else:
            before = pause.seconds if pause.kind == "pause" else 0.0
            pause = _Interval(before + entry.seconds, "pause")
    return [*intervals, pause if pause.kind == "pause" else _Interval(0.0, "pause")]


def _fill(
    knots: list[float | None], intervals: list[_Interval], first: int, last: int, lines: Sequence[Line]
) -> None:
    """Times of the knots between two that have one."""
    start, end = knots[first], knots[last]
    assert start is not None and end is not None
    between = intervals[first:last]
    spoken, gaps, pauses = (sum(i.seconds for i in between if i.kind == k) for k in ("line", "gap", "pause"))
    if last - first == 1 or not spoken:
        return
    room = end - start - pauses
    gap_scale = min(max(room - spoken, 0.0) / gaps, 1.0) if gaps else 0.0
    line_scale = (room - gap_scale * gaps) / spoken
    time = start
    for knot, interval in enumerate(between[:-1], first + 1):
        scale = {"line": line_scale, "gap": gap_scale, "pause": 1.0}[interval.kind]
        if interval.kind == "line" and interval.seconds * scale < LEAST_TURN_SECONDS:
            raise ValueError(_NO_TIME.format(line=lines[(knot - 2) // 2], start=start, end=end))
        time += interval.seconds * scale
        knots[knot] = min(time, end)  # rounding must not run past it
    if between[-1].kind == "line" and between[-1].seconds * line_scale < LEAST_TURN_SECONDS:
        raise ValueError(_NO_TIME.format(line=lines[(last - 2) // 2], start=start, end=end))


def _check_times(lines: Sequence[Line], clip_seconds: float) -> None:
    """Refuse times that cannot be."""
    before = 0.0
    for line in lines:
        if line.start is None:
            continue
        latest = line.start if line.end is None else line.end
        if latest > clip_seconds + ROUNDING or line.start >= clip_seconds:
            raise ValueError(
                f"The script's line {line} runs to {latest:g} s, past the end of the clip at {clip_seconds:.2f} s."
                " Move it, or make the clip longer."
            )
        if line.start < before:
            raise ValueError(
                f"The script's line {line} starts at {line.start:g} s, before the line above it ({before:g} s)."
                " Write the lines in the order in which they are spoken."
            )
        before = line.start


_NO_TIME = (
    "The script leaves no time for {line} between {start:.2f} s and {end:.2f} s."
    " Shorten the pauses, move the times, or make the clip longer."
)
