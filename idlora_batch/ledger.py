"""The results as tables: a row for each row of the table, in Parquet for programs and in CSV for people."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from .requirements import required
from .scores import numbers
from .store import Store

ROWS_AT_ONCE = 1000
FIXED = (
    "row",
    "name",
    "status",
    "why",
    "seconds",
    "attempt",
    "clip",
    "sha256",
    "bytes",
    "key",
    "worker",
    "lines",
    "notes",
)
TYPES = {"row": "int64", "seconds": "float64", "attempt": "int64", "bytes": "int64"}
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def lines(store: Store) -> Iterator[dict[str, Any]]:
    """Each row of the table with what came of it; "waiting" where nothing has yet."""
    store.refresh()
    for row in store.table():
        record = store.record(row["key"]) or {"status": "waiting"}
        clip, scores = record.get("clip") or {}, record.get("scores") or {}
        yield {
            "row": row["number"],
            "name": row["name"],
            "status": record["status"],
            "why": record.get("why", ""),
            "seconds": record.get("seconds"),
            "attempt": record.get("attempt"),
            "clip": clip.get("file", ""),
            "sha256": clip.get("sha256", ""),
            "bytes": clip.get("bytes"),
            "key": row["key"],
            "worker": record.get("worker", ""),
            "lines": "\n".join(f"{title}: {text}" for title, text in record.get("lines") or []),
            "notes": "\n".join(scores.get("notes") or []),
            "cells": {name: str(value) for name, value in {**row["cells"], **row["variant"]}.items()},
            "scores": numbers(scores),
        }


def write(store: Store) -> None:
    """results.csv, and results.parquet where pyarrow is installed."""
    cells, scores = _columns(store)
    store.write("results.csv", csv_lines(store, cells, scores))
    try:
        _write_parquet(store, cells, scores)
    except RuntimeError as error:
        if "is not installed" not in str(error):
            raise


def _columns(store: Store) -> tuple[list[str], list[str]]:
    """Names of the table's columns and of the scores, in the order in which they come."""
    cells: dict[str, None] = {}
    scores: dict[str, None] = {}
    for line in lines(store):
        cells |= dict.fromkeys(line["cells"])
        scores |= dict.fromkeys(line["scores"])
    return list(cells), list(scores)


def _flat(line: dict[str, Any], cells: list[str], scores: list[str]) -> list[Any]:
    fixed = [line[name] for name in FIXED]
    return [
        *fixed,
        *(line["cells"].get(name, "") for name in cells),
        *(line["scores"].get(name) for name in scores),
    ]


def _names(cells: list[str], scores: list[str]) -> list[str]:
    return [*FIXED, *(f"in.{name}" for name in cells), *(f"score.{name}" for name in scores)]


def csv_lines(store: Store, cells: list[str], scores: list[str]) -> Iterator[bytes]:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front, as spreadsheets themselves do it."""
    yield _csv_line(_names(cells, scores))
    for line in lines(store):
        yield _csv_line(_flat(line, cells, scores))


def _csv_line(values: Iterable[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow([harmless(value) for value in values])
    return text.getvalue().encode()


def harmless(value: Any) -> Any:
    """A cell of a CSV that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _write_parquet(store: Store, cells: list[str], scores: list[str]) -> None:
    arrow, parquet = required("pyarrow"), required("pyarrow.parquet")
    names = _names(cells, scores)
    types = [_arrow_type(arrow, name) for name in names]
    schema = arrow.schema(list(zip(names, types, strict=True)))
    part = store.folder / ".results.parquet.part"
    with parquet.ParquetWriter(part, schema) as writer:
        for batch in _batches(lines(store)):
            columns = zip(*(_flat(line, cells, scores) for line in batch), strict=True)
            arrays = [arrow.array(column, kind) for column, kind in zip(columns, types, strict=True)]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
    store.put_file("results.parquet", part)


def _arrow_type(arrow: Any, name: str) -> Any:
    if name.startswith("score."):
        return arrow.float64()
    return getattr(arrow, TYPES.get(name, "string"))()


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for item in items:
        batch.append(item)
        if len(batch) == ROWS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
