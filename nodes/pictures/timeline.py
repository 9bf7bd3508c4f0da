"""What Scene Script shows: who speaks when, over the seconds of the clip, and advice.

Drawn at twice the size it is shown at, on a ground of its own, so that it reads on light and on dark themes.
"""

import torch
from torch import Tensor

from ...idlora_core.written_scene import WrittenScene
from .drawing import font
from .reference_picture import (
    FAINT,
    FONT_SIZE,
    GROUND,
    MARGIN,
    PANEL,
    REMARK,
    REMARK_HEIGHT,
    SCALE,
    TEXT,
    WIDTH,
    Canvas,
    tick,
    ticks,
    wrapped,
)

NAME_WIDTH = 64
ROWS_TOP, ROW_HEIGHT, BAR_HEIGHT = 30, 28, 20
AXIS_HEIGHT = 24
LEFT, RIGHT = MARGIN + NAME_WIDTH, WIDTH - MARGIN
# Of Okabe and Ito, which colour-blind people tell apart; light enough for dark words.
COLOURS = ("#56b4e9", "#e69f00", "#2bb58a", "#f0e442", "#d98cb9", "#e8754a", "#8fb3ff", "#c8c8c8")
ELLIPSIS = "…"


def draw(written: WrittenScene) -> Tensor:
    """The picture as an IMAGE of the host: (1, H, W, 3) in [0, 1]; a row for each member of the cast.

    Raises:
        CannotDraw: Pillow is too old.
    """
    face = font(FONT_SIZE * SCALE)
    lines = [line for remark in written.remarks for line in wrapped(remark, WIDTH - 2 * MARGIN, face)]
    members = written.scene.members
    bottom = ROWS_TOP + ROW_HEIGHT * len(members)
    below = bottom + AXIS_HEIGHT
    canvas = Canvas(face, below + (REMARK_HEIGHT * len(lines) + MARGIN if lines else MARGIN // 2))
    canvas.text(MARGIN, 16, f"Who speaks when: {written.seconds:.2f} s, {len(written.lines)} turns")
    for row, member in enumerate(members):
        middle = ROWS_TOP + ROW_HEIGHT * (row + 0.5)
        canvas.text(MARGIN, middle, fitted(canvas, member.name, NAME_WIDTH - 6))
        canvas.box(LEFT, middle - BAR_HEIGHT / 2, RIGHT, middle + BAR_HEIGHT / 2, PANEL)
    for turn, line in zip(written.scene.turns, written.lines, strict=True):
        for place in sorted(turn.speakers):
            _draw_turn(canvas, written, place, turn.start, turn.end, line.words)
    _draw_axis(canvas, written.seconds, bottom)
    for number, line in enumerate(lines):
        canvas.text(MARGIN, below + REMARK_HEIGHT * (number + 0.5), line, REMARK)
    pixels = torch.frombuffer(bytearray(canvas.image.tobytes()), dtype=torch.uint8)
    return pixels.reshape(1, canvas.image.height, canvas.image.width, 3) / 255


def _draw_turn(
    canvas: Canvas, written: WrittenScene, place: int, start: float, end: float, words: str
) -> None:
    """A bar with the words that fit on it; hollow where the speaker has no voice."""
    middle = ROWS_TOP + ROW_HEIGHT * (place + 0.5)
    left, right = (_x(written, seconds) for seconds in (start, end))
    colour = COLOURS[place % len(COLOURS)]
    canvas.box(left, middle - BAR_HEIGHT / 2, right, middle + BAR_HEIGHT / 2, colour)
    has_voice = written.scene.members[place].voice is not None
    if not has_voice:
        canvas.box(left + 1, middle - BAR_HEIGHT / 2 + 1, right - 1, middle + BAR_HEIGHT / 2 - 1, PANEL)
    shown = fitted(canvas, words, right - left - 8)
    canvas.text(left + 4, middle, shown, GROUND if has_voice else TEXT)


def _draw_axis(canvas: Canvas, seconds: float, top: float) -> None:
    canvas.box(LEFT, top, RIGHT, top + 1, FAINT)
    for second in ticks(0, seconds, RIGHT - LEFT):
        x = LEFT + second / seconds * (RIGHT - LEFT)
        canvas.box(x, top, x + 1, top + 5, FAINT)
        canvas.text(min(x, RIGHT - 6), top + 14, tick(second, seconds), FAINT, "mm")
    canvas.text(MARGIN, top + 14, "seconds", FAINT)


def fitted(canvas: Canvas, text: str, width: float) -> str:
    """As much of a text as fits, with an ellipsis where some is left out; empty where not even that fits."""
    if canvas.width_of(text) <= width:
        return text
    for end in range(len(text) - 1, 0, -1):
        shorter = text[:end].rstrip() + ELLIPSIS
        if canvas.width_of(shorter) <= width:
            return shorter
    return ""


def _x(written: WrittenScene, seconds: float) -> float:
    return LEFT + min(max(seconds / written.seconds, 0), 1) * (RIGHT - LEFT)
