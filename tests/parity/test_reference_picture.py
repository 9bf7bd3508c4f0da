"""The picture on Encode Reference Audio: what it says is what was taken, and it is drawn for whatever comes."""

import pytest
import torch
from PIL import ImageColor, ImageFont

from idlora_core.reference import Reference
from idlora_core.voice.recording import prepare_recording
from idlora_pack.nodes.pictures import reference_picture
from support import recordings

RATE = 16_000


@pytest.fixture(scope="module")
def speech(recorded_speech):
    return recordings.read(recorded_speech)[0]


def drawn(waveform, gap_seconds=None, **options):
    """(H, W, 3) in [0, 255] and the recording."""
    recording = prepare_recording(waveform, RATE, **options)
    latents = recording.waveform.shape[-1] // 640 + 1
    reference = Reference(torch.zeros(1, 8, latents, 16), gap_seconds=gap_seconds)
    image = reference_picture.draw(recording, reference)
    assert image.shape[0] == 1 and image.dtype == torch.float32 and image.min() >= 0 and image.max() <= 1
    return (image[0] * 255).round(), recording


def columns(image, colour, top, bottom, scale):
    """Which columns hold a colour between two heights, in the node's pixels."""
    wanted = torch.tensor(ImageColor.getrgb(colour), dtype=torch.float32)
    return (image[top * scale : bottom * scale] == wanted).all(dim=-1).any(dim=0).nonzero()[:, 0] / scale


def test_the_taken_spans_are_marked_where_they_lie(speech):
    waveform = recordings.joined(recordings.silence(4, RATE), speech, recordings.silence(4, RATE))
    image, recording = drawn(waveform)
    ((start, end),) = recording.spans
    marked = columns(
        image,
        reference_picture.TAKEN_PANEL,
        reference_picture.WAVE_TOP,
        reference_picture.WAVE_BOTTOM,
        reference_picture.SCALE,
    )
    width = reference_picture.WAVE_RIGHT - reference_picture.MARGIN
    expected = [reference_picture.MARGIN + sample / waveform.shape[-1] * width for sample in (start, end)]
    assert [marked.min().item(), marked.max().item()] == pytest.approx(expected, abs=1)


def test_clipped_places_are_marked_and_only_those(speech):
    def red(waveform):
        image, _ = drawn(waveform)
        return columns(
            image,
            reference_picture.CLIPPED,
            reference_picture.WAVE_TOP,
            reference_picture.WAVE_BOTTOM,
            reference_picture.SCALE,
        ).numel()

    assert red(speech) == 0
    assert red((3 * speech).clamp(-0.8, 0.8)) > 10


@pytest.mark.parametrize("gap_seconds", [None, 0.5, 5.0])
def test_the_reference_lies_left_of_zero_by_the_gap(speech, gap_seconds):
    image, recording = drawn(speech, gap_seconds)
    reference = columns(
        image,
        reference_picture.TAKEN,
        reference_picture.LINE_TOP + 1,
        reference_picture.LINE_TOP + 3,
        reference_picture.SCALE,
    )
    clip = columns(
        image,
        reference_picture.CLIP,
        reference_picture.LINE_TOP + 1,
        reference_picture.LINE_TOP + 3,
        reference_picture.SCALE,
    )
    per_second = (clip.min() - reference_picture.MARGIN) / (recording.seconds + (gap_seconds or 0.04))
    expected = max(gap_seconds or 0.04, 2 / per_second) * per_second  # never too narrow to be seen
    assert reference.min() == reference_picture.MARGIN
    assert (clip.min() - reference.max()).item() == pytest.approx(expected, abs=2.5)


def test_advice_makes_it_higher_and_stays_inside(speech):
    good, _ = drawn(speech)
    image, recording = drawn(speech[..., : 2 * RATE])
    assert (
        recording.remarks
        and image.shape[0] > good.shape[0] == reference_picture.HEIGHT * reference_picture.SCALE
    )
    text = columns(
        image,
        reference_picture.REMARK,
        reference_picture.HEIGHT,
        image.shape[0] // reference_picture.SCALE,
        reference_picture.SCALE,
    )
    assert text.numel() and text.max() <= reference_picture.WIDTH - reference_picture.MARGIN


def test_lines_break_between_words_and_fit():
    font = ImageFont.load_default(reference_picture.FONT_SIZE * reference_picture.SCALE)
    text = "Perhaps two speakers (129 and 226 Hz): use a recording of one. " * 3
    lines = reference_picture.wrapped(text, 340, font)
    assert " ".join(lines) == text.strip() and len(lines) > 2
    assert all(reference_picture.width_of(line, font) <= 340 for line in lines)


@pytest.mark.parametrize("seconds", [0.52, 0.7, 4.0, 61.0, 700.0])
@pytest.mark.parametrize("max_seconds", [0.5, 30.0])
def test_short_and_long_recordings_are_drawn(speech, seconds, max_seconds):
    waveform = speech[..., round(0.4 * RATE) :].repeat(1, 1, 200)[..., : round(seconds * RATE)]
    image, _ = drawn(waveform, gap_seconds=5.0, max_seconds=max_seconds)
    assert image.shape[1] == reference_picture.WIDTH * reference_picture.SCALE


@pytest.mark.parametrize(
    "first, last", [(0, 0.5), (0, 6.4), (-5.04, 0), (-30.2, 0), (0, 90), (0, 3600), (0, 20_000)]
)
def test_ticks_are_round_and_leave_room_for_their_labels(first, last):
    width = reference_picture.WAVE_RIGHT - reference_picture.MARGIN
    ticks = reference_picture.ticks(first, last, width)
    assert len(ticks) >= 2 and all(first <= tick <= last for tick in ticks)
    apart = (ticks[1] - ticks[0]) / (last - first) * width
    font = ImageFont.load_default(reference_picture.FONT_SIZE * reference_picture.SCALE)
    labels = [reference_picture.tick(tick, max(-first, last)) for tick in ticks]
    assert apart > max(reference_picture.width_of(label, font) for label in labels) and len(
        set(labels)
    ) == len(labels)
