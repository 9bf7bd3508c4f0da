"""A run: the table checked as a whole, then what is not done yet rendered, then the results written."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import grid, ledger, report, table
from .comfy.site import Site
from .faults import BadTable, Fault
from .plan import Planner, Task
from .pool import Workers, results
from .progress import Progress
from .store import Store

FAULTS_KEPT = 10_000


@dataclass(frozen=True)
class Order:
    """What is asked for: a table and what to make of it.

    rows: reads the table anew at each call.
    """

    rows: Callable[[], Iterator[table.Row]]
    root: Path
    workflow: str
    is_resumed: bool = False
    is_retrying_failed: bool = False
    is_signed: bool = False
    input_folder: Path | None = None


@dataclass
class Outcome:
    """How a run ended. stopped: why it ended before the table did."""

    ok: int = 0
    failed: int = 0
    skipped: int = 0
    stopped: str = ""
    given_up: list[str] = field(default_factory=list)


def rows_of(file: Path, multiplied_by: grid.Grid) -> Callable[[], Iterator[table.Row]]:
    return lambda: grid.multiplied(table.rows(file), multiplied_by)


def planner(order: Order, site: Site) -> Planner:
    return Planner(site, order.root, order.workflow, order.input_folder, order.is_signed)


def require_good(order: Order, site: Site) -> Iterator[Task]:
    """All tasks, one at a time; what is wrong with any row comes at the end, all of it.

    Raises:
        BadTable
    """
    faults: list[Fault] = []
    count = 0
    for found in planner(order, site).tasks(order.rows()):
        if isinstance(found, Fault):
            faults.append(found)
            if len(faults) == FAULTS_KEPT:
                break
        else:
            count += 1
            yield found
    if faults:
        raise BadTable(faults)
    if not count:
        raise BadTable([Fault("The table is empty: it has no row below its header.")])


def check(order: Order, site: Site) -> int:
    """How many rows there are. Raises: BadTable"""
    return sum(1 for _ in require_good(order, site))


def render(order: Order, store: Store, site: Site, workers: Workers) -> Outcome:
    """Raises: BadTable, before anything is rendered."""
    total = _write_table(order, store, site)
    outcome = Outcome()
    store.refresh()
    tasks = _open_tasks(order, store, site, outcome)
    progress = Progress(total, 0, workers.size)
    try:
        for answer in results(workers, tasks):
            progress.skipped = outcome.skipped
            _take(answer, outcome, progress, store)
    finally:
        progress.skipped = outcome.skipped
        progress.end()
    return outcome


def finish(store: Store) -> None:
    """The results and the report, from what is on disk."""
    for folder in store.work.glob("*/"):
        shutil.rmtree(folder, ignore_errors=True)
    for part in store.clips.glob(".*.part"):
        part.unlink()
    if (store.folder / "table.jsonl").is_file():
        ledger.write(store)
        report.write(store)


def _write_table(order: Order, store: Store, site: Site) -> int:
    """Check every row, and keep them with their keys; the number of rows."""
    count = 0

    def lines() -> Iterator[bytes]:
        nonlocal count
        for task in require_good(order, site):
            count += 1
            yield json.dumps(_row(task)).encode() + b"\n"

    try:
        store.write("table.jsonl", lines())
    except BadTable:
        (store.folder / ".table.jsonl.part").unlink(missing_ok=True)
        raise
    return count


def _row(task: Task) -> dict[str, Any]:
    return {
        "number": task.number,
        "variant": task.variant,
        "cells": task.cells,
        "name": task.name,
        "key": task.key,
    }


def _open_tasks(order: Order, store: Store, site: Site, outcome: Outcome) -> Iterator[dict[str, Any]]:
    """What is still to be rendered; a row that equals an earlier one is rendered once."""
    given: set[bytes] = set()
    for task in require_good(order, site):
        key = bytes.fromhex(task.key)
        if key in given or (order.is_resumed and store.is_done(task.key, order.is_retrying_failed)):
            outcome.skipped += 1
        else:
            yield task.as_dict()
        given.add(key)


def _take(answer: dict[str, Any], outcome: Outcome, progress: Progress, store: Store) -> None:
    status, task = answer["status"], answer["task"]
    if status == "ok":
        outcome.ok += 1
    elif status == "failed":
        outcome.failed += 1
    elif status == "disk_full":
        outcome.stopped = answer["why"]
        return
    elif status == "broken":
        raise RuntimeError(f"row {task['number']}: {answer['why']}")
    elif not answer["again"]:
        outcome.failed += 1
        _give_up(answer, store)
        status = "failed"
    progress.note(status)


def _give_up(answer: dict[str, Any], store: Store) -> None:
    """A row under which every host died is a failure of its own."""
    why = f"ComfyUI died each time: {answer['why']}"
    task = answer["task"]
    record = {
        "key": task["key"],
        "status": "failed",
        "why": why,
        "worker": "",
        "attempt": 0,
        "ended": time.time(),
    }
    store.commit(record)
