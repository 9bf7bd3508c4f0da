"""What Encode Reference Audio shows: the recording with what was taken, where it lies in the model's time, advice.

Drawn at twice the size it is shown at, on a ground of its own, so that it reads on light and on dark themes.
"""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...idlora_core.reference import Reference
from ...idlora_core.voice.recording import Recording
from .drawing import font

if TYPE_CHECKING:
    from .drawing import Font

SCALE = 2
WIDTH, HEIGHT = 360, 186  # without remarks
MARGIN = 10
FONT_SIZE = 12
GROUND, PANEL = "#20242b", "#2b313a"
TEXT, FAINT = "#eef1f5", "#a3adba"
TAKEN, LEFT_OUT, CLIPPED, CLIP = "#4fc3b0", "#66707e", "#ff6b5e", "#e0a458"
REMARK = "#ffc46b"
TAKEN_PANEL = "#2f4a4c"

WAVE_TOP, WAVE_BOTTOM = 30, 90
WAVE_RIGHT = WIDTH - MARGIN - 58  # beside it stands the level
LINE_TOP, LINE_BOTTOM = 134, 160
REFERENCE_SHARE = 0.72  # of the time line's width; the rest is the clip's
REMARK_HEIGHT = 16
LEAST_TICK_PIXELS = 46
TICK_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)


class Canvas:
    """A picture in units of the node's pixels."""

    def __init__(self, font: "Font", height: int) -> None:
        from PIL import Image, ImageDraw  # here, so that a host that starts need not wait for it

        self.image = Image.new("RGB", (WIDTH * SCALE, height * SCALE), GROUND)
        self._draw = ImageDraw.Draw(self.image)
        self._font = font

    def box(self, left: float, top: float, right: float, bottom: float, colour: str) -> None:
        """Filled, at least one pixel wide."""
        left, top, right, bottom = (round(value * SCALE) for value in (left, top, right, bottom))
        self._draw.rectangle((left, top, max(right - 1, left), max(bottom - 1, top)), fill=colour)

    def polygon(self, points: list[tuple[float, float]], colour: str) -> None:
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=colour)

    def text(self, x: float, y: float, text: str, colour: str = TEXT, anchor: str = "lm") -> None:
        """`anchor` as Pillow's: l, m, r across, then t, m, b down."""
        self._draw.text((x * SCALE, y * SCALE), text, fill=colour, font=self._font, anchor=anchor)

    def width_of(self, text: str) -> float:
        return width_of(text, self._font)

    def pixels(self) -> Tensor:
        """As an IMAGE of the host: (1, H, W, 3) in [0, 1]."""
        values = torch.frombuffer(bytearray(self.image.tobytes()), dtype=torch.uint8)
        return values.reshape(1, self.image.height, self.image.width, 3) / 255


def draw(recording: Recording, reference: Reference) -> Tensor:
    """The picture as an IMAGE of the host: (1, H, W, 3) in [0, 1]; higher where there is advice to give.

    Raises:
        CannotDraw: Pillow is too old.
    """
    face = font(FONT_SIZE * SCALE)
    lines = [line for remark in recording.remarks for line in wrapped(remark, WIDTH - 2 * MARGIN, face)]
    canvas = Canvas(face, HEIGHT + (REMARK_HEIGHT * len(lines) + MARGIN if lines else 0))
    _draw_recording(canvas, recording)
    _draw_time_line(canvas, reference)
    for number, line in enumerate(lines):
        canvas.text(MARGIN, HEIGHT + REMARK_HEIGHT * (number + 0.5), line, REMARK)
    return canvas.pixels()


def _draw_recording(canvas: Canvas, recording: Recording) -> None:
    seconds = recording.num_samples / recording.sample_rate
    width = WAVE_RIGHT - MARGIN
    taken = sum(end - start for start, end in recording.spans) / recording.sample_rate
    canvas.text(MARGIN, 16, f"Recording: {_seconds(taken)} of {_seconds(seconds)} s taken")
    canvas.box(MARGIN, WAVE_TOP, WAVE_RIGHT, WAVE_BOTTOM, PANEL)
    inside = torch.zeros(width * SCALE, dtype=torch.bool)
    for start, end in recording.spans:
        first, last = (math.floor(s / recording.num_samples * width * SCALE) for s in (start, end))
        inside[first : max(last, first + 1)] = True
        canvas.box(MARGIN + first / SCALE, WAVE_TOP, MARGIN + last / SCALE, WAVE_BOTTOM, TAKEN_PANEL)
    _draw_wave(canvas, recording, inside)
    for second in ticks(0, seconds, width):
        x = MARGIN + second / seconds * width
        canvas.box(x, WAVE_BOTTOM, x + 1, WAVE_BOTTOM + 4, FAINT)
        label = tick(second, seconds)
        x = max(x, MARGIN + canvas.width_of(label) / 2)
        canvas.text(x, WAVE_BOTTOM + 12, label, FAINT, "mm")


def _draw_wave(canvas: Canvas, recording: Recording, inside: Tensor) -> None:
    """Peaks about the middle, the loudest filling the height, and a line at the level of the speech."""
    frames = recording.frames
    peaks = _columns(frames.peak, inside.numel())
    is_clipped = _columns(frames.clipped, inside.numel()) > 0
    middle, half = (WAVE_TOP + WAVE_BOTTOM) / 2, (WAVE_BOTTOM - WAVE_TOP) / 2 - 2
    loudest = peaks.max().item()
    for column, height in enumerate((peaks / loudest * half).tolist()):
        colour = TAKEN if inside[column] else LEFT_OUT
        colour = CLIPPED if is_clipped[column] else colour
        x, height = MARGIN + column / SCALE, max(height, 0.5)
        canvas.box(x, middle - height, x + 1 / SCALE, middle + height, colour)
    level_dbfs = recording.diagnosis.level_dbfs
    y = middle - min(10 ** (level_dbfs / 20) / loudest, 1) * half
    for x in range(MARGIN, WAVE_RIGHT, 6):
        canvas.box(x, y - 0.5, min(x + 3, WAVE_RIGHT), y + 0.5, TEXT)
    canvas.text(WAVE_RIGHT + 5, y, f"{level_dbfs:.0f} dBFS", TEXT, "lm")


def _draw_time_line(canvas: Canvas, reference: Reference) -> None:
    """The reference left of zero as the transformer's positions have it, and the clip that follows."""
    bounds = reference.bounds()
    first, last = bounds.min().item(), bounds.max().item()
    zero = MARGIN + REFERENCE_SHARE * (WIDTH - 2 * MARGIN)
    pixels_per_second = (zero - MARGIN) / -first
    end = min(zero + last * pixels_per_second, zero - 2)  # a gap of one token would not be seen
    right, middle = WIDTH - MARGIN, (LINE_TOP + LINE_BOTTOM) / 2
    canvas.text(MARGIN, 122, "The model's time line, s", FAINT)
    canvas.text(right, 122, f"gap {-last:.2f} s", FAINT, "rm")
    canvas.box(MARGIN, LINE_TOP, zero, LINE_BOTTOM, PANEL)
    canvas.box(MARGIN, LINE_TOP, end, LINE_BOTTOM, TAKEN)
    tip = 12
    canvas.box(zero, LINE_TOP, right - tip, LINE_BOTTOM, CLIP)
    canvas.polygon([(right - tip, LINE_TOP - 4), (right, middle), (right - tip, LINE_BOTTOM + 4)], CLIP)
    canvas.text((zero + right - tip) / 2, middle, "clip", GROUND, "mm")
    label = f"reference {last - first:.2f} s"
    if canvas.width_of(label) + 8 < end - MARGIN:
        canvas.text((MARGIN + end) / 2, middle, label, GROUND, "mm")
    for second in ticks(first, 0, zero - MARGIN):
        x = zero + second * pixels_per_second
        canvas.box(x, LINE_BOTTOM, x + 1, LINE_BOTTOM + 5, FAINT)
        label = tick(second, -first)
        x = max(x, MARGIN + canvas.width_of(label) / 2)
        canvas.text(x, LINE_BOTTOM + 14, label, TEXT if second == 0 else FAINT, "mm")
    canvas.box(zero - 0.5, LINE_TOP - 6, zero + 1, LINE_BOTTOM + 6, TEXT)


def wrapped(text: str, width: float, font: "Font") -> list[str]:
    """Lines of whole words that fit in `width`."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, font) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def width_of(text: str, font: "Font") -> float:
    return font.getlength(text) / SCALE


def _columns(values: Tensor, num_columns: int) -> Tensor:
    """The highest value in each of `num_columns` equal parts of (F,)."""
    return torch.nn.functional.adaptive_max_pool1d(values[None, None], num_columns)[0, 0]


def ticks(first: float, last: float, width: float) -> list[float]:
    """Round numbers from `first` to `last`, both possible, far enough apart for their labels."""
    needed = (last - first) / max(width / LEAST_TICK_PIXELS, 1)
    step = next((step for step in TICK_STEPS if step >= needed), TICK_STEPS[-1])
    return [n * step for n in range(math.ceil(first / step - 1e-6), math.floor(last / step + 1e-6) + 1)]


def tick(second: float, longest: float) -> str:
    """Seconds, or minutes and seconds on a line of more than two minutes."""
    if longest > 120:
        return f"{int(second) // 60}:{int(second) % 60:02d}"
    return f"{abs(second) if second == 0 else round(second, 1):g}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds < 100 else f"{seconds:.0f}"
