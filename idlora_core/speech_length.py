"""How long a line takes to say, estimated from its text, and whether it fits a clip.

    seconds = syllables / rate + pauses

Rates are those of read speech by Pellegrino, Coupé & Marsico 2011 (Language 87(3), 539-558), in syllables a second:
English 6.19, Mandarin 5.18, Japanese 7.84; 6.74, the mean of their seven languages, for scripts of other languages.
They left pauses out and their readers were fluent; a talking video is calmer. `CALM` of their rates is 4.6 syllables
a second in English, which with pauses comes near the 150 words a minute (2.5 a second) of conversation. A reader of
CMU ARCTIC takes 3.05 s for a sentence that this estimates at 3.45 s.

Only the script of a text is known, not its language: Latin script is timed as English, so that the faster Romance
languages come out up to a fifth too long.
"""

import itertools
import re
import unicodedata
from bisect import bisect_right

from .frames import MAX_LENGTH, length_for

CALM = 0.75
RATES = {"LATIN": 6.19, "HAN": 5.18, "JAPANESE": 7.84}
MEAN_RATE = 6.74

# Campione & Véronis 2002 (Speech Prosody): pauses of read speech in five languages are mostly 0.2 to 1 s.
PHRASE_PAUSE_SECONDS, SENTENCE_PAUSE_SECONDS = 0.2, 0.5
PAUSES = {
    **dict.fromkeys(",;:–—、،؛", PHRASE_PAUSE_SECONDS),
    **dict.fromkeys(".!?。؟।", SENTENCE_PAUSE_SECONDS),
}

DIRECTION = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
NUMBER, WORD = r"\d+(?:[.,:]\d+)*", r"[^\W\d_]+(?:['’][^\W\d_]+)*"
TOKEN = re.compile(rf"(?P<number>{NUMBER})|(?P<word>{WORD})|(?P<other>\S)")

SYMBOL_SYLLABLES = {"%": 2, "&": 1, "+": 1, "=": 2, "@": 1, "$": 2, "€": 2, "£": 1}
DIGIT_SYLLABLES = (2, 1, 1, 1, 1, 1, 1, 2, 1, 1)  # zero to nine
TEEN_SYLLABLES = (1, 3, 1, 2, 2, 2, 2, 3, 2, 2)  # ten to nineteen
LONGEST_NUMBER = 9  # digits; longer ones are read digit by digit

# What makes a syllable; y between vowels does not.
NUCLEI = {
    "LATIN": re.compile(r"(?:[aeiouæœøı]|(?<![aeiou])y|y(?![aeiou]))+"),
    "GREEK": re.compile(r"αι|ει|οι|υι|ου|αυ|ευ|ηυ|[αεηιουω]"),
    "CYRILLIC": re.compile(r"[аеёиоуыэюяіїєѣ]"),
}
SILENT_E = re.compile(
    r"(?<=[^aeiouy])(?<![^aeiouy]l)e$|(?<=[^aeiouytd])ed$|(?<=[^aeiouysxzcgh])(?<![^aeiouy]l)es$"
)
HAN_NAMES, KANA_NAMES = ("CJK", "IDEOGRAPHIC"), ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA")
NO_SYLLABLE_KANA = frozenset("ゃゅょぁぃぅぇぉャュョァィゥェォっッんンー")
KANJI_SYLLABLES = 1.6  # of one character in Japanese, roughly
LETTER_SYLLABLES = 0.6  # of one letter in scripts without a rule here, roughly
UNSPACED = (*HAN_NAMES, *KANA_NAMES, "THAI", "LAO", "KHMER", "MYANMAR")


def speech_seconds(text: str) -> float:
    """Seconds that a calm speaker takes for a text.

    Latin, Greek and Cyrillic words are counted by groups of vowels, Han, kana and Hangul by character, numbers by the
    English words for them. Commas and full stops between words are pauses. What stands in round or square brackets is
    a stage direction and is not counted.

    Args:
        text: any; the amount of white space does not matter.

    Returns:
        seconds, 0 where nothing is spoken. More words never take less.

    Source:
        The module's docstring.
    """
    text = DIRECTION.sub(" ", unicodedata.normalize("NFKC", text))
    is_japanese = any(_script(char) in KANA_NAMES for char in text)
    seconds = pause = 0.0
    for token in TOKEN.finditer(text):
        spoken = _token_seconds(token, is_japanese)
        if spoken:
            seconds += spoken + (pause if seconds else 0.0)
            pause = 0.0
        else:
            pause = max(pause, PAUSES.get(token.group(), 0.0))
    return seconds


def speech_fit(speech: str, num_frames: int, frame_rate: float) -> str:
    """One line on how long the words take, and whether they fit the clip.

    Args:
        speech: the words.
        num_frames: length of the clip; 0 where it is not known.
        frame_rate: of the clip, frames a second.

    Returns:
        a sentence; where the words do not fit, it says how many words would, and what length.
    """
    seconds = speech_seconds(speech)
    if not seconds:
        return "Nothing is spoken."
    if not num_frames:
        return f"about {seconds:.1f} s of speech"
    clip = num_frames / frame_rate
    if seconds <= clip:
        return f"about {seconds:.1f} s of speech, the clip has {clip:.1f} s"
    cures = (_shortening(speech, clip), _lengthening(seconds, frame_rate))
    cure = " or ".join(filter(None, cures)) or "split it over several clips"
    needed = max(seconds, clip + 0.1)  # the two figures never look equal
    return (
        f"The line needs about {needed:.1f} s, the clip has {clip:.1f} s: what does not fit is cut."
        f" {cure[0].upper()}{cure[1:]}."
    )


def _shortening(speech: str, clip_seconds: float) -> str | None:
    """What to cut the words to; None where not even the first fits."""
    letters = [_script(char) for char in speech if char.isalpha()]
    is_spaced = 2 * sum(script in UNSPACED for script in letters) <= len(letters)
    units, separator = (speech.split(), " ") if is_spaced else (list("".join(speech.split())), "")
    lengths = range(1, len(units) + 1)
    fitting = bisect_right(lengths, clip_seconds, key=lambda n: speech_seconds(separator.join(units[:n])))
    unit = "word" if is_spaced else "character"
    return f"shorten it to about {fitting} {unit}{'s' * (fitting > 1)}" if fitting else None


def _lengthening(seconds: float, frame_rate: float) -> str | None:
    """The length that is enough; None where it is more than a clip can have."""
    length = length_for(seconds, frame_rate)
    return f"set length to {length}" if length <= MAX_LENGTH else None


def _token_seconds(token: re.Match[str], is_japanese: bool) -> float:
    text = token.group()
    if token["number"]:
        return _number_syllables(text) / _rate("LATIN")
    if token["other"]:
        return SYMBOL_SYLLABLES.get(text, 0) / _rate("LATIN")
    letters = (char for char in text if char not in "'’")
    runs = itertools.groupby(letters, _script)
    return sum(_run_seconds(script, "".join(run), is_japanese) for script, run in runs)


def _run_seconds(script: str, letters: str, is_japanese: bool) -> float:
    """Seconds of letters of one script."""
    if script in NUCLEI:
        return _word_syllables(script, letters) / _rate(script)
    if script in KANA_NAMES:
        return sum(char not in NO_SYLLABLE_KANA for char in letters) / _rate("JAPANESE")
    if script in HAN_NAMES:
        rate = _rate("JAPANESE") / KANJI_SYLLABLES if is_japanese else _rate("HAN")
        return len(letters) / rate
    return len(letters) * (1 if script == "HANGUL" else LETTER_SYLLABLES) / _rate(script)


def _rate(script: str) -> float:
    return CALM * RATES.get(script, MEAN_RATE)


def _script(char: str) -> str:
    """First word of the character's Unicode name, which is its script."""
    return unicodedata.name(char, "").split(" ")[0]


def _word_syllables(script: str, word: str) -> int:
    """Syllables of a word in an alphabet, at least 1; capitals without a vowel are spelled."""
    folded = word.casefold()
    if script != "CYRILLIC":  # where a letter with a mark is a letter of its own
        folded = "".join(
            char for char in unicodedata.normalize("NFD", folded) if not unicodedata.combining(char)
        )
    nuclei = len(NUCLEI[script].findall(folded))
    if not nuclei and word.isupper():
        return len(word)
    if nuclei > 1 and word.isascii() and SILENT_E.search(folded):
        nuclei -= 1
    return max(nuclei, 1)


def _number_syllables(text: str) -> int:
    """Syllables of a number with separators; "point" and its like take one."""
    parts = re.split("[.,:]", re.sub(r",(?=\d{3}(?!\d))", "", text))
    return sum(_digits_syllables(part) for part in parts) + len(parts) - 1


def _digits_syllables(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER or (len(digits) > 1 and int(digits[0]) == 0):
        return sum(DIGIT_SYLLABLES[int(digit)] for digit in digits)
    return _integer_syllables(int(digits))


def _integer_syllables(number: int) -> int:
    """Of the English words for 0 to 999,999,999; 1100 to 1999 as two pairs, like a year."""
    if number < 10:
        return DIGIT_SYLLABLES[number]
    if number < 20:
        return TEEN_SYLLABLES[number - 10]
    if number < 100:
        return 2 + (number // 10 == 7) + _rest_syllables(number % 10)
    if 1100 <= number < 2000 and number % 100:
        return _integer_syllables(number // 100) + _integer_syllables(number % 100)
    # hundred, thousand, million: two syllables each
    is_hundreds = number < 1000 or 1100 <= number < 2000
    unit = 100 if is_hundreds else 1_000 if number < 1_000_000 else 1_000_000
    return _integer_syllables(number // unit) + 2 + _rest_syllables(number % unit)


def _rest_syllables(number: int) -> int:
    return _integer_syllables(number) if number else 0
