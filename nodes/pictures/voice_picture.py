"""What Load Voice shows: whose voice it is, with which consent, and its waveform."""

import torch
from torch import Tensor

from ...idlora_core.voice_file import Voice
from .drawing import font
from .reference_picture import (
    FAINT,
    FONT_SIZE,
    MARGIN,
    PANEL,
    REMARK,
    REMARK_HEIGHT,
    SCALE,
    TAKEN,
    TEXT,
    WIDTH,
    Canvas,
    wrapped,
)

TITLE_HEIGHT = 30
WAVE_HEIGHT = 60


def draw(voice: Voice, waveform: Tensor | None) -> Tensor:
    """The card of a voice as an IMAGE of the host: (1, H, W, 3) in [0, 1].

    Args:
        waveform: (1, C, N); None where the file holds no recording.

    Raises:
        CannotDraw: Pillow is too old.
    """
    face = font(FONT_SIZE * SCALE)
    width = WIDTH - 2 * MARGIN
    facts = wrapped(", ".join(_facts(voice)), width, face)
    consent = wrapped(voice.consent.in_full or voice.consent.summary, width, face)
    wave = WAVE_HEIGHT + MARGIN if waveform is not None else 0
    canvas = Canvas(face, TITLE_HEIGHT + wave + REMARK_HEIGHT * (len(facts) + len(consent)) + MARGIN)
    canvas.text(MARGIN, TITLE_HEIGHT / 2, wrapped(voice.name or "A voice without a name", width, face)[0])
    if waveform is not None:
        _draw_wave(canvas, waveform, TITLE_HEIGHT)
    top = TITLE_HEIGHT + wave
    colours = [FAINT] * len(facts) + [TEXT if voice.consent.is_given else REMARK] * len(consent)
    for number, (line, colour) in enumerate(zip([*facts, *consent], colours, strict=True)):
        canvas.text(MARGIN, top + REMARK_HEIGHT * (number + 0.5), line, colour)
    return canvas.pixels()


def _facts(voice: Voice) -> list[str]:
    facts = [voice.language] if voice.language else []
    if voice.reference is not None:
        facts.append(f"{voice.reference.num_tokens * voice.reference.grid.seconds_per_latent:.1f} s encoded")
    facts.append("recording inside" if voice.flac else "no recording inside")
    return [*facts, f"saved {voice.created}"] if voice.created else facts


def _draw_wave(canvas: Canvas, waveform: Tensor, top: int) -> None:
    columns = (WIDTH - 2 * MARGIN) * SCALE
    peaks = torch.nn.functional.adaptive_max_pool1d(waveform.abs().amax(dim=1), columns)[0]
    middle, half = top + WAVE_HEIGHT / 2, WAVE_HEIGHT / 2 - 2
    canvas.box(MARGIN, top, WIDTH - MARGIN, top + WAVE_HEIGHT, PANEL)
    for column, peak in enumerate((peaks / peaks.max().clamp(min=1e-9) * half).clamp(min=0.5).tolist()):
        x = MARGIN + column / SCALE
        canvas.box(x, middle - peak, x + 1 / SCALE, middle + peak, TAKEN)
