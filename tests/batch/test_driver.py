"""The pool: every row once, deaths retried a few times and no more, and a driver whose memory does not grow."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from bed import batch_runs as runs
from bed.versions import TESTS
from idlora_batch.pool import TRIES, results
from idlora_batch.store import DiskFull, ObjectStore, Store

ROWS = 3000


class Scripted:
    """Two workers whose answers are a list for each key; "ok" when it is used up."""

    size = 2

    def __init__(self, script: dict[str, list[str]]):
        self.script = script
        self.in_hand: dict[int, str] = {}
        self.given: list[tuple[str, int]] = []

    def give(self, worker: int, task: dict[str, Any], attempt: int) -> None:
        assert worker not in self.in_hand
        self.in_hand[worker] = task["key"]
        self.given.append((task["key"], attempt))

    def answers(self) -> Iterator[tuple[int, dict[str, Any]]]:
        worker = min(self.in_hand)
        key = self.in_hand.pop(worker)
        status = self.script[key].pop(0) if self.script.get(key) else "ok"
        yield worker, {"key": key, "status": status, "why": ""}


def tasks(*keys: str) -> list[dict[str, Any]]:
    return [{"key": key} for key in keys]


def test_a_death_is_tried_again_and_the_row_given_up_after_three():
    workers = Scripted({"a": ["host_died", "worker_died"], "b": ["host_died"] * 9})
    ended = [
        (answer["task"]["key"], answer["status"], answer.get("again"))
        for answer in results(workers, tasks("a", "b", "c"))
    ]
    assert sorted(key for key, status, _ in ended if status == "ok") == ["a", "c"]
    assert [again for key, _, again in ended if key == "b"] == [True] * (TRIES - 1) + [False]
    assert [attempt for key, attempt in workers.given if key == "a"] == [1, 2, 3]


def test_a_full_disk_gives_no_further_row_out():
    workers = Scripted({"a": ["disk_full"]})
    ended = [answer["task"]["key"] for answer in results(workers, tasks(*"abcdef"))]
    assert ended == ["a", "b"]


def test_the_table_is_read_as_workers_get_free():
    read = []

    def endless() -> Iterator[dict[str, Any]]:
        for number in range(10**9):
            read.append(number)
            yield {"key": str(number)}

    answers = results(Scripted({}), endless())
    for _ in range(10):
        next(answers)
    assert len(read) <= 12


@pytest.mark.parametrize("actors", [2])
def test_the_drivers_memory_is_flat_with_real_actors(actors):
    command = [
        sys.executable,
        str(TESTS / "bed" / "batch_driver_cost.py"),
        f"--rows={ROWS}",
        f"--actors={actors}",
    ]
    done = subprocess.run(
        [sys.executable, str(runs.OWN_NETWORK), *command],
        capture_output=True,
        text=True,
        timeout=runs.LONGEST,
    )
    assert done.returncode == 0, done.stderr
    found = ast.literal_eval(done.stdout.strip().splitlines()[-1])
    assert found["rows"] == found["ok"] == ROWS
    assert found["mib"][ROWS] - found["mib"][ROWS // 5] < 10


def record(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "status": "ok", "ended": 1.0, **more}


def test_a_part_of_a_record_is_no_record_and_a_clip_of_another_size_is_not_done(tmp_path):
    store = Store(tmp_path)
    store.prepare()
    for key in ("a", "b"):
        store.part(key).write_bytes(b"clip")
        store.commit(record(key), store.part(key))
    file = next((tmp_path / "records").iterdir())
    file.write_bytes(file.read_bytes() + b'{"key": "c", "sta')
    store.clip("b").write_bytes(b"cl")
    again = Store(tmp_path)
    assert [again.is_done(key) for key in ("a", "b", "c")] == [True, False, False]


def test_failures_are_done_unless_they_are_to_be_tried_again(tmp_path):
    store = Store(tmp_path)
    store.prepare()
    store.commit({**record("a"), "status": "failed"})
    store.refresh()
    assert store.is_done("a") and not store.is_done("a", retry_failed=True)


def test_a_full_disk_leaves_neither_clip_nor_record(tmp_path):
    store = Store(tmp_path)
    store.prepare()
    store._own.symlink_to("/dev/full")
    with pytest.raises(DiskFull, match="There is no room"):
        store.commit({**record("a"), "status": "failed"})


def test_two_runs_cannot_write_to_one_folder(tmp_path):
    with Store(tmp_path).locked(), pytest.raises(ValueError, match="Another run"), Store(tmp_path).locked():
        pass


def test_an_object_store_keeps_the_same(tmp_path):
    """pyarrow's local file system in place of a remote one: no rename and no append are used."""
    address = (tmp_path / "bucket").as_uri()
    store = ObjectStore(address)
    store.prepare()
    store.part("a").write_bytes(b"clip")
    kept = store.commit(record("a"), store.part("a"))
    assert (tmp_path / "bucket" / kept["clip"]["file"]).read_bytes() == b"clip"
    again = ObjectStore(address)
    again.refresh()
    assert again.is_done("a") and again.record("a") == json.loads(json.dumps(kept))
    again.write("results.csv", iter([b"row\n"]))
    assert (tmp_path / "bucket" / "results.csv").read_bytes() == b"row\n"
