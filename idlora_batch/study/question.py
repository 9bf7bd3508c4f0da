"""A question: cases, settings and seeds, and the rows that answer it.

title = "Does ... ?"
workflow = "idlora_one_stage"
seeds = "1..8"
base = "exact"
ask = "Which clip do you prefer?"      # what listeners are asked

[[settings]]
name = "exact"
speed = "exact"

[[cases]]                              # or --cases TABLE
name = "kitchen"
face = "ann.png"
voice = "ann.wav"
speech = "Good morning."
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import grid, table
from ..table import Cell, Row

SHIPPED = Path(__file__).resolve().parent / "questions"
KEYS = {"title", "about", "workflow", "seeds", "base", "ask", "settings", "cases"}
ASK = "Which clip do you prefer?"


@dataclass(frozen=True)
class Setting:
    name: str
    values: dict[str, Cell]


@dataclass(frozen=True)
class Question:
    """base: the setting that the others are compared with."""

    title: str
    about: str
    workflow: str
    seeds: tuple[int, ...]
    base: str
    ask: str
    settings: tuple[Setting, ...]
    cases: tuple[dict[str, Cell], ...]

    def rows(self) -> Iterator[Row]:
        """Case by case, seed by seed, with the settings beside each other: an early look compares like with like."""
        for number, (case, seed, setting) in enumerate(self.cells(), 1):
            given = {name: value for name, value in self.cases[case].items() if name != "name"}
            yield Row(number, {**given, "seed": seed}, self.settings[setting].values)

    def cells(self) -> Iterator[tuple[int, int, int]]:
        """Case, seed and setting of each row."""
        for case in range(len(self.cases)):
            for seed in self.seeds:
                for setting in range(len(self.settings)):
                    yield case, seed, setting

    def with_cases(self, file: Path) -> "Question":
        return replace(self, cases=tuple(row.cells for row in table.rows(file)))

    def with_seeds(self, text: str) -> "Question":
        return replace(self, seeds=_seeds(text))


def found(name: str) -> Path:
    """The file of a question: a path, or the name of a shipped one. Raises: ValueError"""
    shipped = SHIPPED / f"{name}.toml"
    if shipped.is_file():
        return shipped
    if Path(name).is_file():
        return Path(name)
    names = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.toml")))
    raise ValueError(f"{name} is neither a file nor one of the shipped questions ({names}).")


def load(file: Path) -> Question:
    """Raises: ValueError: not a question; with what is wrong."""
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        import tomli as tomllib
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
        return _checked(given)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{file.name}: {error!s}") from error
    except ValueError as error:
        raise ValueError(f"{file.name}: {error}") from error


def _checked(given: dict[str, Any]) -> Question:
    unknown = sorted(set(given) - KEYS)
    if unknown:
        raise ValueError(f"has unknown keys {', '.join(unknown)}; it takes {', '.join(sorted(KEYS))}.")
    settings = tuple(
        Setting(str(item.pop("name", "")), item) for item in map(dict, given.get("settings", []))
    )
    names = [setting.name for setting in settings]
    if len(settings) < 2 or not all(names) or len(set(names)) < len(names):
        raise ValueError("needs two [[settings]] or more, each with a name of its own.")
    base = str(given.get("base", names[0]))
    if base not in names:
        raise ValueError(f"base is {base}, which is none of the settings ({', '.join(names)}).")
    cases = tuple(dict(case) for case in given.get("cases", []))
    return Question(
        str(given.get("title", "A question")),
        str(given.get("about", "")),
        str(given.get("workflow", "idlora_one_stage")),
        _seeds(str(given.get("seeds", "1..4"))),
        base,
        str(given.get("ask", ASK)),
        settings,
        cases,
    )


def _seeds(text: str) -> tuple[int, ...]:
    """ "1..8" or "3,5,9"."""
    values = grid.parse(f"seed={text}")["seed"]
    try:
        return tuple(int(value) for value in values)
    except ValueError:
        raise ValueError(f"seeds are {text}; write 1..8 or 3,5,9.") from None
