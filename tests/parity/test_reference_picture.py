"""The picture on Encode Reference Audio: what it says is what was taken, and it is drawn for whatever comes."""

import importlib

import pytest
import torch
from PIL import ImageColor, ImageFont

from idlora_core.reference import Reference
from idlora_core.voice.recording import prepare_recording
from support import recordings

RATE = 16_000


@pytest.fixture(scope="module")
def picture(pack):
    return importlib.import_module(f"{pack.__name__}.nodes.pictures.reference_picture")


@pytest.fixture(scope="module")
def speech(recorded_speech):
    return recordings.read(recorded_speech)[0]


def drawn(picture, waveform, gap_seconds=None, **options):
    """(H, W, 3) in [0, 255] and the recording."""
    recording = prepare_recording(waveform, RATE, **options)
    latents = recording.waveform.shape[-1] // 640 + 1
    reference = Reference(torch.zeros(1, 8, latents, 16), gap_seconds=gap_seconds)
    image = picture.draw(recording, reference)
    assert image.shape[0] == 1 and image.dtype == torch.float32 and image.min() >= 0 and image.max() <= 1
    return (image[0] * 255).round(), recording


def columns(image, colour, top, bottom, scale):
    """Which columns hold a colour between two heights, in the node's pixels."""
    wanted = torch.tensor(ImageColor.getrgb(colour), dtype=torch.float32)
    return (image[top * scale : bottom * scale] == wanted).all(dim=-1).any(dim=0).nonzero()[:, 0] / scale


def test_the_taken_spans_are_marked_where_they_lie(picture, speech):
    waveform = recordings.joined(recordings.silence(4, RATE), speech, recordings.silence(4, RATE))
    image, recording = drawn(picture, waveform)
    ((start, end),) = recording.spans
    marked = columns(image, picture.TAKEN_PANEL, picture.WAVE_TOP, picture.WAVE_BOTTOM, picture.SCALE)
    width = picture.WAVE_RIGHT - picture.MARGIN
    expected = [picture.MARGIN + sample / waveform.shape[-1] * width for sample in (start, end)]
    assert [marked.min().item(), marked.max().item()] == pytest.approx(expected, abs=1)


def test_clipped_places_are_marked_and_only_those(picture, speech):
    def red(waveform):
        image, _ = drawn(picture, waveform)
        return columns(image, picture.CLIPPED, picture.WAVE_TOP, picture.WAVE_BOTTOM, picture.SCALE).numel()

    assert red(speech) == 0
    assert red((3 * speech).clamp(-0.8, 0.8)) > 10


@pytest.mark.parametrize("gap_seconds", [None, 0.5, 5.0])
def test_the_reference_lies_left_of_zero_by_the_gap(picture, speech, gap_seconds):
    image, recording = drawn(picture, speech, gap_seconds)
    reference = columns(image, picture.TAKEN, picture.LINE_TOP + 1, picture.LINE_TOP + 3, picture.SCALE)
    clip = columns(image, picture.CLIP, picture.LINE_TOP + 1, picture.LINE_TOP + 3, picture.SCALE)
    per_second = (clip.min() - picture.MARGIN) / (recording.seconds + (gap_seconds or 0.04))
    expected = max(gap_seconds or 0.04, 2 / per_second) * per_second  # never too narrow to be seen
    assert reference.min() == picture.MARGIN
    assert (clip.min() - reference.max()).item() == pytest.approx(expected, abs=2.5)


def test_advice_makes_it_higher_and_stays_inside(picture, speech):
    good, _ = drawn(picture, speech)
    image, recording = drawn(picture, speech[..., : 2 * RATE])
    assert recording.remarks and image.shape[0] > good.shape[0] == picture.HEIGHT * picture.SCALE
    text = columns(image, picture.REMARK, picture.HEIGHT, image.shape[0] // picture.SCALE, picture.SCALE)
    assert text.numel() and text.max() <= picture.WIDTH - picture.MARGIN


def test_lines_break_between_words_and_fit(picture):
    font = ImageFont.load_default(picture.FONT_SIZE * picture.SCALE)
    text = "Perhaps two speakers (129 and 226 Hz): use a recording of one. " * 3
    lines = picture.wrapped(text, 340, font)
    assert " ".join(lines) == text.strip() and len(lines) > 2
    assert all(picture.width_of(line, font) <= 340 for line in lines)


@pytest.mark.parametrize("seconds", [0.52, 0.7, 4.0, 61.0, 700.0])
@pytest.mark.parametrize("max_seconds", [0.5, 30.0])
def test_short_and_long_recordings_are_drawn(picture, speech, seconds, max_seconds):
    waveform = speech[..., round(0.4 * RATE) :].repeat(1, 1, 200)[..., : round(seconds * RATE)]
    image, _ = drawn(picture, waveform, gap_seconds=5.0, max_seconds=max_seconds)
    assert image.shape[1] == picture.WIDTH * picture.SCALE


@pytest.mark.parametrize(
    "first, last", [(0, 0.5), (0, 6.4), (-5.04, 0), (-30.2, 0), (0, 90), (0, 3600), (0, 20_000)]
)
def test_ticks_are_round_and_leave_room_for_their_labels(picture, first, last):
    width = picture.WAVE_RIGHT - picture.MARGIN
    ticks = picture._ticks(first, last, width)
    assert len(ticks) >= 2 and all(first <= tick <= last for tick in ticks)
    apart = (ticks[1] - ticks[0]) / (last - first) * width
    font = ImageFont.load_default(picture.FONT_SIZE * picture.SCALE)
    labels = [picture._tick(tick, max(-first, last)) for tick in ticks]
    assert apart > max(picture.width_of(label, font) for label in labels) and len(set(labels)) == len(labels)
