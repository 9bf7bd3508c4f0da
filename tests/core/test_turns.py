"""Times of the lines: what is written stays, the rest shares what is left."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idlora_core.script import Line, Pause, lines_of, parse_script
from idlora_core.turns import GAP_SECONDS, needed_seconds, spoken_seconds, spread

SHORT, LONG = "Hear what?", "Did you hear that noise down in the old cellar just now?"


def spans(script, seconds):
    entries = parse_script(script)
    speakers = [frozenset({0})] * len(lines_of(entries))
    return [(turn.start, turn.end) for turn in spread(entries, speakers, seconds)]


def test_one_line_has_the_whole_clip():
    assert spans(f"A: {SHORT}", 4.84) == [(0.0, 4.84)]


def test_lines_share_the_clip_by_how_long_they_take():
    (a, b), (c, d) = spans(f"A: {LONG}\nB: {SHORT}", 9.0)
    assert (a, d) == (0.0, 9.0)
    assert c - b == pytest.approx(GAP_SECONDS)
    long, short = (spoken_seconds(Line(("A",), words)) for words in (LONG, SHORT))
    assert (b - a) / (d - c) == pytest.approx(long / short)


def test_gaps_shrink_where_the_words_would_not_fit():
    (a, b), (c, d) = spans(f"A: {LONG}\nB: {LONG}", 2.0)
    assert (a, b, c, d) == pytest.approx((0.0, 1.0, 1.0, 2.0))


def test_written_times_stay_and_pauses_are_kept():
    script = f"A: {SHORT}\n[3-4] B: {SHORT}\n(pause 0.5)\nA: {SHORT}\n(pause 1)"
    (a, b), second, (c, d) = spans(script, 8.0)
    assert second == (3.0, 4.0)
    assert (a, b, c, d) == pytest.approx((0.0, 3.0 - GAP_SECONDS, 4.5, 7.0))


def test_a_written_start_alone():
    assert spans(f"[1.5] A: {SHORT}", 4.0) == [(1.5, 4.0)]


def test_times_may_overlap_where_they_are_written_so():
    assert spans("[0-2] A: x\n[1-3] B: y", 4.0) == [(0.0, 2.0), (1.0, 3.0)]


@given(
    st.lists(st.sampled_from([SHORT, LONG, "Oh.", 0.1, 0.3]), min_size=1, max_size=12).filter(
        lambda parts: any(isinstance(part, str) for part in parts)
    ),
    st.floats(8, 30),
)
def test_turns_and_what_lies_between_them_make_up_the_clip(parts, seconds):
    entries = [Line(("A",), p) if isinstance(p, str) else Pause(p) for p in parts]
    turns = spread(entries, [frozenset({0})] * len(lines_of(entries)), seconds)
    times = [0.0, *itertools.chain.from_iterable((turn.start, turn.end) for turn in turns), seconds]
    assert all(a <= b + 1e-9 for a, b in itertools.pairwise(times))
    pauses = sum(entry.seconds for entry in entries if isinstance(entry, Pause))
    between = sum(b - a for a, b in itertools.pairwise(times)) - sum(turn.seconds for turn in turns)
    assert pauses - 1e-6 <= between <= pauses + GAP_SECONDS * (len(turns) - 1) + 1e-6


def test_what_the_script_needs():
    entries = parse_script(f"A: {SHORT}\nB: {LONG}\n(pause 1.5)\nA: {SHORT}")
    spoken = sum(spoken_seconds(line) for line in lines_of(entries))
    assert needed_seconds(entries) == pytest.approx(spoken + GAP_SECONDS + 1.5)


@pytest.mark.parametrize(
    "script, message",
    [
        ("[2-3] A: x\n[1-1.5] B: y", "starts at 1 s, before the line above it"),
        ("[2-6] A: x", "runs to 6 s, past the end of the clip at 5.00 s"),
        ("[5] A: x", "past the end"),
        ("A: x\n(pause 5)\nB: y", "no time for"),
        ("[1] A: x\n(pause 2)\n[2] B: y", "no time for 'A: x' between 1.00 s and 2.00 s"),
        ("[2-4] A: x\nB: y\n[4.05] A: z", "no time for 'B: y'"),
    ],
)
def test_times_that_cannot_be(script, message):
    with pytest.raises(ValueError, match=message):
        spans(script, 5.0)
