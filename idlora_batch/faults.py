"""What is wrong with a table, all of it at once."""

from collections.abc import Iterable
from dataclasses import dataclass

ROWS_NAMED = 5


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong; `row` counts the table's rows from 1, without the header; None is the whole table."""

    text: str
    row: int | None = None
    column: str | None = None


class BadTable(ValueError):
    """A table that cannot be rendered; `faults` has every reason."""

    def __init__(self, faults: Iterable[Fault]):
        self.faults = tuple(faults)
        super().__init__(described(self.faults))


def described(faults: Iterable[Fault]) -> str:
    """A line for each kind of fault, with the rows that have it.

    row 3, voice: voices/ann.wav is not there.
    rows 1, 2, 3, 4, 5 and 95 more, steps: takes a whole number, got 'many'.
    """
    rows: dict[tuple[str | None, str], list[int]] = {}
    for fault in faults:
        found = rows.setdefault((fault.column, fault.text), [])
        if fault.row is not None and fault.row not in found[-1:]:
            found.append(fault.row)
    return "\n".join(f"{_place(where, column)}{text}" for (column, text), where in rows.items())


def _place(rows: list[int], column: str | None) -> str:
    parts = [_row_text(rows), column if column is None else _short(column)]
    place = ", ".join(part for part in parts if part)
    return f"{place}: " if place else ""


def _row_text(rows: list[int]) -> str:
    if not rows:
        return ""
    named = ", ".join(map(str, rows[:ROWS_NAMED]))
    more = f" and {len(rows) - ROWS_NAMED} more" if len(rows) > ROWS_NAMED else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {named}{more}"


def _short(text: str, longest: int = 80) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
