"""Real Ray, two real ComfyUIs: everything is there once, whatever is killed, and equal to rows rendered alone."""

import csv
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest

from bed import batch_runs as runs

ROWS = 12
HEADER = "face,voice,speech,seed,workflow"
LOADERS = {"model", "audio_vae", "clip", "lora", "voice", "reference"}


def row(seed: int) -> str:
    return f"idlora_portrait.png,idlora_voice.flac,Hello.,{seed},small.json"


def twelve() -> list[str]:
    return [HEADER, *(row(seed) for seed in range(1, ROWS + 1))]


def pids(out: Path) -> dict[Path, int]:
    """Work folder -> process id of the ComfyUI that runs in it."""
    found = {}
    for file in out.glob(".work/*/host.pid"):
        text = file.read_text()
        if text and is_running(int(text)):
            found[file.parent] = int(text)
    return found


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def wait_for(what: Callable[[], object], process: subprocess.Popen, log: Path, seconds: float = 900) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert process.poll() is None, f"the driver ended with {process.returncode}:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"waited {seconds} s:\n{log.read_text()}"
        time.sleep(0.05)


def gone_after(processes: list[int], seconds: float) -> float:
    """Seconds until none of the processes runs any more."""
    started = time.monotonic()
    while any(map(is_running, processes)):
        assert time.monotonic() - started < seconds, "still running"
        time.sleep(0.05)
    return time.monotonic() - started


@pytest.fixture(scope="module")
def killed(comfyui, tmp_path_factory) -> tuple[Path, str]:
    """A run of twelve rows whose host was killed in the middle, and then its driver; and then resumed."""
    folder = runs.users_folder(tmp_path_factory.mktemp("killed"))
    out, log = folder / "out", folder / "driver.log"
    table = runs.write_table(folder / "table.csv", *twelve())
    arguments = ["render", table, f"--out={out}", "--workers=2", *comfyui]
    driver = runs.start(*arguments, log=log)
    try:
        wait_for(lambda: len(runs.records(out)) >= 2, driver, log)
        hosts = pids(out)
        assert len(hosts) == 2
        os.kill(next(iter(hosts.values())), signal.SIGKILL)
        before = len(runs.records(out))
        wait_for(lambda: len(runs.records(out)) >= before + 3, driver, log)
        orphans = list(pids(out).values())
        assert len(orphans) == 2, "the dead host was started again"
    finally:
        driver.kill()
        driver.wait()
    gone_after(orphans, 30)
    first = {record["key"]: record["ended"] for record in runs.records(out)}
    assert 5 <= len(first) < ROWS
    text = runs.run(*arguments, "--resume")
    assert f"{len(first)} done before" in text
    assert {record["key"] for record in runs.records(out) if record["key"] in first} == set(first)
    return out, text


def test_every_row_is_there_exactly_once(killed):
    out, _ = killed
    found = runs.records(out)
    assert len(found) == ROWS == len({record["key"] for record in found})
    assert {record["status"] for record in found} == {"ok"}
    assert len(list((out / "clips").iterdir())) == ROWS
    results = pyarrow.parquet.read_table(out / "results.parquet").to_pylist()
    assert [line["row"] for line in results] == list(range(1, ROWS + 1))
    assert {line["clip"] for line in results} == {f"clips/{record['key']}.mp4" for record in found}


def test_nothing_is_left_of_the_hosts(killed):
    out, _ = killed
    assert list((out / ".work").iterdir()) == []
    assert not list(out.rglob("*.part"))


def test_the_second_row_of_a_warm_host_loads_no_model(killed):
    out, _ = killed
    by_attempt = [record for record in runs.records(out) if record["cached"]]
    assert len(by_attempt) >= ROWS - 6  # each of at most five hosts has a first row
    assert all(set(record["cached"]) >= LOADERS for record in by_attempt)


def test_the_results_hold_status_lines_and_scores(killed):
    out, _ = killed
    with open(out / "results.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert all("predictions a step" in line["lines"] for line in lines)
    assert all(float(line["score.level_dbfs"]) < 0 for line in lines)
    assert "report.html" in {path.name for path in out.iterdir()}


def test_rows_equal_those_rendered_alone_bit_for_bit(killed, comfyui, table, tmp_path):
    out, _ = killed
    alone = tmp_path / "alone"
    runs.run("render", table(HEADER, row(2), row(7)), f"--out={alone}", "--workers=1", *comfyui)
    of_run, of_alone = runs.hashes(out), runs.hashes(alone)
    assert len(of_alone) == 2
    assert {key: of_run[key] for key in of_alone} == of_alone


def test_ctrl_c_leaves_no_process_and_no_half_file_and_failures_are_results(comfyui, table, driver, tmp_path):
    out = tmp_path / "out"
    # The third row is refused by the host: a picture that only its first bytes make one.
    (tmp_path / "broken.png").write_bytes((runs.ASSETS / "idlora_portrait.png").read_bytes()[:200])
    broken = row(3).replace("idlora_portrait.png", "broken.png")
    path = table(HEADER, broken, *(row(seed) for seed in range(1, 9)))
    arguments = ["render", path, f"--out={out}", "--workers=1", *comfyui]
    process = driver(*arguments)
    wait_for(lambda: len(runs.records(out)) >= 2, process, tmp_path / "driver0.log")
    hosts = list(pids(out).values())
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(40) == 130
    assert not any(map(is_running, hosts))
    assert not list(out.rglob("*.part")) and list((out / ".work").iterdir()) == []
    text = (tmp_path / "driver0.log").read_text()
    assert "--resume" in text
    failed = [record for record in runs.records(out) if record["status"] == "failed"]
    assert len(failed) == 1 and "LoadImage" in failed[0]["why"]
    assert "waiting" in (out / "results.csv").read_text()
