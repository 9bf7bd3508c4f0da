"""What listeners answered, beside which clip was which."""

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..requirements import required
from ..store import Store
from .listening import KEY
from .question import Question
from .statistics import Estimate, Preference, holm, preference, two_way_interval

COLUMNS = {"page", "listener", "position", "trial", "left", "right", "answer", "seconds"}
MARKS = ("1", "2", "3", "4", "5")
TIE = "tie"
Place = tuple[int, int]


@dataclass(frozen=True)
class Answer:
    listener: str
    left: str
    right: str
    answer: str


@dataclass(frozen=True)
class Preferred:
    """One setting against the base. share: of the setting, ties as a half, listeners and clips resampled together."""

    setting: str
    counts: Preference
    p_adjusted: float
    share: Estimate


@dataclass(frozen=True)
class Marked:
    """Mean opinion of one setting, and its difference from the base on the same case and seed."""

    setting: str
    own: Estimate
    difference: Estimate | None


def read(files: Iterable[Path]) -> list[Answer]:
    """All answers; a listener who saved twice counts with the last.

    Raises:
        ValueError: a file that a listening page did not write.
    """
    answers: dict[tuple[str, str, str], Answer] = {}
    for file in files:
        try:
            with open(file, encoding="utf-8-sig", newline="") as lines:
                reader = csv.DictReader(lines)
                if not set(reader.fieldnames or ()) >= COLUMNS:
                    raise ValueError(f"{file.name} is not a file of answers; it lacks columns.")
                for line in reader:
                    listener = line["listener"].removeprefix("'")
                    answers[line["page"], listener, line["trial"]] = Answer(
                        listener, line["left"], line["right"], line["answer"]
                    )
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"{file} cannot be read: {error}") from error
    if not answers:
        raise ValueError("The files hold no answers.")
    return list(answers.values())


def key_of(store: Store) -> dict[str, Any]:
    try:
        return json.loads((store.folder / KEY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{store} has no {KEY}; make the pages first: study pages {store}") from None


def preferences(question: Question, key: dict[str, Any], answers: list[Answer]) -> list[Preferred]:
    """The A/B answers, per setting other than the base.

    Raises:
        ValueError: an answer about a clip that is not in the key: the pages were made again since.
    """
    found: dict[str, list[tuple[str, Place, float]]] = {}
    for answer in answers:
        if not answer.right:
            continue
        left, right = (_clip(key["ab"], name) for name in (answer.left, answer.right))
        other = left if right["setting"] == question.base else right
        place = (other["case"], other["seed"])
        if answer.answer == TIE:
            won = 0.5
        else:
            won = float(_clip(key["ab"], answer.answer)["setting"] != question.base)
        found.setdefault(other["setting"], []).append((answer.listener, place, won))
    counts = {
        setting: preference(
            sum(won == 1 for *_, won in given),
            sum(won == 0 for *_, won in given),
            sum(won == 0.5 for *_, won in given),
        )
        for setting, given in found.items()
    }
    adjusted = holm([count.p for count in counts.values()])
    return [
        Preferred(setting, counts[setting], p, two_way_interval(_matrix(found[setting])))
        for setting, p in zip(counts, adjusted, strict=True)
    ]


def marks(question: Question, key: dict[str, Any], answers: list[Answer]) -> list[Marked]:
    """The MOS answers, per setting. Raises: ValueError: as `preferences`, or an answer that is no mark."""
    found: dict[str, dict[tuple[str, Place], float]] = {}
    for answer in answers:
        if answer.right:
            continue
        if answer.answer not in MARKS:
            raise ValueError(f"{answer.answer!r} is not a mark from 1 to 5.")
        clip = _clip(key["mos"], answer.left)
        found.setdefault(clip["setting"], {})[answer.listener, (clip["case"], clip["seed"])] = float(
            answer.answer
        )
    base = found.get(question.base, {})
    marked = []
    for setting in (setting.name for setting in question.settings if setting.name in found):
        own = found[setting]
        differences = [(*place, own[place] - base[place]) for place in own if place in base]
        difference = None if setting == question.base else two_way_interval(_matrix(differences))
        marked.append(
            Marked(setting, two_way_interval(_matrix([(*place, own[place]) for place in own])), difference)
        )
    return marked


def _clip(key: dict[str, Any], name: str) -> dict[str, Any]:
    if name not in key:
        raise ValueError(
            f"The answers name a clip {name} that these pages do not have; were they made again since?"
        )
    return key[name]


def _matrix(given: list[tuple[str, Place, float]]) -> Any:
    """(listeners, clips), NaN where there is no answer."""
    numpy = required("numpy")
    listeners = sorted({listener for listener, _, _ in given})
    places = sorted({place for _, place, _ in given})
    matrix = numpy.full((len(listeners), len(places)), numpy.nan)
    for listener, place, value in given:
        matrix[listeners.index(listener), places.index(place)] = value
    return matrix
