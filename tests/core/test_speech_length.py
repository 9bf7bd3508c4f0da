"""How long a line takes to say."""

import re
import time
import wave

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idlora_core import frames
from idlora_core.speech_length import CHARACTERS_PER_SECOND, OTHER_SCRIPTS, PAUSES, speech_fit, speech_seconds

ARCTIC_SENTENCE = "And you always want to see it in the superlative degree."
# Written signs that are words everywhere; brackets make directions of words and are left out.
words = st.from_regex(r"[^\W_]{1,12}", fullmatch=True)
white_space = st.text(" \t\n\u3000", min_size=1, max_size=3)


@pytest.mark.parametrize(
    ("text", "script", "count"),
    [
        ("table", "LATIN", 5),
        ("don't", "LATIN", 4),
        ("Straße", "LATIN", 6),
        ("Ｈｅｌｌｏ", "LATIN", 5),
        ("привет", "CYRILLIC", 6),
        ("καλημέρα", "GREEK", 8),
        ("你好世界", "CJK", 4),
        ("こんにちは", "HIRAGANA", 5),
        ("ｶﾀｶﾅ", "KATAKANA", 4),
        ("안녕하세요", "HANGUL", 5),
        ("٤٢", "DIGIT", 2),
        ("1984", "DIGIT", 4),
    ],
)
def test_characters_take_the_time_of_their_script(text, script, count):
    assert speech_seconds(text) == pytest.approx(count / CHARACTERS_PER_SECOND[script])


def test_a_script_without_a_rate_takes_that_of_the_others():
    assert speech_seconds("שלום") == pytest.approx(4 / OTHER_SCRIPTS)


def test_a_line_of_any_length_takes_less_than_a_second():
    start = time.process_time()
    assert speech_fit("What is said, and again. " * 2000, 121, 25)
    assert time.process_time() - start < 1


def test_english_with_its_pauses_is_spoken_at_a_calm_rate():
    """The opening of a speech that everyone knows, 2.5 to 3 words a second."""
    line = "Four score and seven years ago our fathers brought forth on this continent, a new nation."
    assert 2.5 < len(line.split()) / speech_seconds(line) < 3


@pytest.mark.parametrize("sign", sorted(PAUSES))
def test_a_sign_between_words_is_a_pause_and_at_the_ends_is_none(sign):
    together = speech_seconds("one two")
    assert speech_seconds(f"one{sign} two") == pytest.approx(together + PAUSES[sign])
    assert speech_seconds(f"{sign} one two{sign}") == pytest.approx(together)


def test_signs_in_a_row_are_one_pause():
    assert speech_seconds("one, ...?! two") == speech_seconds("one. two")


@pytest.mark.parametrize("text", ["", " \n", "...", "(laughs)", "[sighs] (a pause)", "“—”"])
def test_nothing_spoken_takes_no_time(text):
    assert speech_seconds(text) == 0


def test_directions_in_brackets_are_not_spoken():
    assert speech_seconds("Hello (she smiles) there [laughs]") == speech_seconds("Hello there")


@given(st.text(), words)
def test_more_words_never_take_less(text, word):
    assert speech_seconds(f"{text} {word}") >= speech_seconds(text) >= 0


@given(st.lists(words), st.lists(white_space, min_size=1))
def test_the_amount_of_white_space_does_not_matter(line, spaces):
    spaced = "".join(word + spaces[i % len(spaces)] for i, word in enumerate(line))
    assert speech_seconds(spaces[0] + spaced) == speech_seconds(" ".join(line))


@given(st.text(), st.integers(0, frames.MAX_LENGTH), st.floats(1, 120))
def test_any_text_gets_a_line(text, num_frames, frame_rate):
    assert speech_fit(text, num_frames, frame_rate)


@given(st.floats(0, 130), st.floats(1, 120))
def test_the_length_for_a_time_is_the_shortest_that_holds_it(seconds, frame_rate):
    length = frames.length_for(seconds, frame_rate)
    assert frames.checked_length(length) == length
    assert length + 1e-6 >= seconds * frame_rate
    assert length == 1 or (length - frames.FRAMES_PER_LATENT) < seconds * frame_rate


def test_recorded_speech_takes_as_long_as_estimated(recorded_speech):
    """CMU ARCTIC a0007, a reader who is a little quicker than the calm rate."""
    spoken = spoken_seconds(recorded_speech)
    assert 2.8 < spoken < 3.3  # the file is 4 s, with silence at both ends
    assert spoken <= speech_seconds(ARCTIC_SENTENCE) <= 1.2 * spoken


def spoken_seconds(wav):
    """From the first to the last 50 ms that are less than 26 dB below the loudest."""
    with wave.open(str(wav)) as file:
        rate, samples = file.getframerate(), numpy.frombuffer(file.readframes(-1), "<i2") / 2.0**15
    size = rate // 20
    power = (samples[: len(samples) // size * size].reshape(-1, size) ** 2).mean(axis=1)
    loud = numpy.flatnonzero(power > power.max() / 10**2.6)
    return (loud[-1] - loud[0] + 1) / 20


def test_a_line_that_fits_says_so():
    assert speech_fit("Hello! I am only a drawing, but today I can speak.", 121, 25) == (
        "about 3.5 s of speech; the clip is 4.8 s long"
    )


def test_without_a_clip_only_the_speech_is_told():
    assert speech_fit("one two three four", 0, 25) == "about 1.2 s of speech"


@pytest.mark.parametrize("speech", ["", "...", "(laughs)"])
@pytest.mark.parametrize("num_frames", [0, 121])
def test_a_line_without_words_is_called_empty(speech, num_frames):
    assert speech_fit(speech, num_frames, 25) == "The speech field is empty."


@given(st.lists(st.sampled_from(["one", "seven", "yesterday,", "today."]), min_size=30, max_size=60))
def test_the_cures_for_a_line_that_does_not_fit_are_cures(line):
    message = speech_fit(" ".join(line), 121, 25)
    assert "the clip is 4.8 s long: the rest will be cut off. Shorten it to about" in message
    ((num_words, length),) = re.findall(
        r"about (\d+) words or give the clip [\d.]+ s \((\d+) frames\)\.", message
    )
    num_words, length = int(num_words), int(length)
    assert speech_fit(" ".join(line[:num_words]), 121, 25).startswith("about")
    assert "needs" in speech_fit(" ".join(line[: num_words + 1]), 121, 25)
    assert speech_fit(" ".join(line), length, 25).startswith("about")
    # Whole tenths of a second may take one step of 8 frames more than the words.
    assert "needs" in speech_fit(" ".join(line), length - 16, 25)


def test_unspaced_scripts_are_shortened_by_characters():
    assert "about 18 characters or give the clip 21.1 s (529 frames)" in speech_fit("你好" * 40, 121, 25)


def test_no_cure_is_named_that_is_none():
    assert speech_fit("word " * 10_000, 9, 25).endswith("Shorten it to about 1 word.")
    assert speech_fit("incomprehensibility", 9, 25).endswith("cut off. Give the clip 1.5 s (41 frames).")


def test_the_two_figures_of_a_misfit_differ():
    seconds = speech_seconds("one two three")
    assert "needs about 0.9 s and the clip is 0.8 s long" in speech_fit(
        "one two three", 1, 1 / (seconds - 0.001)
    )
