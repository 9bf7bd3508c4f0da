"""Two people talking, from the Run button to the mp4; the time line on the node, and what the node says."""

from support.host_client import output_files
from support.video import read_video
from tools.workflows.api_format import SMALL_LENGTH, SMALL_VALUES
from tools.workflows.files import FOLDER

SCENE_SCRIPT = "LTXIDLoRA_SceneScript"


def test_a_run_shows_who_speaks_when(open_page, studio):
    page = open_page("nodes2")
    page.drop_file(FOLDER / "ID-LoRA Two People Talking.json")
    page.set_values(SMALL_VALUES | {"length": SMALL_LENGTH, "steps": 1, "seed": 100})
    entry = page.wait_success(page.run())
    assert page.complaints() == [] and page.overlaps() == []
    (mp4,) = [file for file in output_files(entry) if file["filename"].endswith(".mp4")]
    video = read_video(studio.output_dir / mp4["subfolder"] / mp4["filename"])
    assert video.num_frames == SMALL_LENGTH and video.audio_peak > 0
    (script,) = [node["id"] for node in page.nodes() if node["type"] == SCENE_SCRIPT]
    (time_line,) = entry["outputs"][str(script)]["images"]
    page.page.locator(f'img[src*="{time_line["filename"]}"]').first.wait_for(state="visible")
    page.page.get_by_text("The script needs about").first.wait_for(state="visible")
