"""A fifth guidance is one more row of the table: schema, plan, a real step, status line and plot with a made-up one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("fifth_term.py")


@pytest.fixture(scope="module")
def used(small_models, comfy_tree, tmp_path_factory):
    """What the program says of the term that it added."""
    checkpoint = small_models / "checkpoints" / "small_ltx23.safetensors"
    command = [sys.executable, PROGRAM, checkpoint, comfy_tree, tmp_path_factory.mktemp("fifth_term")]
    environment = {**os.environ, "PYTHONPATH": str(PROGRAM.parents[1])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_its_scale_and_its_window_are_widgets(used):
    assert used["widgets"][-2:] == ["av_bimodal_scale", "hush_scale"]
    assert {"hush_start_percent", "hush_end_percent"} <= set(used["options"])


def test_the_papers_preset_names_it(used):
    assert "av_bimodal_scale 3, hush_scale 2. distilled" in used["tables"]


def test_it_costs_one_prediction_where_it_acts_and_the_status_line_counts_it(used):
    off, _, on, _, early, _ = used["status"]
    assert "5 predictions a step, 2 steps" in off
    assert "6 predictions a step, 2 steps" in on
    assert "5 to 6 predictions a step, 2 steps" in early


def test_it_changes_the_result_and_less_so_in_a_window(used):
    assert 0 < used["changed_early"] < used["changed"] < 10


def test_it_has_a_line_in_the_plot(used):
    assert used["pixels"] > 50
