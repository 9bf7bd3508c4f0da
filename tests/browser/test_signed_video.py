"""A signed mp4 in the real frontend: its player plays it, and dropped on the canvas it restores the graph."""

import pytest

from support.host_client import output_files
from support.video import read_video
from tools.workflows.api_format import SMALL_VALUES
from tools.workflows.files import FOLDER

SIGNED = FOLDER / "ID-LoRA Talking Head, signed.json"
WORDS = {"signer": "Jane Doe", "consent": "Jane Doe agreed to this test."}


@pytest.fixture(scope="module")
def finished(shared_page, studio):
    """The signed template, run with the Run button: its nodes, what the player shows, its mp4, its history."""
    with shared_page("nodes2", "signed-nodes2") as page:
        page.drop_file(SIGNED)
        page.set_values(SMALL_VALUES | {"seed": 100} | WORDS)
        nodes = page.nodes()
        entry = page.wait_success(page.run())
        assert page.complaints() == [] and page.overlaps() == []
        (file,) = [file for file in output_files(entry) if file["filename"].endswith(".mp4")]
        return nodes, page.film(), studio.output_dir / file["subfolder"] / file["filename"], entry


def test_the_player_plays_the_signed_film(finished):
    _, film, mp4, _ = finished
    assert film["hasControls"] and film["width"] == read_video(mp4).width
    assert film["seconds"] == pytest.approx(read_video(mp4).seconds, abs=0.1)


def test_what_was_saved_is_signed(finished):
    _, _, mp4, entry = finished
    assert b"c2pa.signature" in mp4.read_bytes()
    (report,) = [text for output in entry["outputs"].values() for text in output.get("text", [])]
    assert "Signer: Jane Doe" in report and "made by a trained model" in report


def test_dropping_the_signed_mp4_restores_the_graph(finished, page):
    page.drop_file(finished[2])
    assert page.nodes() == finished[0]
    assert page.complaints() == []
