"""The Best of Four template in the real frontend: as a graph that is run, and as an app."""

import pytest

from support.host_client import output_files
from tools.workflows.api_format import SMALL_VALUES
from tools.workflows.files import FOLDER

BEST_OF_FOUR = FOLDER / "ID-LoRA Best of Four.json"
APP_INPUTS = ("image", "audio", "value", "visual", "sounds", "takes")


def test_the_app_asks_for_face_voice_words_and_how_many(page):
    page.drop_file(BEST_OF_FOUR)
    page.command("Comfy.ToggleLinear")
    for name in APP_INPUTS:
        page.page.get_by_text(name, exact=True).first.wait_for()


@pytest.mark.parametrize("takes", [2])
def test_run_saves_one_clip_of_the_takes(page, studio, takes):
    page.drop_file(BEST_OF_FOUR)
    page.set_values(SMALL_VALUES | {"takes": takes, "first_seed": 3})
    entry = page.wait_success(page.run())
    names = [file["filename"] for file in output_files(entry)]
    assert len([name for name in names if name.endswith(".mp4")]) == 1
    assert len(list((studio.output_dir / "takes").glob("*.json"))) >= 1
    assert page.complaints() == [] and page.overlaps() == []
