"""A table's rows: CSV, JSON lines or Parquet, read as they are needed."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .faults import BadTable, Fault
from .requirements import required

SUFFIXES = (".csv", ".jsonl", ".ndjson", ".parquet")
MAX_COLUMNS = 500
LONGEST_CELL = 1 << 20
Cell = str | int | float | bool


@dataclass(frozen=True)
class Row:
    """A row of the table; empty cells are left out.

    number: from 1, without the header. variant: what the grid added, in its order.
    """

    number: int
    cells: dict[str, Cell]
    variant: dict[str, Cell] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Cell]:
        return {**self.cells, **self.variant}


def columns(file: Path) -> list[str]:
    """The names of a table's columns; of JSON lines, those of its first row.

    Raises:
        BadTable: not a table, too many columns, a name twice or empty.
    """
    read = {".csv": _csv_columns, ".parquet": _parquet_columns}.get(_suffix(file), _json_columns)
    with _sentences(file):
        names = read(file)
    if len(names) > MAX_COLUMNS:
        raise BadTable([Fault(f"The table has {len(names)} columns; at most {MAX_COLUMNS} are taken.")])
    faults = [
        Fault("This column is there more than once.", column=name)
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if any(not name.strip() for name in names):
        faults.append(Fault("A column has no name. Each needs one in the first line."))
    if faults:
        raise BadTable(faults)
    return names


def rows(file: Path) -> Iterator[Row]:
    """The rows, one at a time; never the whole table in memory.

    Raises:
        BadTable: as `columns`, or a row that cannot be read.
    """
    names = columns(file)
    read = {".csv": _csv_rows, ".parquet": _parquet_rows}.get(_suffix(file), _json_rows)
    with _sentences(file):
        yield from read(file, names)


def _suffix(file: Path) -> str:
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadTable([Fault(f"{file.name} is not a table. Tables end in {', '.join(SUFFIXES)}.")])
    return suffix


class _sentences:
    """Errors of reading a file, as a fault that names it."""

    def __init__(self, file: Path):
        self.file = file

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if isinstance(error, FileNotFoundError):
            raise BadTable([Fault(f"There is no table {self.file}.")]) from error
        if isinstance(error, UnicodeDecodeError):
            raise BadTable(
                [Fault(f"{self.file.name} is not UTF-8 text. Save it as CSV in UTF-8.")]
            ) from error
        if isinstance(error, (csv.Error, OSError)) or type(error).__module__.startswith("pyarrow"):
            raise BadTable([Fault(f"{self.file.name} cannot be read: {error}")]) from error


def _csv_columns(file: Path) -> list[str]:
    csv.field_size_limit(LONGEST_CELL)
    with open(file, encoding="utf-8-sig", newline="") as lines:
        return [name.strip() for name in next(csv.reader(lines, strict=True), [])]


def _csv_rows(file: Path, names: list[str]) -> Iterator[Row]:
    with open(file, encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        next(reader, None)
        for number, cells in enumerate((cells for cells in reader if any(map(str.strip, cells))), 1):
            if len(cells) != len(names):
                raise BadTable([Fault(f"has {len(cells)} cells, the header {len(names)}.", row=number)])
            yield Row(number, _given(dict(zip(names, cells, strict=True)), number))


def _json_columns(file: Path) -> list[str]:
    return next((list(cells) for _, cells in _json_objects(file)), [])


def _json_rows(file: Path, _: list[str]) -> Iterator[Row]:
    for number, cells in _json_objects(file):
        yield Row(number, _given(cells, number))


def _json_objects(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with open(file, encoding="utf-8-sig") as lines:
        for number, line in enumerate((line for line in lines if line.strip()), 1):
            try:
                cells = json.loads(line)
            except json.JSONDecodeError as error:
                raise BadTable([Fault(f"is not valid JSON: {error.msg}.", row=number)]) from error
            if not isinstance(cells, dict):
                raise BadTable([Fault('is not a JSON object such as {"speech": "Hello."}.', row=number)])
            if len(cells) > MAX_COLUMNS:
                text = f"has {len(cells)} columns; at most {MAX_COLUMNS} are taken."
                raise BadTable([Fault(text, row=number)])
            yield number, cells


def _parquet_columns(file: Path) -> list[str]:
    return list(required("pyarrow.parquet").read_schema(file).names)


def _parquet_rows(file: Path, names: list[str]) -> Iterator[Row]:
    with required("pyarrow.parquet").ParquetFile(file) as table:
        number = 0
        for batch in table.iter_batches(batch_size=1000):
            for cells in batch.to_pylist():
                number += 1
                yield Row(number, _given(cells, number))


def _given(cells: dict[str, Any], number: int) -> dict[str, Cell]:
    """The cells that are not empty; text without the blanks around it."""
    given: dict[str, Cell] = {}
    for name, value in cells.items():
        value = value.strip() if isinstance(value, str) else value
        if value is None or value == "":
            continue
        if not isinstance(value, (str, int, float, bool)):
            raise BadTable([Fault(f"takes text or a number, got {type(value).__name__}.", number, name)])
        given[name] = value
    return given
