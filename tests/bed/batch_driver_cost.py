"""What the driver itself costs: rows a second and memory, with actors that do nothing.

    python tests/bed/batch_driver_cost.py --rows 100000 --actors 2

The rows go through what a run's rows go through but the planner and the disk: the pool, Ray, the count of progress.
"""

import argparse
import io
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))

from idlora_batch.on_ray import RayWorkers
from idlora_batch.pool import results
from idlora_batch.progress import Progress

MIB = 2**20


class Idle:
    """An actor that answers at once."""

    def render(self, task: dict[str, Any], attempt: int) -> dict[str, Any]:
        return {"key": task["key"], "status": "ok"}

    def close(self) -> None:
        pass


def tasks(rows: int) -> Iterator[dict[str, Any]]:
    """Tasks of the size of a real one: its graph has five kilobytes."""
    graph = {str(node): {"class_type": "Node", "inputs": {"text": "x" * 200}} for node in range(20)}
    for row in range(rows):
        yield {"key": f"{row:040x}", "number": row, "graph": graph, "files": {}}


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / MIB


def measure(rows: int, actors: int) -> dict[str, Any]:
    """Rows a second, and resident MiB after some numbers of rows."""
    memory: dict[int, float] = {}
    with RayWorkers((), actors, 0.0, actor=Idle) as workers:
        progress = Progress(rows, 0, actors, out=io.StringIO())
        started, seen = 0.0, 0
        for answer in results(workers, tasks(rows)):
            progress.note(answer["status"])
            seen += 1
            if seen == 1:
                started = time.monotonic()
            if seen == 1 or seen == rows or seen % max(rows // 10, 1) == 0:
                memory[seen] = round(resident_mib(), 1)
        seconds = time.monotonic() - started
    return {
        "rows": seen,
        "ok": progress.ok,
        "seconds": round(seconds, 1),
        "per_second": round(seen / seconds),
        "mib": memory,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--actors", type=int, default=2)
    options = parser.parse_args()
    print(measure(options.rows, options.actors))
