"""How long a line takes to say, estimated from its characters, and whether it fits a clip.

    seconds = characters / characters a second of their script + pauses between words

Syllables a second of read speech are those of Pellegrino, Coupé & Marsico 2011 (Language 87(3), 539-558): English 6.19,
Mandarin 5.18, Japanese 7.84, the mean of their seven languages 6.74. Three quarters of them, a calm delivery, give
running English with its pauses about 160 words a minute. Letters a syllable are rough means of
running text: English 2.8, Spanish 2.3 at a higher rate, so that one figure does for Latin script. The estimate is good
for a hint: by a fifth either way for a fluent reader, more for one who is not.

`web/js/speech.js` says the same while the words are typed: change both.
"""

import math
import re
import unicodedata
from bisect import bisect_right
from functools import lru_cache

from .frames import MAX_LENGTH, checked_frame_rate, length_for

CHARACTERS_PER_SECOND = {
    "LATIN": 13.0,  # 6.19 x 0.75 syllables of 2.8 letters
    "CYRILLIC": 12.0,  # 6.74 x 0.75 syllables of 2.4 letters
    "GREEK": 11.0,
    "HANGUL": 5.1,  # a character is a syllable
    "CJK": 3.8,  # 5.18 x 0.75; in Japanese a character has 1.6 syllables, at 7.84 x 0.75
    "HIRAGANA": 5.9,
    "KATAKANA": 5.9,
    "DIGIT": 3.1,  # 1.5 syllables a digit
}
OTHER_SCRIPTS = 8.4  # 6.74 x 0.75 syllables of 1.7 letters: vowels are signs, or not written
SAME_SCRIPT = {"IDEOGRAPHIC": "CJK", "HENTAIGANA": "HIRAGANA"}  # by the first words of their Unicode names
UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")

# Campione & Véronis 2002 (Speech Prosody): pauses of read speech in five languages are mostly 0.2 to 1 s.
PAUSES = {**dict.fromkeys(",;:–—、،؛", 0.2), **dict.fromkeys(".!?。؟।", 0.5)}
DIRECTION = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")


def speech_seconds(text: str) -> float:
    """Seconds that a calm speaker takes for a text; 0 where nothing is spoken. More words never take less.

    Commas and full stops between words are pauses. What stands in round or square brackets is a stage direction and
    is not counted.
    """
    seconds = pause = 0.0
    for character in DIRECTION.sub(" ", unicodedata.normalize("NFKC", text)):
        if script := _script(character):
            seconds += 1 / CHARACTERS_PER_SECOND.get(script, OTHER_SCRIPTS) + (pause if seconds else 0.0)
            pause = 0.0
        else:
            pause = max(pause, PAUSES.get(character, 0.0))
    return seconds


def speech_fit(speech: str, num_frames: int, frame_rate: float) -> str:
    """One line on how long the words take, and whether they fit the clip.

    Args:
        speech: the words.
        num_frames: length of the clip; 0 where it is not known.
        frame_rate: of the clip, frames per second; read only with a length.

    Returns:
        a sentence; where the words do not fit, it says how many words would, and what length.

    Raises:
        ValueError: it is not a frame rate.
    """
    seconds = speech_seconds(speech)
    if not seconds:
        return "The speech field is empty."
    if num_frames <= 0:
        return f"about {seconds:.1f} s of speech"
    clip = num_frames / checked_frame_rate(frame_rate)
    if seconds <= clip:
        return f"about {seconds:.1f} s of speech; the clip is {clip:.1f} s long"
    advice = " or ".join(filter(None, (_shortening(speech, clip), _lengthening(seconds, frame_rate))))
    advice = advice or "split it over several clips"
    needed = max(seconds, clip + 0.1)  # the two figures never look equal
    return (
        f"The line needs about {needed:.1f} s and the clip is {clip:.1f} s long: the rest will be cut off."
        f" {advice[0].upper()}{advice[1:]}."
    )


def words_fit(speech: str, num_frames: int, frame_rate: float) -> bool:
    """Whether the words have time enough in the clip; a length of 0 is not known, and has."""
    return num_frames <= 0 or speech_seconds(speech) <= num_frames / checked_frame_rate(frame_rate)


def _shortening(speech: str, clip_seconds: float) -> str | None:
    """What to cut the words to; None where not even the first fits."""
    scripts = [script for character in speech if (script := _script(character))]
    is_spaced = 2 * sum(script in UNSPACED for script in scripts) <= len(scripts)
    units, separator = (speech.split(), " ") if is_spaced else (list("".join(speech.split())), "")
    lengths = range(1, len(units) + 1)
    fitting = bisect_right(lengths, clip_seconds, key=lambda n: speech_seconds(separator.join(units[:n])))
    unit = "word" if is_spaced else "character"
    return f"shorten it to about {fitting} {unit}{'s' * (fitting > 1)}" if fitting else None


def _lengthening(seconds: float, frame_rate: float) -> str | None:
    """The clip that is enough, on whole tenths of a second; None where it is more than a clip can have."""
    enough = math.ceil(round(seconds * 10, 6)) / 10
    length = length_for(enough, frame_rate)
    return f"give the clip {enough:.1f} s ({length} frames)" if length <= MAX_LENGTH else None


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    """The script of a letter, by its Unicode name, or DIGIT; empty for what is not spoken."""
    if character.isdecimal():
        return "DIGIT"
    if not character.isalpha():
        return ""
    first = re.split("[ -]", unicodedata.name(character, "OTHER"))[0]
    return SAME_SCRIPT.get(first, first)
