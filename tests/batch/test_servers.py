"""ComfyUIs that run already: rows by --server, a study with its listening pages, a full disk."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed import batch_runs as runs
from bed.host_process import PACK, TEXT_ENCODER_DOUBLE, HostProcess
from bed.small_graph import small_graph
from bed.versions import ROOT, TESTS

HEADER = "face,voice,speech,seed,workflow"
QUESTION = """
title = "Is fast audible?"
workflow = "small.json"
seeds = "1..2"
base = "exact"
[[settings]]
name = "exact"
speed = "exact"
[[settings]]
name = "fast"
speed = "fast"
[[cases]]
face = "idlora_portrait.png"
voice = "idlora_voice.flac"
speech = "Hello."
"""


def row(seed: int) -> str:
    return f"idlora_portrait.png,idlora_voice.flac,Hello.,{seed},small.json"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[HostProcess]:
    """Somebody's ComfyUI. The drivers of these tests stay in its network; none of them starts Ray."""
    process = HostProcess(
        Path(os.environ["IDLORA_COMFY_TREE"]),
        Path(os.environ["IDLORA_COMFY_PYTHON"]),
        tmp_path_factory.mktemp("server"),
        models=Path(os.environ["IDLORA_MODELS"]),
        custom_nodes={**PACK, **TEXT_ENCODER_DOUBLE},
        options=["--cpu"],
        threads=1,
    )
    process.start(timeout=runs.LONGEST)
    yield process
    process.stop()


def driver(*arguments) -> subprocess.Popen:
    command = [sys.executable, "-m", "idlora_batch", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run(*arguments, expect: int = 0) -> str:
    process = driver(*arguments)
    text, _ = process.communicate(timeout=runs.LONGEST)
    assert process.returncode == expect, text
    return text


def test_rows_are_rendered_by_a_server_and_its_results_are_left_to_it(server, table, tmp_path):
    path = table(HEADER, row(1), row(2), row(2))
    text = run("render", path, f"--out={tmp_path / 'out'}", "--server", server.url)
    assert "2 rendered, 0 failed, 1 done before" in text
    assert len(runs.hashes(tmp_path / "out")) == 2
    assert len(list((server.output_dir / "idlora_batch").glob("*.mp4"))) == 2
    lines = (tmp_path / "out" / "results.csv").read_text()
    assert "predictions a step" in lines and lines.count(",ok,") == 3
    again = run("render", path, f"--out={tmp_path / 'out'}", "--server", server.url, expect=2)
    assert "--resume" in again
    text = run("render", path, f"--out={tmp_path / 'out'}", "--resume", "--server", server.url)
    assert "0 rendered, 0 failed, 3 done before" in text


def test_ctrl_c_cancels_its_own_rows_and_nobody_elses(server, table, tmp_path):
    """Two rows of ours are queued, then one of somebody else's; ours go, theirs is rendered."""
    path = table(HEADER, *(row(seed) for seed in range(20, 40)))
    process = driver("render", path, f"--out={tmp_path / 'out'}", "--server", server.url)
    while len(queued(server)) < 2:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    theirs = server.post_prompt(small_graph(sample={"seed": 99}))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=runs.LONGEST)
    assert process.returncode == 130
    assert set(queued(server)) <= {theirs}
    entry = server.wait(theirs, timeout=runs.LONGEST)
    assert entry["status"]["status_str"] == "success"


def queued(server: HostProcess) -> list[str]:
    queue = server.get("/queue")
    return [entry[1] for entry in queue["queue_running"] + queue["queue_pending"]]


def test_a_full_disk_stops_the_run_with_a_sentence_and_resumes(server, table, tmp_path):
    """/dev/full takes the place of each clip's part: the kernel then says that there is no room."""
    out = tmp_path / "out"
    arguments = [
        "render",
        table(HEADER, *(row(seed) for seed in range(50, 54))),
        f"--out={out}",
        "--server",
        server.url,
    ]
    process = driver(*arguments)
    while not (out / "table.jsonl").is_file():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.01)
    import json

    keys = [json.loads(line)["key"] for line in (out / "table.jsonl").read_text().splitlines()]
    for key in keys:
        part = out / "clips" / f".{key}.part"
        if not part.exists():
            part.symlink_to("/dev/full")
    text, _ = process.communicate(timeout=runs.LONGEST)
    assert process.returncode == 2 and "There is no room in" in text and "--resume" in text
    assert not list(out.glob("clips/.*.part")) and len(runs.hashes(out)) < 4
    run(*arguments, "--resume")
    assert set(runs.hashes(out)) == set(keys) and len(runs.records(out)) == 4


def test_a_server_that_is_none_is_told(table, tmp_path):
    path = table(HEADER, row(1))
    assert "gave no answer" in run("validate", path, "--server", "http://127.0.0.1:9", expect=2)
    assert "not the address" in run("validate", path, "--server", "ftp://x", expect=2)


def test_validate_tells_faults_without_rendering(server, table):
    path = table(HEADER + ",steps", row(1) + ",2", row(2) + ",many")
    text = run("validate", path, "--server", server.url, expect=2)
    assert "row 2, steps: takes a whole number" in text
    assert "1 rows, all good" in run("validate", table(HEADER, row(1)), "--server", server.url)


@pytest.mark.parametrize(
    "name", sorted(file.stem for file in (ROOT / "idlora_batch/study/questions").glob("*.toml"))
)
def test_every_shipped_question_fits_its_workflow(server, folder, name):
    """Checked against the host's schemas, without a render."""
    from idlora_batch import run as batch
    from idlora_batch.comfy import site
    from idlora_batch.comfy.client import Client
    from idlora_batch.comfy.site import Site
    from idlora_batch.study.question import found, load

    cases = runs.write_table(
        folder / "cases.csv", "face,voice,speech", "idlora_portrait.png,idlora_voice.flac,Hi."
    )
    question = load(found(name)).with_cases(cases)
    client = Client(server.url)
    schemas = site.schemas(client)
    here = Site(schemas, site.versions(client, schemas, None), lambda model: site.identify(client, model))
    order = batch.Order(question.rows, folder, question.workflow)
    keys = {task.key for task in batch.require_good(order, here)}
    assert len(keys) == len(question.seeds) * len(question.settings), "two settings give the same clips"


def test_a_study_renders_and_makes_pages_whose_clips_play_and_tell_nothing(server, folder):
    (folder / "question.toml").write_text(QUESTION)
    out = folder / "study"
    text = run("study", folder / "question.toml", f"--out={out}", "--server", server.url)
    assert "4 rendered, 0 failed" in text and "For listeners" in text
    clips = list((out / "listening").rglob("*.mp4"))
    assert len(clips) == 8
    for clip in clips:
        content = clip.read_bytes()
        assert b"LTXIDLoRA" not in content and b"Hello." not in content
    original = next((out / "clips").iterdir())
    assert b"LTXIDLoRA" in original.read_bytes()
    report = [os.environ["IDLORA_COMFY_PYTHON"], "-m", "bed.mp4_report", str(clips[0])]
    variables = {**os.environ, "PYTHONPATH": str(TESTS)}
    shown = subprocess.run(report, env=variables, capture_output=True, text=True, check=True).stdout
    assert "9 frames at 25 fps" in shown and "audio aac" in shown
    assert "study.html" in {path.name for path in out.iterdir()}
    again = run("study", folder / "question.toml", f"--out={out}", "--resume", "--server", server.url)
    assert "0 rendered, 0 failed, 4 done before" in again
