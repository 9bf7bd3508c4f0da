"""The script of a scene: who says what, and, where it is written, when.

    ANNA: Did you hear that?
    BEN (whispering): Hear what?
    (pause 0.5)
    [3.2-4.5] ANNA + BEN: Run!

One line of text is one line of the scene. Names are those of the cast in any case, or numbers: `1:` and `Speaker 1:` are
the first member. `[ANNA]:` is `ANNA:`. Times are seconds from the start of the clip; the end may be left out. Text without
a name goes on with the line above it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

SECONDS = r"\d+(?:\.\d+)?"
COLON = "[:：]"
NAMES = r"[^:：\[\]()!?,;\"“”\n]{1,80}?"
LINE = re.compile(
    rf"(?:\[\s*(?P<start>{SECONDS})\s*(?:-\s*(?P<end>{SECONDS})?\s*)?\](?!\s*{COLON})\s*)?"
    rf"(?:\[\s*(?P<bracketed>{NAMES})\s*\]|(?P<names>{NAMES}))\s*"
    rf"(?:\((?P<manner>[^()]*)\)\s*)?{COLON}(?P<words>.*)"
)
PAUSE = re.compile(rf"\(\s*pause\s+(?P<seconds>{SECONDS})\s*s?\s*\)", re.IGNORECASE)
NUMBERED = re.compile(r"(?:speaker\s*)?(?P<number>\d+)", re.IGNORECASE)
EXCERPT = 32


@dataclass(frozen=True)
class Line:
    """What somebody says.

    Attributes:
        speakers: names as written, at least one; several speak at once.
        words: as spoken.
        manner: how, such as "whispering"; empty where it is not said.
        start, end: seconds; None where it is not said. There is no end without a start.
    """

    speakers: tuple[str, ...]
    words: str
    manner: str = ""
    start: float | None = None
    end: float | None = None

    def __str__(self) -> str:
        """As it is quoted in messages: 'ANNA: Did you hear that?'."""
        text = f"{' + '.join(self.speakers)}: {self.words}"
        return f"'{text if len(text) <= EXCERPT else text[: EXCERPT - 1].rstrip() + '…'}'"


@dataclass(frozen=True)
class Pause:
    """Nobody speaks for so many seconds."""

    seconds: float


Entry = Line | Pause


def parse_script(text: str) -> tuple[Entry, ...]:
    """The lines and pauses of a script, in order.

    Raises:
        ValueError: no line at all, words before the first name, a name without words, or an end that is not after its start.
    """
    entries: list[Entry] = []
    for row in filter(None, (" ".join(row.split()) for row in text.splitlines())):
        if pause := PAUSE.fullmatch(row):
            entries.append(Pause(float(pause["seconds"])))
        elif line := LINE.fullmatch(row):
            entries.append(_line(line))
        else:
            entries.append(_continued(entries, row))
    for line in lines_of(entries):
        _check_line(line)
    if not lines_of(entries):
        raise ValueError("The script is empty. Write one line per turn: 'ANNA: Did you hear that?' is one.")
    return tuple(entries)


def script_text(entries: Sequence[Entry]) -> str:
    """The script that `parse_script` reads as these entries; times to a millisecond."""
    return "\n".join(_row(entry) for entry in entries)


def lines_of(entries: Sequence[Entry]) -> tuple[Line, ...]:
    """The lines without the pauses."""
    return tuple(entry for entry in entries if isinstance(entry, Line))


def speakers_of(line: Line, cast: Sequence[str]) -> frozenset[int]:
    """Places in the cast of those who say a line.

    Args:
        cast: names of the members. A name counts before a number.

    Raises:
        ValueError: a name that nobody in the cast has.
    """
    return frozenset(_member(name, line, cast) for name in line.speakers)


def _line(match: re.Match[str]) -> Line:
    names = match["bracketed"] or match["names"]
    start, end = (None if match[key] is None else float(match[key]) for key in ("start", "end"))
    speakers = tuple(name.strip() for name in names.split("+"))
    return Line(speakers, match["words"].strip(), (match["manner"] or "").strip(), start, end)


def _continued(entries: list[Entry], row: str) -> Line:
    """The line above, with a row of words more; it takes its place."""
    if not entries or isinstance(entries[-1], Pause):
        raise ValueError(
            f"The script has '{row[:EXCERPT]}' without a name. Write who says it, such as ANNA: {row[:EXCERPT]}"
        )
    above = entries.pop()
    assert isinstance(above, Line)
    words = f"{above.words} {row}".strip()
    return Line(above.speakers, words, above.manner, above.start, above.end)


def _check_line(line: Line) -> None:
    if not all(line.speakers):
        raise ValueError(f"The script's line {line} has an empty name. Write names on both sides of the +.")
    if not line.words:
        raise ValueError(
            f"The script has no words after {line.speakers[-1]}: write them, or delete the line."
        )
    if line.start is not None and line.end is not None and line.end <= line.start:
        raise ValueError(
            f"The script's line {line} runs from {line.start:g} s to {line.end:g} s. The end must be after the start."
        )


def _row(entry: Entry) -> str:
    if isinstance(entry, Pause):
        return f"(pause {_seconds(entry.seconds)})"
    end = "" if entry.end is None else f"-{_seconds(entry.end)}"
    times = "" if entry.start is None else f"[{_seconds(entry.start)}{end}] "
    manner = f" ({entry.manner})" if entry.manner else ""
    return f"{times}{' + '.join(entry.speakers)}{manner}: {entry.words}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def _member(name: str, line: Line, cast: Sequence[str]) -> int:
    folded = [" ".join(member.split()).casefold() for member in cast]
    if name.casefold() in folded:
        return folded.index(name.casefold())
    number = NUMBERED.fullmatch(name)
    if number and 1 <= int(number["number"]) <= len(cast):
        return int(number["number"]) - 1
    raise ValueError(
        f"The script's line {line} is spoken by {name}, who is not in the cast ({', '.join(cast)})."
        " Add a Cast Member of that name, or correct the name."
    )
