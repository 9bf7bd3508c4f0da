"""captions.csv: what it takes and what it refuses."""

import pytest

from idlora_core.dataset.captions import Caption, checked_caption, read_captions, written
from idlora_core.dataset.reasons import LeftOut

SECONDS = 4.84


def test_what_is_written_is_read_again():
    rows = [
        Caption("ann/a.mp4", 1.5, 'A "room", bright', "Hello,\nworld.", ""),
        Caption("b.mp4", None, "", "Hi.", ""),
    ]
    read = read_captions(written(rows))
    assert [caption for file in read.values() for caption in file] == rows


def test_a_table_program_may_have_written_it():
    read = read_captions("\ufeffspeech,file\r\nHallo Welt,ann\\a.mp4\r\n")
    assert read["ann/a.mp4"] == [Caption("ann/a.mp4", None, "", "Hallo Welt", "")]


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "has no column file and no column speech"),
        ("file;speech\n", "holds file;speech"),
        ("file,speech,start\na.mp4,Hi,one\n", "line 2: start is 'one'"),
        ("file,speech,start\na.mp4,Hi,-1\n", "line 2: start is '-1'"),
        ("file,speech,start\na.mp4,Hi,nan\n", "line 2: start is 'nan'"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(text, words):
    with pytest.raises(ValueError, match=words) as error:
        read_captions(text)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_the_three_tags():
    caption = Caption("a.mp4", None, "A woman.", "Hello.", "A hall.")
    assert (
        checked_caption(caption, 0, SECONDS).prompt == "[VISUAL]: A woman. [SPEECH]: Hello. [SOUNDS]: A hall."
    )


@pytest.mark.parametrize(
    "speech, reason",
    [(None, "caption missing"), ("", "caption missing"), ("many words " * 20, "caption too long")],
)
def test_words_must_be_there_and_fit(speech, reason):
    caption = None if speech is None else Caption("a.mp4", None, "A woman.", speech, "")
    with pytest.raises(LeftOut) as left_out:
        checked_caption(caption, 0.0, SECONDS)
    assert left_out.value.reason == reason
