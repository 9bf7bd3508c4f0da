"""`--grid "speed=exact,fast seed=1..8"`: each row once for each combination of values."""

import itertools
import re
import shlex
from collections.abc import Iterable, Iterator

from .faults import BadTable, Fault
from .table import Cell, Row

RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)")
LARGEST = 10_000  # combinations; a slip such as seed=1..1000000 is refused
Grid = dict[str, list[Cell]]


def parse(text: str) -> Grid:
    """Column -> its values.

    Raises:
        ValueError: not of the form `column=value,value column=first..last`, or more than 10,000 combinations.
    """
    grid: Grid = {}
    for part in shlex.split(text):
        name, equals, values = part.partition("=")
        if not (name and equals and values):
            raise ValueError(
                f'--grid has {part!r}; write column=value,value, such as "speed=exact,fast seed=1..8".'
            )
        if name in grid:
            raise ValueError(f"--grid names {name} twice.")
        grid[name] = [value for item in values.split(",") for value in _values(item)]
    if size(grid) > LARGEST:
        raise ValueError(f"--grid makes {size(grid)} combinations of each row; at most {LARGEST} are taken.")
    return grid


def size(grid: Grid) -> int:
    """How many rows one row becomes."""
    product = 1
    for values in grid.values():
        product *= len(values)
    return product


def _values(item: str) -> Iterable[Cell]:
    found = RANGE.fullmatch(item)
    if not found:
        return [item]
    first, last = int(found[1]), int(found[2])
    if last < first or last - first >= LARGEST:
        raise ValueError(f"--grid has {item}; a range goes up, by at most {LARGEST} values.")
    return range(first, last + 1)


def multiplied(rows: Iterable[Row], grid: Grid) -> Iterator[Row]:
    """Each row with each combination of the grid's values.

    Raises:
        BadTable: a column is in both.
    """
    combinations = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    for row in rows:
        both = [name for name in grid if name in row.cells]
        if both:
            raise BadTable(
                [Fault("is in the table and in --grid; leave it out of one.", column=name) for name in both]
            )
        for variant in combinations:
            yield Row(row.number, row.cells, variant)
