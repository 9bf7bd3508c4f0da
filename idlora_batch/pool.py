"""Rows on workers: one in hand each, results as they come, rows of the dead done again."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from .renderer import Answer

TRIES = 3  # a row that kills every host would otherwise never end
AGAIN = ("host_died", "worker_died")


class Workers(Protocol):
    """Where rows are rendered; a worker is a number."""

    size: int

    def give(self, worker: int, task: dict[str, Any], attempt: int) -> None:
        """Start a row on a free worker; returns at once."""
        ...

    def answers(self) -> Iterator[tuple[int, Answer]]:
        """What has come since; waits a second at most, so that Ctrl-C is heard."""
        ...


def results(workers: Workers, tasks: Iterable[dict[str, Any]], tries: int = TRIES) -> Iterator[Answer]:
    """Each row's answer, as they come. The tasks are read as workers get free: never all in memory.

    An answer of a death has `again`: whether the row is tried once more. A full disk gives no further row out, and
    ends when what is in hand has ended.
    """
    waiting, free = iter(tasks), list(range(workers.size))
    in_hand: dict[int, dict[str, Any]] = {}
    deaths: dict[str, int] = {}
    returned: list[dict[str, Any]] = []
    is_open = True
    while True:
        while free and is_open:
            task = returned.pop(0) if returned else next(waiting, None)
            if task is None:
                break
            worker = free.pop()
            in_hand[worker] = task
            workers.give(worker, task, deaths.get(task["key"], 0) + 1)
        if not in_hand:
            return
        for worker, answer in workers.answers():
            task = in_hand.pop(worker)
            free.append(worker)
            if answer["status"] in AGAIN:
                deaths[task["key"]] = deaths.get(task["key"], 0) + 1
                is_again = deaths[task["key"]] < tries
                if is_again:
                    returned.append(task)
                answer = {**answer, "again": is_again}
            else:
                deaths.pop(task["key"], None)
            is_open = is_open and answer["status"] != "disk_full"
            yield {**answer, "task": task}
