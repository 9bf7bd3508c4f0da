"""A Pillow without fonts of a size takes the pictures away, and says so; nothing else is lost."""

from typing import Any, cast

import pytest
import torch

from idlora_core.guidance import Guidance
from idlora_core.terms import Scales
from idlora_pack.nodes import sampling
from idlora_pack.nodes.host.status import ExecutionBlocker, missing_output
from idlora_pack.nodes.pictures.drawing import CannotDraw, font
from idlora_pack.nodes.pictures.guidance_plot import guidance_plot
from idlora_pack.nodes.pictures.previews import player_and_picture


@pytest.fixture
def old_pillow(monkeypatch):
    """Pillow before 10.1, whose font has one size."""

    def load_default():
        raise AssertionError("called without a size")

    monkeypatch.setattr("PIL.ImageFont.load_default", load_default)
    monkeypatch.setattr("PIL.__version__", "9.5.0")


def test_the_plot_says_which_pillow_it_needs(old_pillow):
    scales = Scales(cfg=3.0, identity=4.0, stg=1.0, av_bimodal=3.0)
    with pytest.raises(CannotDraw, match=r"Pillow 10\.1 or newer, and this is 9\.5\.0"):
        guidance_plot([], scales, scales)


def test_the_player_stays_where_the_picture_cannot_be_drawn(old_pillow, tmp_path, monkeypatch):
    monkeypatch.setattr("folder_paths.temp_directory", str(tmp_path))

    def draw():
        font(12)
        return torch.ones(1)

    shown, remark = player_and_picture(torch.zeros(1, 2, 16_000), 16_000, draw)
    assert shown and list(shown) == ["audio"] and "pip install -U pillow" in remark
    assert len(list(tmp_path.glob("*.flac"))) == 1


def test_a_plot_that_fails_costs_no_render(monkeypatch, caplog):
    """Whatever goes wrong: here the disk that holds the font."""

    def load_default(size):
        raise OSError("Input/output error")

    monkeypatch.setattr("PIL.ImageFont.load_default", load_default)
    output = sampling.plot_or_reason([], Guidance(Scales(), Scales()))
    assert isinstance(output, ExecutionBlocker)
    assert str(output.message).startswith(
        "The guidance plot could not be drawn (OSError: Input/output error)"
    )
    assert "Traceback" in caplog.text


FAILURES = [
    ImportError("the _imagingft C module is not installed"),
    OSError(28, "No space left on device"),
    MemoryError(),
    ValueError("bad size"),
    RuntimeError("two\nlines"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_nothing_that_goes_wrong_in_drawing_costs_the_run(tmp_path, monkeypatch, caplog, failure):
    def load_default(*_):
        raise failure

    monkeypatch.setattr("folder_paths.temp_directory", str(tmp_path))
    monkeypatch.setattr("PIL.ImageFont.load_default", load_default)
    shown, remark = player_and_picture(torch.zeros(1, 2, 16_000), 16_000, lambda: cast(Any, font(12)))
    assert list(shown or ()) == ["audio"] and remark.startswith("No picture: ") and "\n" not in remark
    assert "could not be made" in caplog.text and type(failure).__name__ in caplog.text


def test_a_player_that_cannot_be_written_leaves_the_picture(tmp_path, monkeypatch):
    def no_player(*_):
        raise MemoryError

    monkeypatch.setattr("folder_paths.temp_directory", str(tmp_path))
    monkeypatch.setattr("comfy_api.latest.ui.PreviewAudio", no_player)
    shown, remark = player_and_picture(torch.zeros(1, 2, 16_000), 16_000, lambda: torch.zeros(1, 8, 8, 3))
    assert shown and "images" in shown and "audio" not in shown and remark == "No player: MemoryError."


def test_an_output_that_is_missing_is_told_where_it_is_used(caplog):
    assert missing_output("no plot").message == "no plot"
    assert "no plot" in caplog.text
