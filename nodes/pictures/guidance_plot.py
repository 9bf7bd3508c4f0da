"""A picture of how large each guidance term was, call by call: one panel per stream, one line per term."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy
import torch

from ...idlora_core.term_sizes import CallSizes, Sizes
from ...idlora_core.terms import TERMS, Mark, Scales, Term
from .drawing import font

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT = 768, 576
FINER = 2  # drawn larger, then reduced: smooth lines
LEFT, RIGHT, PANEL_TOPS, PANEL_HEIGHT = 62, 578, (48, 312), 192
LEGEND, LEGEND_LINE, MARK = RIGHT + 22, 34, 4
MOST_MARKS, MOST_LABELS = 32, 9
ROUND_LIMITS = ((1, 4), (1.5, 3), (2, 4), (3, 3), (4, 4), (5, 5), (6, 3), (8, 4), (10, 5))  # upper end, parts
INK, FAINT, PAPER = "#202020", "#d8d8d8", "#ffffff"
CORNERS: dict[Mark, list[tuple[float, float]]] = {
    "circle": [(math.cos(turn * math.pi / 8), math.sin(turn * math.pi / 8)) for turn in range(16)],
    "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
    "triangle": [(0, -1.3), (1.2, 1), (-1.2, 1)],
    "diamond": [(0, -1.4), (1.4, 0), (0, 1.4), (-1.4, 0)],
    "arrow": [(0, 1.3), (1.2, -1), (-1.2, -1)],
    "bar": [(-1.4, -0.6), (1.4, -0.6), (1.4, 0.6), (-1.4, 0.6)],
}


@dataclass(frozen=True)
class Panel:
    """One stream.

    Attributes:
        title: above it.
        scales: what its terms were multiplied with.
        sizes: relative size of each term per call.
        top: upper edge.
    """

    title: str
    scales: Scales
    sizes: list[Sizes]
    top: int

    @property
    def bottom(self) -> int:
        return self.top + PANEL_HEIGHT

    @property
    def shown(self) -> list[Term]:
        """Those that were on and ran at least once."""
        return [term for term in TERMS if any(sizes[term.scale] != 0 for sizes in self.sizes)]

    @property
    def ticks(self) -> list[float]:
        """Round values from 0 to the first that is above everything."""
        largest = max((v for sizes in self.sizes for v in sizes.values() if math.isfinite(v)), default=0.0)
        power = 10.0 ** math.floor(math.log10(largest)) if largest > 0 else 0.1
        limit, parts = next((r, p) for r, p in ROUND_LIMITS if r * power >= largest)
        return [limit * power * part / parts for part in range(parts + 1)]


def guidance_plot(calls: list[CallSizes], video: Scales, audio: Scales) -> torch.Tensor:
    """The plot as an IMAGE.

    Args:
        calls: sizes of the terms, in order.
        video, audio: scales of each stream.

    Returns:
        (1, HEIGHT, WIDTH, 3) float32 in [0, 1].

    Raises:
        CannotDraw: Pillow is too old.
    """
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH * FINER, HEIGHT * FINER), PAPER)
    draw = ImageDraw.Draw(image)
    _text(draw, LEFT, 6, "Size of each guidance term beside the unguided prediction")
    panels = (
        Panel("video", video, [call.video for call in calls], PANEL_TOPS[0]),
        Panel("audio", audio, [call.audio for call in calls], PANEL_TOPS[1]),
    )
    for panel in panels:
        _frame(draw, panel, [call.sigma for call in calls])
        for term in panel.shown:
            _line(draw, panel, term, [term.scale in call.reused for call in calls])
        _legend(draw, panel)
    _notes(draw, len(calls), any(call.reused for call in calls))
    image = image.resize((WIDTH, HEIGHT), Image.Resampling.BOX)
    return torch.from_numpy(numpy.asarray(image, dtype=numpy.float32) / 255.0)[None]


def _frame(draw: "ImageDraw", panel: Panel, sigmas: list[float]) -> None:
    """Title, grid, sizes at the left, sigmas below."""
    _text(draw, LEFT, panel.top - 4, panel.title, anchor="ls")
    for value in panel.ticks:
        y = _y(panel, value)
        _stroke(draw, [(LEFT, y), (RIGHT, y)], FAINT if value else INK)
        _text(draw, LEFT - 8, y, f"{value:.4g}", anchor="rm")
    for call in _spread(len(sigmas), MOST_LABELS):
        x = _x(call, len(sigmas))
        _stroke(draw, [(x, panel.bottom), (x, panel.bottom + 4)], INK)
        _text(draw, x, panel.bottom + 7, f"{sigmas[call]:.3g}", anchor="mt")


def _line(draw: "ImageDraw", panel: Panel, term: Term, reused: list[bool]) -> None:
    """One term over the calls; marks are hollow where it was extrapolated."""
    count = len(panel.sizes)
    # NaN leaves a gap.
    values = [sizes[term.scale] for sizes in panel.sizes]
    points = [
        (_x(i, count), _y(panel, value)) if math.isfinite(value) else None for i, value in enumerate(values)
    ]
    for start, end in zip(points, points[1:], strict=False):
        if start and end:
            _stroke(draw, [start, end], term.colour, width=1.5)
    for call in _spread(count, MOST_MARKS):
        point = points[call]
        if point:
            _mark(draw, point, term, hollow=reused[call])


def _legend(draw: "ImageDraw", panel: Panel) -> None:
    """Mark, name, scale and mean of each line; then what is off."""
    y = panel.top + 10
    for term in panel.shown:
        _stroke(draw, [(LEGEND - 12, y), (LEGEND + 12, y)], term.colour, width=1.5)
        _mark(draw, (LEGEND, y), term, hollow=False)
        mean = sum(sizes[term.scale] for sizes in panel.sizes) / len(panel.sizes)
        _text(draw, LEGEND + 18, y, term.title, anchor="lm", size=13)
        _text(
            draw, LEGEND + 18, y + 14, f"{panel.scales[term.scale]:g}; mean {mean:.2g}", anchor="lm", size=11
        )
        y += LEGEND_LINE
    off = [term.title for term in TERMS if term not in panel.shown]
    if off:
        _text(draw, LEGEND - 12, y, "off:", anchor="lm", size=11)
        for place, title in enumerate(off):
            _text(draw, LEGEND + 18, y + 14 * place, title, anchor="lm", size=11)


def _notes(draw: "ImageDraw", count: int, has_reused: bool) -> None:
    calls = "1 call" if count == 1 else f"{count} calls"
    hollow = "; hollow: difference extrapolated" if has_reused else ""
    _text(draw, LEFT, HEIGHT - 36, f"sigma of each call of the guided model ({calls}){hollow}", size=12)
    _text(draw, LEFT, HEIGHT - 20, "height: RMS of (scale - off) x difference, over RMS of cond", size=12)


def _mark(draw: "ImageDraw", point: tuple[float, float], term: Term, hollow: bool) -> None:
    x, y = point
    outline = [((x + MARK * dx) * FINER, (y + MARK * dy) * FINER) for dx, dy in CORNERS[term.mark]]
    draw.polygon(outline, fill=PAPER if hollow else term.colour)
    draw.line([*outline, *outline[:2]], fill=term.colour, width=round(1.25 * FINER), joint="curve")


def _stroke(draw: "ImageDraw", points: list[tuple[float, float]], colour: str, width: float = 1.0) -> None:
    draw.line([(x * FINER, y * FINER) for x, y in points], fill=colour, width=round(width * FINER))


def _text(draw: "ImageDraw", x: float, y: float, text: str, anchor: str = "lt", size: int = 14) -> None:
    draw.text((x * FINER, y * FINER), text, fill=INK, anchor=anchor, font=font(size * FINER))


def _x(call: int, count: int) -> float:
    """Calls are evenly spaced, with room at both sides; one alone stands in the middle."""
    inset = 12
    if count == 1:
        return (LEFT + RIGHT) / 2
    return LEFT + inset + (RIGHT - LEFT - 2 * inset) * call / (count - 1)


def _y(panel: Panel, value: float) -> float:
    return panel.bottom - (panel.bottom - panel.top - 6) * value / panel.ticks[-1]


def _spread(count: int, most: int) -> range:
    """Indices of at most that many calls, evenly spaced from the first on."""
    return range(0, count, max(1, math.ceil(count / most)))
