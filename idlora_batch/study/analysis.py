"""What the scores of a study say: per setting, and in pairs against the base."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .. import ledger
from ..store import Store
from .question import Question
from .statistics import Estimate, mean_interval, pairs_needed

Place = tuple[int, int]  # case and seed


@dataclass(frozen=True)
class Compared:
    """One score of one setting. pairs_needed: as `statistics.pairs_needed` has it, for settings other than the base."""

    setting: str
    own: Estimate
    difference: Estimate | None
    pairs_needed: int | None


@dataclass(frozen=True)
class Score:
    name: str
    settings: tuple[Compared, ...]


def scores(question: Question, values: dict[str, dict[str, dict[Place, float]]]) -> Iterator[Score]:
    """For each score its settings, in the question's order.

    values: score -> setting -> (case, seed) -> number, as `collected` gives them.
    """
    for name, by_setting in values.items():
        base = by_setting.get(question.base, {})
        compared = []
        for setting in question.settings:
            own = by_setting.get(setting.name, {})
            is_base = setting.name == question.base
            pairs = [own[place] - base[place] for place in own if place in base]
            compared.append(
                Compared(
                    setting.name,
                    mean_interval(list(own.values())),
                    None if is_base else mean_interval(pairs),
                    None if is_base else pairs_needed(pairs),
                )
            )
        yield Score(name, tuple(compared))


def collected(question: Question, store: Store) -> dict[str, dict[str, dict[Place, float]]]:
    """The scores of all clips that are done."""
    values: dict[str, dict[str, dict[Place, float]]] = {}
    for (case, seed, setting), line in placed(question, store):
        for name, score in line["scores"].items():
            of_setting = values.setdefault(name, {}).setdefault(question.settings[setting].name, {})
            of_setting[case, seed] = score
    return values


def placed(question: Question, store: Store) -> Iterator[tuple[tuple[int, int, int], dict[str, Any]]]:
    """Each line of the results with its case, seed and setting."""
    lines = {line["row"]: line for line in ledger.lines(store)}
    for number, place in enumerate(question.cells(), 1):
        if number in lines:
            yield place, lines[number]
