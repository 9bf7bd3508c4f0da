"""The picture that ComfyUI's template browser shows beside a workflow's name."""

import hashlib
from pathlib import Path

import av
import numpy
from PIL import Image, ImageDraw, ImageFont

from tools.media import PORTRAIT, VOICE

SIDE = 512  # the browser crops to a square
OVERSAMPLING = 2
BACKGROUND, CARD, STRIP, INK, PALE, ACCENT = "#20272c", "#2d373e", "#0b0e10", "#ffffff", "#b7c4c9", "#58b3b3"
FACE_BOX, WAVE_BOX, STRIP_BOX = (24, 104, 214, 294), (262, 104, 488, 294), (24, 340, 488, 494)
FRAMES = 4


def draw_thumbnail(title: str, tagline: str) -> Image.Image:
    """A face plus a voice, an arrow down, a strip of frames."""
    image = Image.new("RGB", (SIDE * OVERSAMPLING, SIDE * OVERSAMPLING), BACKGROUND)
    draw = ImageDraw.Draw(image)
    _text(draw, (24, 12), title, 40, INK)
    _text(draw, (24, 62), tagline, 22, PALE)
    face = Image.open(PORTRAIT).convert("RGB")
    _paste(image, face, FACE_BOX)
    _draw_plus(draw)
    _draw_wave(draw)
    _draw_arrow(draw)
    _draw_strip(image, draw, face)
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _scaled(box: tuple[float, ...]) -> list[int]:
    return [round(edge * OVERSAMPLING) for edge in box]


def _text(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, colour: str) -> None:
    x, y = at
    font = ImageFont.load_default(size * OVERSAMPLING)
    draw.text((x * OVERSAMPLING, y * OVERSAMPLING), text, colour, font)


def _paste(image: Image.Image, picture: Image.Image, box: tuple[float, ...]) -> None:
    left, top, right, bottom = _scaled(box)
    mask = Image.new("L", (right - left, bottom - top), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *mask.size), 10 * OVERSAMPLING, 255)
    scale = mask.height / picture.height
    shown = picture.resize((round(picture.width * scale), mask.height), Image.Resampling.LANCZOS)
    inset = (shown.width - mask.width) // 2
    image.paste(shown.crop((inset, 0, inset + mask.width, mask.height)), (left, top), mask)


def _draw_plus(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle(_scaled((226, 196, 250, 202)), INK)
    draw.rectangle(_scaled((235, 187, 241, 211)), INK)


def _draw_wave(draw: ImageDraw.ImageDraw) -> None:
    """The example voice as bars: the loudest sample of each span."""
    draw.rounded_rectangle(_scaled(WAVE_BOX), 10 * OVERSAMPLING, CARD)
    left, top, right, bottom = WAVE_BOX
    middle, reach = (top + bottom) / 2, (bottom - top) / 2 - 20
    for i, peak in enumerate(_peaks(count=(right - left - 24) // 7)):
        x, y = left + 14 + 7 * i, max(2, reach * peak)
        draw.rounded_rectangle(_scaled((x, middle - y, x + 4, middle + y)), OVERSAMPLING, ACCENT)


def _peaks(count: int) -> list[float]:
    with av.open(str(VOICE)) as source:
        samples = numpy.concatenate([frame.to_ndarray()[0] for frame in source.decode(audio=0)])
    spans = numpy.array_split(numpy.abs(samples.astype(numpy.float32)), count)
    loudest = numpy.array([span.max() for span in spans])
    return list(loudest / loudest.max())


def _draw_arrow(draw: ImageDraw.ImageDraw) -> None:
    x, y = SIDE / 2, 316
    draw.rectangle(_scaled((x - 5, y - 14, x + 5, y)), INK)
    draw.polygon([tuple(_scaled(p)) for p in ((x - 18, y), (x + 18, y), (x, y + 18))], INK)


def _draw_strip(image: Image.Image, draw: ImageDraw.ImageDraw, face: Image.Image) -> None:
    left, top, right, bottom = STRIP_BOX
    draw.rounded_rectangle(_scaled(STRIP_BOX), 10 * OVERSAMPLING, STRIP)
    for x in range(left + 10, right - 20, 26):
        for y in (top + 7, bottom - 17):
            draw.rounded_rectangle(_scaled((x, y, x + 15, y + 10)), 3 * OVERSAMPLING, PALE)
    for i in range(FRAMES):
        x = left + 8 + 113 * i
        _paste(image, face, (x, top + 24, x + 109, bottom - 24))


def source_of(title: str, tagline: str) -> str:
    """A hash of all that a thumbnail is drawn from; kept in it, so that a test need not draw it again."""
    source = hashlib.sha256(f"{title}\n{tagline}\n".encode())
    for file in (Path(__file__), PORTRAIT, VOICE):
        source.update(file.read_bytes())
    return source.hexdigest()


def save_thumbnail(path: Path, title: str, tagline: str) -> None:
    comment = source_of(title, tagline)
    draw_thumbnail(title, tagline).save(path, quality=88, optimize=True, comment=comment)
