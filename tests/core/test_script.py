"""The script: its grammar, who is meant, and what is refused."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from idlora_core.script import Line, Pause, lines_of, parse_script, script_text, speakers_of

NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)
WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
SECONDS = st.integers(0, 60_000).map(lambda milliseconds: milliseconds / 1000)


@st.composite
def lines(draw):
    words = " ".join(draw(st.lists(WORDS, min_size=1, max_size=6)))
    manner = draw(st.sampled_from(["", "whispering", "in a low voice"]))
    start = draw(st.none() | SECONDS)
    end = None if start is None else draw(st.none() | st.integers(1, 5000).map(lambda ms: start + ms / 1000))
    return Line(tuple(draw(st.lists(NAMES, min_size=1, max_size=3))), words, manner, start, end)


def rounded(entries):
    """Times to a millisecond, as they are written."""

    def ms(seconds):
        return seconds and round(seconds, 3)

    return [
        Pause(ms(e.seconds))
        if isinstance(e, Pause)
        else Line(e.speakers, e.words, e.manner, ms(e.start), ms(e.end))
        for e in entries
    ]


@given(st.lists(lines() | SECONDS.map(Pause), min_size=1, max_size=8))
def test_what_is_written_is_read_back(entries):
    assume(lines_of(entries))
    assert list(parse_script(script_text(entries))) == rounded(entries)


@pytest.mark.parametrize(
    "row, expected",
    [
        ("ANNA: Did you hear that?", Line(("ANNA",), "Did you hear that?")),
        ("BEN (whispering): Hear what?", Line(("BEN",), "Hear what?", "whispering")),
        ("[3.2-4.5] ANNA + BEN: Run!", Line(("ANNA", "BEN"), "Run!", "", 3.2, 4.5)),
        ("[3.2] Anna: Run!", Line(("Anna",), "Run!", "", 3.2)),
        ("[3.2 - ] Anna: Run!", Line(("Anna",), "Run!", "", 3.2)),
        ("[ANNA]: Run: now!", Line(("ANNA",), "Run: now!")),
        ("[1]: Run!", Line(("1",), "Run!")),
        ("[1] [2]: Run!", Line(("2",), "Run!", "", 1.0)),
        ("Speaker 2: Run!", Line(("Speaker 2",), "Run!")),
        ("Dr. Brown (calm): Sit.", Line(("Dr. Brown",), "Sit.", "calm")),
        ("安娜：你好", Line(("安娜",), "你好")),
        ("  ANNA :  Two   spaces ", Line(("ANNA",), "Two spaces")),
    ],
)
def test_a_line(row, expected):
    assert parse_script(row) == (expected,)


def test_pauses_and_empty_rows():
    assert parse_script("A: x\n\n(pause 0.5)\n( Pause 2 s )\nB: y") == (
        Line(("A",), "x"),
        Pause(0.5),
        Pause(2.0),
        Line(("B",), "y"),
    )


def test_text_without_a_name_goes_on_with_the_line_above():
    assert parse_script("ANNA: Did you\nhear that?\nRun! Now: go") == (
        Line(("ANNA",), "Did you hear that? Run! Now: go"),
    )


@pytest.mark.parametrize(
    "script, message",
    [
        ("", "The script is empty"),
        (" \n(pause 1)\n", "The script is empty"),
        ("Did you hear that?", "without a name"),
        ("ANNA: x\n(pause 1)\nand more", "without a name"),
        ("ANNA:", "no words after ANNA"),
        ("ANNA + : x", "empty name"),
        ("[3-2] ANNA: x", "from 3 s to 2 s"),
        ("[3-3] ANNA: x", "end must be after the start"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(script, message):
    with pytest.raises(ValueError, match=message):
        parse_script(script)


@pytest.mark.parametrize(
    "name, place",
    [("anna", 0), ("BEN", 1), ("1", 0), ("speaker 2", 1), ("Speaker1", 0), ("7", 2), ("old man", 3)],
)
def test_who_is_meant(name, place):
    cast = ["Anna", "Ben", "7", "Old  Man"]
    assert speakers_of(Line((name,), "x"), cast) == {place}


@pytest.mark.parametrize("name", ["Carl", "3", "0", "Speaker 9"])
def test_a_name_that_nobody_has(name):
    with pytest.raises(ValueError, match=f"spoken by {name}, who is not in the cast \\(Anna, Ben\\)"):
        speakers_of(Line((name,), "x"), ["Anna", "Ben"])


def test_several_at_once():
    assert speakers_of(Line(("ben", "ANNA", "Ben"), "x"), ["Anna", "Ben"]) == {0, 1}
