"""What Pick Take shows: every take with its voice score and noise band, its rank and why, best first."""

from torch import Tensor

from ...idlora_core.takes.report import NOTE, TakesReport
from .drawing import font
from .reference_picture import (
    CLIP,
    FAINT,
    FONT_SIZE,
    MARGIN,
    PANEL,
    REMARK,
    REMARK_HEIGHT,
    SCALE,
    TAKEN,
    TAKEN_PANEL,
    TEXT,
    WIDTH,
    Canvas,
    wrapped,
)

ROW_TITLE = 20
BAR_HEIGHT = 8
PLOT_LEFT, PLOT_RIGHT = 150, WIDTH - MARGIN - 40
LEAST_SPAN = 0.1  # of the plot's axis
ROW_GAP = 8


def draw(report: TakesReport) -> Tensor:
    """The table as an IMAGE of the host: (1, H, W, 3) in [0, 1].

    Raises:
        CannotDraw: Pillow is too old.
    """
    face = font(FONT_SIZE * SCALE)
    width = WIDTH - 2 * MARGIN
    rows = [
        wrapped(f"{report.takes[place.take].summary}. Why: {place.why}.", width, face)
        for place in report.places
    ]
    notes = [line for text in (*report.remarks, NOTE) for line in wrapped(text, width, face)]
    heights = [ROW_TITLE + REMARK_HEIGHT * len(lines) + ROW_GAP for lines in rows]
    canvas = Canvas(face, MARGIN + sum(heights) + REMARK_HEIGHT * len(notes) + MARGIN)
    top = MARGIN
    for index, (lines, height) in enumerate(zip(rows, heights, strict=True)):
        _draw_row(canvas, report, index, lines, top)
        top += height
    for number, line in enumerate(notes):
        canvas.text(MARGIN, top + REMARK_HEIGHT * (number + 0.5), line, REMARK)
    return canvas.pixels()


def _draw_row(canvas: Canvas, report: TakesReport, index: int, lines: list[str], top: float) -> None:
    place = report.places[index]
    if index == 0:
        bottom = top + ROW_TITLE + REMARK_HEIGHT * len(lines) + ROW_GAP / 2
        canvas.box(MARGIN / 2, top - ROW_GAP / 4, WIDTH - MARGIN / 2, bottom, TAKEN_PANEL)
    sign = "=" if place.is_tied else ""
    canvas.text(MARGIN, top + ROW_TITLE / 2, f"{place.rank}{sign}   {report.name_of(place.take)}")
    _draw_score(canvas, report, place.take, top + ROW_TITLE / 2, is_best=index == 0)
    for number, line in enumerate(lines):
        canvas.text(MARGIN, top + ROW_TITLE + REMARK_HEIGHT * (number + 0.5), line, FAINT)


def _draw_score(canvas: Canvas, report: TakesReport, take: int, middle: float, is_best: bool) -> None:
    """A dot on the axis of all takes' similarities, with the noise band about it."""
    similarity = report.takes[take].similarity
    if similarity is None:
        return
    low, high = _axis(report)

    def x(value: float) -> float:
        return PLOT_LEFT + (value - low) / (high - low) * (PLOT_RIGHT - PLOT_LEFT)

    canvas.box(PLOT_LEFT, middle - 1, PLOT_RIGHT, middle + 1, PANEL)
    band = report.noise_band
    colour = TAKEN if is_best else CLIP
    canvas.box(x(similarity - band), middle - 1.5, x(similarity + band), middle + 1.5, colour)
    canvas.box(x(similarity) - 2, middle - BAR_HEIGHT / 2, x(similarity) + 2, middle + BAR_HEIGHT / 2, colour)
    canvas.text(WIDTH - MARGIN, middle, f"{similarity:.2f}", TEXT, "rm")


def _axis(report: TakesReport) -> tuple[float, float]:
    """From the least similarity to the greatest, each with its noise band."""
    known = [take.similarity for take in report.takes if take.similarity is not None]
    low, high = min(known) - report.noise_band, max(known) + report.noise_band
    spare = max(LEAST_SPAN - (high - low), 0) / 2
    return low - spare, high + spare
