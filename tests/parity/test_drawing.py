"""A Pillow without fonts of a size takes the pictures away, and says so; nothing else is lost."""

import importlib

import pytest
import torch

from idlora_core.guidance import Guidance
from idlora_core.terms import Scales


@pytest.fixture
def old_pillow(monkeypatch):
    """Pillow before 10.1, whose font has one size."""

    def load_default():
        raise AssertionError("called without a size")

    monkeypatch.setattr("PIL.ImageFont.load_default", load_default)
    monkeypatch.setattr("PIL.__version__", "9.5.0")


def module(pack, name):
    return importlib.import_module(f"{pack.__name__}.nodes.pictures.{name}")


def test_the_plot_says_which_pillow_it_needs(pack, old_pillow):
    scales = Scales(cfg=3.0, identity=4.0, stg=1.0, av_bimodal=3.0)
    with pytest.raises(
        module(pack, "drawing").CannotDraw, match=r"Pillow 10\.1 or newer, and this is 9\.5\.0"
    ):
        module(pack, "guidance_plot").guidance_plot([], scales, scales)


def test_the_player_stays_where_the_picture_cannot_be_drawn(pack, old_pillow, tmp_path, monkeypatch):
    monkeypatch.setattr("folder_paths.temp_directory", str(tmp_path))
    font = module(pack, "drawing").font
    shown, remark = module(pack, "previews").player_and_picture(
        torch.zeros(1, 2, 16_000), 16_000, lambda: font(12)
    )
    assert list(shown) == ["audio"] and "pip install -U pillow" in remark
    assert len(list(tmp_path.glob("*.flac"))) == 1


def test_a_plot_that_fails_costs_no_render(pack, monkeypatch, caplog):
    """Whatever goes wrong: here the disk that holds the font."""

    def load_default(size):
        raise OSError("Input/output error")

    monkeypatch.setattr("PIL.ImageFont.load_default", load_default)
    sampling = importlib.import_module(f"{pack.__name__}.nodes.sampling")
    output = sampling.plot_or_reason([], Guidance(Scales(), Scales()))
    assert output.message.startswith("The guidance plot could not be drawn (OSError: Input/output error)")
    assert "Traceback" in caplog.text


def test_an_output_that_is_missing_is_told_where_it_is_used(pack, caplog):
    status = importlib.import_module(f"{pack.__name__}.nodes.host.status")
    assert status.missing_output("no plot").message == "no plot"
    assert "no plot" in caplog.text
