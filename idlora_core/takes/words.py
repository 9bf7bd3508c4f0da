"""How many words of a take are wrong: the word error rate of what was heard against what was written.

    WER = (substitutions + deletions + insertions) / words written

Both texts are brought to one form first: lower case and no punctuation, as the paper's evaluation does; and beside
that, so that a spelling does not count as an error, hyphens part words, numbers are written out in English, and titles
such as Mr are too. Scripts without spaces are compared by character.

Source:
    arXiv 2603.10256, A.3: Whisper's transcript, lower case, punctuation off, jiwer.
"""

import re
import unicodedata

DIRECTION = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
HYPHENS = re.compile(r"[-‐-―/]")
APOSTROPHES = re.compile(r"['’ʼ`]")
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
UNSPACED = re.compile(r"[぀-ヿ㐀-鿿豈-﫿฀-๿]")
SHORT_FORMS = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint"}
ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
GROUPS = ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"), (100, "hundred"))
LARGEST_NUMBER, MOST_DIGITS = 10**12, 100  # longer ones are read digit by digit


def normalised_words(text: str) -> list[str]:
    """The words of a text in the form in which they are compared.

    Stage directions, in round or square brackets, are left out.
    """
    text = unicodedata.normalize("NFKC", DIRECTION.sub(" ", text)).lower()
    text = APOSTROPHES.sub(
        "", HYPHENS.sub(" ", NUMBER.sub(_written_out, text.replace("%", " percent ").replace("&", " and ")))
    )
    text = UNSPACED.sub(r" \g<0> ", text)
    kept = "".join(c if c.isalnum() or unicodedata.category(c).startswith("M") else " " for c in text)
    return [SHORT_FORMS.get(word, word) for word in kept.split()]


def word_errors(expected: str, heard: str) -> tuple[int, int]:
    """The least number of words to change, add and leave out, and how many words were expected.

    Levenshtein's distance over the words of both texts.
    """
    wanted, got = normalised_words(expected), normalised_words(heard)
    row = list(range(len(got) + 1))
    for i, word in enumerate(wanted, start=1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(got, start=1):
            change = diagonal + (word != other)
            diagonal, row[j] = row[j], min(change, row[j] + 1, row[j - 1] + 1)
    return row[-1], len(wanted)


def word_error_rate(expected: str, heard: str) -> float | None:
    """Errors per expected word, 0 or more; None where no word is expected."""
    errors, words = word_errors(expected, heard)
    return errors / words if words else None


def _written_out(match: re.Match[str]) -> str:
    whole, _, fraction = match.group().replace(",", "").partition(".")
    number = _cardinal(int(whole)) if len(whole) <= MOST_DIGITS else _digits(whole)
    return f" {number}{' point ' + _digits(fraction) if fraction else ''} "


def _digits(digits: str) -> str:
    return " ".join(ONES[int(digit)] for digit in digits)


def _cardinal(number: int) -> str:
    """A number in English words, without hyphens or `and`."""
    if number >= LARGEST_NUMBER:
        return _digits(str(number))
    if number < 20:
        return ONES[number]
    if number < 100:
        rest = number % 10
        return TENS[number // 10] + (f" {ONES[rest]}" if rest else "")
    size, name = next(group for group in GROUPS if number >= group[0])
    rest = number % size
    return f"{_cardinal(number // size)} {name}" + (f" {_cardinal(rest)}" if rest else "")
