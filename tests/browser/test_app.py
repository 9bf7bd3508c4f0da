"""The template that is an app: opened, filled in and run without ever seeing the graph."""

import pytest

from support.host_client import output_files
from support.video import read_video
from tools.workflows.api_format import SMALL_LENGTH, SMALL_VALUES
from tools.workflows.app import NAME
from tools.workflows.files import FOLDER

FILE = FOLDER / f"{NAME}.json"
LABELS = ["Face", "Voice", "What is said", "What is seen", "How it sounds", "Seconds", "Shape", "Seed"]
SIZE = {"max_side": SMALL_VALUES["max_side"]}  # the one value that is not on the form


@pytest.fixture
def app(page):
    page.drop_file(FILE)
    page.see("linear-widgets").wait_for()
    return page


def test_it_opens_as_a_form_with_words_that_people_read(app):
    assert app.see("builder-widget-label").all_inner_texts() == LABELS
    assert app.missing_types() == [] and app.complaints() == []
    assert app.see("linear-welcome").is_visible()


def test_filled_in_and_run_it_shows_the_clip(app, studio):
    studio.forget()
    app.set_values(SIZE)
    app.fill("What is said", "Good morning.")
    app.fill("Seconds", "1")
    app.choose("Shape", "16:9")
    entry = app.wait_success(app.run_app())
    (file,) = [file for file in output_files(entry) if file["filename"].endswith(".mp4")]
    video = read_video(studio.output_dir / file["subfolder"] / file["filename"])
    assert (video.width, video.height, video.num_frames) == (128, 64, SMALL_LENGTH)
    inputs = {node["class_type"]: node["inputs"] for node in entry["prompt"][2].values()}
    assert inputs["LTXIDLoRA_Prompt"]["speech"] == "Good morning."
    film = app.see("linear-center-panel").locator("video[controls]")
    film.wait_for()
    assert file["filename"] in (film.get_attribute("src") or "")


def test_the_blueprints_preset_custom_means_the_samplers_own_values(open_page, studio):
    """Nobody need open the blueprint for it to run."""
    app = open_page("nodes2")
    app.drop_file(FILE)
    app.set_values({"max_side": 64, "seconds": 0.3, "preset": "custom"})
    prompt = app.page.evaluate("async () => (await app.graphToPrompt()).output")
    (sampler,) = [node for node in prompt.values() if node["class_type"] == "LTXIDLoRA_KSampler"]
    assert sampler["inputs"]["preset"] == "custom"
    entry = studio.run(prompt)
    assert entry["status"]["status_str"] == "success"


def test_one_choice_of_checkpoint_is_the_choice_of_every_loader(open_page):
    app = open_page("nodes2")
    app.drop_file(FILE)
    app.set_values({"checkpoint": "small_ltx20.safetensors"})
    prompt = app.page.evaluate("async () => (await app.graphToPrompt()).output")
    names = [node["inputs"].get("ckpt_name") for node in prompt.values()]
    assert [name for name in names if name] == ["small_ltx20.safetensors"] * 3
