"""Word errors: what counts as the same word, and the distance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idlora_core.takes.words import normalised_words, word_error_rate, word_errors

SAME = [
    ("Hello, World!", "hello world"),
    ("a well-known author", "a well known author"),
    ("It's Anna's", "its annas"),
    ("It’s", "It's"),
    ("21 cats", "twenty-one cats"),
    ("1,250 people", "one thousand two hundred fifty people"),
    ("2,000,003", "two million three"),
    ("3.14", "three point one four"),
    ("50% of 7 & 8", "fifty percent of seven and eight"),
    ("Mr. Smith and Dr Jones", "mister smith and doctor jones"),
    ("(laughs) Hello [pause] there", "hello there"),
    ("Café", "cafe\u0301"),
    ("ＨＥＬＬＯ", "hello"),
    ("你好 世界", "你好世界"),
    ("and/or", "and or"),
]


@pytest.mark.parametrize("a, b", SAME)
def test_spellings_of_the_same_words_are_no_errors(a, b):
    assert word_errors(a, b)[0] == 0


@pytest.mark.parametrize(
    "expected, heard, errors, words",
    [
        ("one two three", "one two three", 0, 3),
        ("one two three", "one three", 1, 3),
        ("one two three", "one too three", 1, 3),
        ("one two three", "one two and three", 1, 3),
        ("one two three", "", 3, 3),
        ("one", "two three four", 3, 1),
        ("", "anything", 1, 0),
        ("今天天气", "今天天汽", 1, 4),
    ],
)
def test_the_distance_counts_changes_additions_and_omissions(expected, heard, errors, words):
    assert word_errors(expected, heard) == (errors, words)


def test_without_expected_words_there_is_no_rate():
    assert word_error_rate("(sighs)", "hello") is None and word_error_rate("one two", "one") == 0.5


@pytest.mark.parametrize(
    "number, words",
    [
        ("0", "zero"),
        ("13", "thirteen"),
        ("90", "ninety"),
        ("105", "one hundred five"),
        ("1000000000", "one billion"),
    ],
)
def test_numbers_are_written_out(number, words):
    assert normalised_words(number) == words.split()


def test_numbers_beyond_words_are_read_by_digit():
    assert normalised_words("1" * 13) == ["one"] * 13


TEXTS = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=8).map(" ".join)


@given(TEXTS, TEXTS)
def test_it_is_a_distance(a, b):
    forth, back = word_errors(a, b)[0], word_errors(b, a)[0]
    lengths = len(a.split()), len(b.split())
    assert forth == back and (forth == 0) == (a == b)
    assert abs(lengths[0] - lengths[1]) <= forth <= max(lengths)


@given(st.text(max_size=200))
def test_any_text_is_normalised_once(text):
    words = normalised_words(text)
    assert all(word and word == word.strip() for word in words)
    assert word_errors(text, text)[0] == 0


def test_a_number_longer_than_python_reads_is_read_digit_by_digit():
    assert normalised_words("7" * 5_000) == ["seven"] * 5_000
