"""How long a line takes to say."""

import re
import wave

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idlora_core import frames
from idlora_core.speech_length import CALM, PAUSES, RATES, speech_fit, speech_seconds

ENGLISH, MANDARIN, JAPANESE = (CALM * RATES[name] for name in ("LATIN", "HAN", "JAPANESE"))
ARCTIC_SENTENCE = "And you always want to see it in the superlative degree."
# Written signs that are words everywhere; brackets make directions of words and are left out.
words = st.from_regex(r"[^\W_]{1,12}", fullmatch=True)
white_space = st.text(" \t\n\u3000", min_size=1, max_size=3)


def syllables(text, rate=ENGLISH):
    return round(speech_seconds(text) * rate, 6)


@pytest.mark.parametrize(
    ("word", "count"),
    [
        *(("the", 1), ("see", 1), ("you", 1), ("table", 2), ("tables", 2), ("made", 1), ("makes", 1)),
        *(("used", 1), ("wanted", 2), ("voices", 2), ("beyond", 2), ("player", 2), ("superlative", 4)),
        *(("nobody", 3), ("beautiful", 3), ("don't", 1), ("I’m", 1), ("hmm", 1), ("TV", 2), ("BBC", 3)),
        *(("café", 2), ("naïve", 2), ("Straße", 2), ("corazón", 3), ("Ｈｅｌｌｏ", 2)),
    ],
)
def test_latin_words_are_counted_by_their_vowels(word, count):
    assert syllables(word) == count


@pytest.mark.parametrize(
    ("text", "rate", "count"),
    [
        ("привет", CALM * 6.74, 2),
        ("моей", CALM * 6.74, 2),
        ("καλημέρα", CALM * 6.74, 4),
        ("你好世界", MANDARIN, 4),
        ("こんにちは", JAPANESE, 4),
        ("きょう", JAPANESE, 2),
        ("ｶﾀｶﾅ", JAPANESE, 4),
        ("안녕하세요", CALM * 6.74, 5),
    ],
)
def test_other_scripts_have_their_own_count_and_rate(text, rate, count):
    assert syllables(text, rate) == count


@pytest.mark.parametrize(
    ("number", "count"),
    [
        *(
            ("0", 2),
            ("7", 2),
            ("11", 3),
            ("13", 2),
            ("42", 3),
            ("70", 3),
            ("100", 3),
            ("365", 6),
            ("1005", 4),
        ),
        *(
            ("1984", 5),
            ("1900", 4),
            ("2026", 6),
            ("365000", 8),
            ("1,000", 3),
            ("1,000,000", 3),
            ("3.5", 3),
            ("007", 6),
        ),
        *(("10%", 3), ("٤٢", 3), ("1234567890", 12)),
    ],
)
def test_numbers_are_counted_as_the_words_for_them(number, count):
    assert syllables(number) == count


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


@given(st.floats(0, 600), st.floats(1, 120))
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
        "about 3.9 s of speech, the clip has 4.8 s"
    )


def test_without_a_clip_only_the_speech_is_told():
    assert speech_fit("one two three four", 0, 25) == "about 0.9 s of speech"


@pytest.mark.parametrize("speech", ["", "...", "(laughs)"])
@pytest.mark.parametrize("num_frames", [0, 121])
def test_a_line_without_words_says_that_nothing_is_spoken(speech, num_frames):
    assert speech_fit(speech, num_frames, 25) == "Nothing is spoken."


@given(st.lists(st.sampled_from(["one", "seven", "yesterday,", "today."]), min_size=30, max_size=60))
def test_the_cures_for_a_line_that_does_not_fit_are_cures(line):
    message = speech_fit(" ".join(line), 121, 25)
    assert "the clip has 4.8 s: what does not fit is cut. Shorten it to about" in message
    ((num_words, length),) = re.findall(r"about (\d+) words or set length to (\d+)\.", message)
    num_words, length = int(num_words), int(length)
    assert speech_fit(" ".join(line[:num_words]), 121, 25).startswith("about")
    assert "needs" in speech_fit(" ".join(line[: num_words + 1]), 121, 25)
    assert speech_fit(" ".join(line), length, 25).startswith("about")
    assert "needs" in speech_fit(" ".join(line), length - 8, 25)


def test_unspaced_scripts_are_shortened_by_characters():
    assert "about 18 characters or set length to 521" in speech_fit("你好" * 40, 121, 25)


def test_no_cure_is_named_that_is_none():
    assert speech_fit("word " * 10_000, 9, 25).endswith("Shorten it to about 1 word.")
    assert speech_fit("incomprehensibility", 9, 25).endswith("is cut. Set length to 49.")


def test_the_two_figures_of_a_misfit_differ():
    seconds = speech_seconds("one two three")
    assert "needs about 0.7 s, the clip has 0.6 s" in speech_fit("one two three", 1, 1 / (seconds - 0.001))
