"""The sampler's picture of its guidance, and its status line, in the running host."""

import json
import re
import threading

import numpy
import pytest
from PIL import Image

from support.host_client import failure, output_files
from support.host_progress import listening, status_text
from support.small_graph import small_graph

TEXT = 0x1
RUN_ENDS = ("execution_success", "execution_interrupted", "execution_error")
SIZE = (768, 576)
LEGEND_LEFT = 590
STG_GREEN = (0, 158, 115)
SAVED = {"class_type": "SaveImage", "inputs": {"images": ["sample", 1], "filename_prefix": "test/plot"}}
PREVIEWED = {"class_type": "PreviewImage", "inputs": {"images": ["sample", 1]}}
EARLY_STG = {
    "class_type": "LTXIDLoRA_GuidanceOptions",
    "inputs": {"stg_block_indices": "2", "stg_end_percent": 0.2},
}
SECONDS_A_STEP = r"[\d.]+ s a step\."


def plot(studio, **sample) -> Image.Image:
    """The plot that SaveImage wrote."""
    entry = studio.run(small_graph({"plot": SAVED}, sample=sample))
    (file,) = [f for f in output_files(entry) if f["filename"].endswith(".png")]
    return Image.open(studio.output_dir / file["subfolder"] / file["filename"]).convert("RGB")


def pixels(picture: Image.Image) -> numpy.ndarray:
    return numpy.asarray(picture.convert("RGB"), dtype=int)


def ink(picture: Image.Image, left: int = 0) -> int:
    """How many pixels are not paper, from a column on."""
    return int((pixels(picture)[:, left:].mean(-1) < 200).sum())


def executed(entry) -> set[str]:
    """Nodes that a run took from the cache of the host are left out."""
    details = dict(entry["status"]["messages"])
    return set(entry["prompt"][2]) - set(details["execution_cached"]["nodes"])


class Listener:
    """Status lines that the host sends to the sampler, and the names of the events that end a run."""

    def __init__(self):
        self.lines: list[str] = []
        self.over = threading.Event()
        self.begun = threading.Event()

    def hear(self, opcode: int, payload: bytes) -> None:
        node, text = status_text(opcode, payload) or ("", "")
        if node == "sample":
            self.lines.append(text)
            self.begun.set()
        elif opcode == TEXT and json.loads(payload)["type"] in RUN_ENDS:
            self.over.set()


@pytest.fixture
def listener(studio):
    listener = Listener()
    with listening(studio, listener.hear):
        yield listener


def test_a_plot_of_the_right_size_with_something_on_it(studio):
    picture = plot(studio, seed=201)
    assert picture.size == SIZE
    assert 2_000 < ink(picture) < 100_000


def test_another_scale_gives_another_plot(studio):
    paper, stronger = plot(studio, seed=201), plot(studio, seed=201, identity_scale=6.0)
    assert (pixels(paper) != pixels(stronger)).any()


def test_terms_that_are_off_are_named_but_not_drawn(studio):
    on = plot(studio, seed=202)
    off = plot(studio, seed=202, stg_scale=0.0, av_bimodal_scale=1.0)

    def is_drawn(picture):
        return bool((abs(pixels(picture) - STG_GREEN).sum(-1) < 30).any())

    assert is_drawn(on) and not is_drawn(off)
    assert ink(off, LEGEND_LEFT) > 0


def test_connected_after_the_run_it_shows_that_run_and_nothing_is_sampled_again(studio):
    first = studio.run(small_graph(sample={"seed": 203}))
    assert "sample" in executed(first)
    then = studio.run(small_graph({"plot": PREVIEWED}, sample={"seed": 203}))
    assert executed(then) <= {"plot", "save"}
    (image,) = then["outputs"]["plot"]["images"]
    path = studio.work_dir / "temp" / image["subfolder"] / image["filename"]
    assert Image.open(path).size == SIZE and ink(Image.open(path)) > 2_000


def test_two_calls_a_step_are_plotted_one_by_one(studio):
    """res_2s with 3 steps: 7 calls, so more marks than euler's 3."""
    assert ink(plot(studio, seed=204, steps=3, sampler_name="res_2s")) > ink(plot(studio, seed=204, steps=3))


@pytest.mark.parametrize(
    ("changes", "before", "after"),
    [
        ({}, "5 predictions a step, 2 steps.", "5 predictions a step, 2 steps, "),
        ({"stg_scale": 0.0}, "4 predictions a step, 2 steps.", "4 predictions a step, 2 steps, "),
        ({"sampler_name": "res_2s"}, "5 predictions a step, 2 steps.", "5 predictions a call, 5 calls in 2 steps, "),
        ({"guidance": ["early", 0]}, "4 to 5 predictions a step, 2 steps.", "4 to 5 predictions a step, 2 steps, "),
    ],
    ids=["everything", "without STG", "second order", "window"],
)  # fmt: skip
def test_the_status_line_says_passes_and_after_the_run_the_time(studio, listener, changes, before, after):
    studio.run(small_graph({"early": EARLY_STG}, sample={"seed": 205, **changes}))
    assert listener.over.wait(10), "the host did not say that the run is over"
    first, last = listener.lines
    assert before in first
    assert re.search(re.escape(after) + SECONDS_A_STEP, last)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reference": None}, "\N{WARNING SIGN} No voice connected: the model invents one. LTX-2.3"),
        ({"model": ["model", 0]}, "\N{WARNING SIGN} No ID-LoRA on this model: add Load ID-LoRA. LTX-2.3"),
        ({}, "LTX-2.3"),
    ],
    ids=["no voice", "no ID-LoRA", "both"],
)
def test_the_status_line_says_first_what_a_voice_lacks(studio, listener, changes, words):
    studio.run(small_graph(sample={"seed": 207, **changes}))
    assert listener.over.wait(10)
    assert [line.startswith(words) for line in listener.lines] == [True, True]


def test_a_preset_is_what_runs_and_needs_no_values(studio, listener):
    graph = small_graph(sample={"seed": 208, "preset": "distilled"})
    values = graph["sample"]["inputs"]
    graph["sample"]["inputs"] = {name: values[name] for name in values if not name.startswith("preset.")}
    studio.run(graph)
    assert listener.over.wait(10)
    assert "distilled: 2 predictions a step, 8 steps." in listener.lines[0]


def test_an_interrupted_run_says_nothing_of_time(studio, listener):
    prompt_id = studio.post_prompt(small_graph(sample={"seed": 206, "steps": 400}))
    assert listener.begun.wait(120), "sampling did not begin"
    studio.interrupt()
    assert "Interrupted in LTXIDLoRA_KSampler" in (failure(studio.wait(prompt_id, timeout=60)) or "")
    assert listener.over.wait(10)
    assert [line.partition(": ")[2] for line in listener.lines] == ["5 predictions a step, 400 steps."]
