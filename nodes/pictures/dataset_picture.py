"""What ID-LoRA Dataset shows: seconds of each speaker, levels of the clips, what was left out and why."""

import torch
from torch import Tensor

from ...idlora_core.dataset.report import Report, Speaker
from ...idlora_core.options import shown
from .drawing import font
from .reference_picture import (
    CLIPPED,
    FAINT,
    FONT_SIZE,
    LEFT_OUT,
    MARGIN,
    PANEL,
    REMARK,
    SCALE,
    TAKEN,
    TEXT,
    WIDTH,
    Canvas,
    wrapped,
)

LINE = 16
BAR = 12
SPEAKER_HEIGHT = 2 * LINE + 26
MOST_SPEAKERS = 12
LEVELS_DBFS = (-60.0, 0.0)


def draw(report: Report) -> Tensor:
    """The picture as an IMAGE of the host: (1, H, W, 3) in [0, 1].

    Raises:
        CannotDraw: Pillow is too old.
    """
    face = font(FONT_SIZE * SCALE)
    speakers = sorted(report.speakers, key=lambda speaker: -speaker.target_seconds)
    rest = len(speakers) - MOST_SPEAKERS
    lines = [line for text in left_out(report) for line in wrapped(text, WIDTH - 2 * MARGIN, face)]
    heading = wrapped(report.summary, WIDTH - 2 * MARGIN, face)
    shown_speakers = speakers[:MOST_SPEAKERS]
    top = MARGIN + LINE * (len(heading) + 1) + 8
    below = top + SPEAKER_HEIGHT * len(shown_speakers) + (LINE if rest > 0 else 0)
    canvas = Canvas(face, below + (LINE * (len(lines) + 1) if lines else 0) + MARGIN)
    for number, line in enumerate(heading):
        canvas.text(MARGIN, MARGIN + LINE * (number + 0.5), line)
    _draw_legend(canvas, MARGIN + LINE * (len(heading) + 0.5))
    longest = max((s.speech_seconds for s in speakers), default=0.0)
    longest = max(longest, *(s.target_seconds for s in speakers), 1e-9)
    for number, speaker in enumerate(shown_speakers):
        _draw_speaker(canvas, speaker, top + SPEAKER_HEIGHT * number, longest)
    if rest > 0:
        canvas.text(MARGIN, below - LINE / 2, f"and {rest} more speakers", FAINT)
    if lines:
        canvas.text(MARGIN, below + LINE / 2, "Left out", CLIPPED)
    for number, line in enumerate(lines):
        canvas.text(MARGIN, below + LINE * (number + 1.5), line, REMARK)
    pixels = torch.frombuffer(bytearray(canvas.image.tobytes()), dtype=torch.uint8)
    return pixels.reshape(1, canvas.image.height, canvas.image.width, 3) / 255


def left_out(report: Report) -> list[str]:
    """One clip per reason, and how many more there are; the most frequent reason first."""
    first = {remark.reason: remark.sentence for remark in reversed(report.remarks)}
    return [
        f"{first[reason]} {count - 1} more like it." if count > 1 else first[reason]
        for reason, count in report.reasons
    ]


def _draw_legend(canvas: Canvas, y: float) -> None:
    x = MARGIN
    for colour, text in ((TAKEN, "targets"), (LEFT_OUT, "speech found"), (TEXT, "level of each clip")):
        width, half = (2, 5) if colour == TEXT else (10, 5)
        canvas.box(x, y - half, x + width, y + half, TAKEN if colour == TEXT else colour)
        canvas.text(x + width + 5, y, text, FAINT)
        x += width + canvas.width_of(text) + 18


def _draw_speaker(canvas: Canvas, speaker: Speaker, top: float, longest: float) -> None:
    """Name and figures; speech found and targets made of it on one scale; a mark for each clip's level."""
    right = WIDTH - MARGIN
    canvas.text(MARGIN, top + LINE / 2, shown(speaker.name, 24))
    figures = f"{speaker.target_seconds:.0f} s of targets, {speaker.num_used} of {speaker.num_clips} clips"
    canvas.text(right, top + LINE / 2, figures, FAINT, "rm")
    y = top + LINE
    scale = (right - MARGIN) / longest
    canvas.box(MARGIN, y, right, y + BAR, PANEL)
    if speaker.speech_seconds:
        canvas.box(MARGIN, y, MARGIN + speaker.speech_seconds * scale, y + BAR, LEFT_OUT)
    if speaker.target_seconds:
        canvas.box(MARGIN, y, MARGIN + speaker.target_seconds * scale, y + BAR / 2, TAKEN)
    _draw_levels(canvas, speaker, y + BAR + 8)


def _draw_levels(canvas: Canvas, speaker: Speaker, y: float) -> None:
    lowest, highest = LEVELS_DBFS
    left, right = MARGIN + 34, WIDTH - MARGIN - 34
    canvas.text(MARGIN, y + 2, f"{lowest:.0f}", FAINT)
    canvas.text(WIDTH - MARGIN, y + 2, f"{highest:.0f} dBFS", FAINT, "rm")
    canvas.box(left, y + 2, right - 20, y + 3, LEFT_OUT)
    for level, is_used in speaker.levels:
        share = (min(max(level, lowest), highest) - lowest) / (highest - lowest)
        x = left + share * (right - 20 - left)
        canvas.box(x - 1, y - 3, x + 1, y + 8, TAKEN if is_used else CLIPPED)
