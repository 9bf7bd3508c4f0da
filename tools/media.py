"""The example media of `workflows/assets/`, made by code: a portrait of nobody and a synthetic voice.

    python tools/media.py             both
    python tools/media.py portrait    the portrait (needs Pillow)
    python tools/media.py voice       the voice (needs PyAV, and the program: apt-get install espeak-ng)

The portrait is drawn from the outlines below; no photograph was used. The voice is espeak-ng's formant
synthesis, which is not made from recordings of a speaker: `ESPEAK` reads `VOICE_LINE`, resampled to 24 kHz,
mono, FLAC, with 0.3 s of silence before it.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

ASSETS = Path(__file__).resolve().parents[1] / "workflows" / "assets"
PORTRAIT = ASSETS / "idlora_portrait.png"
VOICE = ASSETS / "idlora_voice.flac"

VOICE_LINE = (
    "This is a synthetic voice, made for testing. It belongs to nobody, and you may use it as you like."
)
ESPEAK = ["espeak-ng", "-v", "en-gb+f3", "-s", "170", "-p", "42"]
VOICE_SAMPLE_RATE = 24000
LEADING_SILENCE_SECONDS = 0.3

Point = tuple[float, float]
Box = tuple[float, float, float, float]


class Painter:
    """A canvas in units of one output pixel, painted larger and reduced at the end for smooth edges."""

    def __init__(self, width: int, height: int, background: str, oversampling: int):
        self.size = (width, height)
        self.oversampling = oversampling
        self.image = Image.new("RGB", (width * oversampling, height * oversampling), background)

    def shape(self, paint: Callable[[ImageDraw.ImageDraw], None]) -> Image.Image:
        """A mask: whatever `paint` draws with fill 255, in canvas pixels."""
        mask = Image.new("L", self.image.size, 0)
        paint(ImageDraw.Draw(mask))
        return mask

    def curve(self, points: Sequence[Point]) -> Image.Image:
        """Mask of the closed smooth curve through the points."""
        outline = self._scaled(_smooth(points))
        return self.shape(lambda draw: draw.polygon(outline, fill=255))

    def stroke(self, points: Sequence[Point], width: float) -> Image.Image:
        """Mask of the open smooth line through the points, with round ends."""
        radius = width * self.oversampling / 2
        line = self._scaled(_smooth(points, closed=False, steps=64))

        def paint(draw: ImageDraw.ImageDraw) -> None:
            for x, y in line:
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)

        return self.shape(paint)

    def ellipse(self, box: Box) -> Image.Image:
        corners = [edge * self.oversampling for edge in box]
        return self.shape(lambda draw: draw.ellipse(corners, fill=255))

    def fill(
        self,
        mask: Image.Image,
        colour: str,
        opacity: float = 1.0,
        blur: float = 0.0,
        within: Image.Image | None = None,
    ) -> None:
        """Lay a colour over the mask, softened by `blur` pixels and kept inside `within`."""
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * self.oversampling))
        if within is not None:
            mask = ImageChops.multiply(mask, within)
        if opacity < 1.0:
            mask = mask.point([round(value * opacity) for value in range(256)])
        self.image.paste(colour, (0, 0), mask)

    def finished(self) -> Image.Image:
        return self.image.resize(self.size, Image.Resampling.LANCZOS)

    def _scaled(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.oversampling, y * self.oversampling) for x, y in points]


def _smooth(points: Sequence[Point], closed: bool = True, steps: int = 24) -> list[Point]:
    """Catmull-Rom spline through the points."""
    count = len(points)
    ends = [*points] if closed else [points[0], *points, points[-1]]
    spans = range(count) if closed else range(1, count)
    curve: list[Point] = []
    for i in spans:
        p0, p1, p2, p3 = (ends[(i + k) % len(ends)] for k in (-1, 0, 1, 2))
        curve += [_on_span(p0, p1, p2, p3, step / steps) for step in range(steps)]
    return curve if closed else [*curve, points[-1]]


def _on_span(p0: Point, p1: Point, p2: Point, p3: Point, t: float) -> Point:
    def axis(a: float, b: float, c: float, d: float) -> float:
        return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * (b - c) + d - a) * t**3)

    return axis(p0[0], p1[0], p2[0], p3[0]), axis(p0[1], p1[1], p2[1], p3[1])


# The portrait, 768 x 768, the face's axis at x = 384.

SIDE = 768
SKIN, SKIN_SHADE, SKIN_LIGHT, BLUSH = "#e8b48f", "#c07f5c", "#f8d3b4", "#e07f6a"
HAIR, HAIR_DARK, HAIR_LIGHT = "#4a2f27", "#2f1c18", "#7a5140"
JUMPER, JUMPER_DARK, JUMPER_LIGHT = "#2f6f73", "#1f4d52", "#4f979a"
LIP, LIP_DARK, LIP_LIGHT, MOUTH_INSIDE = "#cf7366", "#b9584f", "#ec9d8c", "#7c332f"
EYE_WHITE, IRIS, IRIS_RIM, PUPIL = "#fbf4ee", "#75804a", "#3d4a2c", "#1c1714"
WALL, WALL_LIGHT, WALL_DARK = "#d9cdbd", "#f3e9dc", "#b3a48f"


def mirrored(points: Sequence[Point]) -> list[Point]:
    return [(SIDE - x, y) for x, y in points]


def symmetric(right_half: Sequence[Point]) -> list[Point]:
    """A closed outline from its right half, given from top to bottom; points on the axis are not doubled."""
    left_half = [(x, y) for x, y in mirrored(right_half) if x != SIDE / 2]
    return [*right_half, *reversed(left_half)]


# fmt: off
HEAD = symmetric([(384, 168), (448, 182), (494, 240), (505, 330), (500, 410), (474, 476), (428, 518),
                  (384, 530)])
NECK = symmetric([(384, 430), (442, 450), (444, 530), (456, 574), (462, 600), (436, 634), (384, 650)])
BODY = symmetric([(384, 600), (458, 582), (540, 610), (640, 652), (704, 730), (730, 860), (384, 900)])
COLLAR = [(300, 586), (310, 630), (342, 662), (384, 672), (426, 662), (458, 630), (468, 586), (457, 578),
          (450, 612), (420, 639), (384, 648), (348, 639), (318, 612), (311, 578)]
COLLAR_SEAM = [(300, 592), (312, 632), (344, 662), (384, 671), (424, 662), (456, 632), (468, 592)]
HAIR_BEHIND = symmetric([(384, 112), (462, 124), (532, 176), (566, 270), (574, 380), (584, 480), (560, 560),
                         (480, 572), (384, 540)])
FRINGE = [(372, 116), (460, 122), (528, 172), (558, 270), (554, 390), (534, 452), (514, 420), (506, 350),
          (490, 286), (462, 240), (428, 212), (384, 246), (322, 274), (280, 300), (264, 350), (254, 420),
          (234, 452), (214, 390), (210, 270), (240, 172), (304, 128)]
SHEEN = [(250, 300), (268, 210), (330, 160), (400, 150)]
HAIR_SHADOW = [(530, 380), (532, 280), (500, 210), (440, 160)]
STRANDS = ([(428, 208), (370, 232), (300, 256), (262, 292)], [(432, 204), (486, 236), (516, 300), (524, 380)])
EYE_Y, EYE_X = 346, 438
EYE = [(404, 352), (420, 337), (440, 331), (460, 336), (474, 350), (458, 360), (438, 363), (418, 360)]
UPPER_LID = [(404, 353), (420, 338), (440, 332), (460, 336), (477, 349)]
LOWER_LID = [(418, 361), (438, 364), (459, 360)]
FOLD = [(412, 333), (438, 321), (466, 329)]
BROW = [(400, 309), (430, 294), (462, 296), (488, 312), (462, 303), (432, 304)]
NOSE_SIDE = [(396, 352), (398, 392), (411, 424), (402, 437), (388, 440), (390, 400)]
NOSE_TIP = [(360, 429), (369, 437), (384, 440), (399, 437), (408, 429)]
UPPER_LIP = [(334, 468), (360, 463), (376, 459), (384, 462), (392, 459), (408, 463), (434, 468), (410, 476),
             (384, 478), (358, 476)]
LOWER_LIP = [(338, 470), (360, 476), (384, 478), (408, 476), (430, 470), (410, 488), (384, 494), (358, 488)]
MOUTH_LINE = [(332, 466), (354, 474), (384, 477), (414, 474), (436, 466)]
# fmt: on


def draw_portrait(mouth_opening: float = 0.0, oversampling: int = 4) -> Image.Image:
    """Head and shoulders of a drawn person who faces the camera, the mouth open by so many pixels."""
    painter = Painter(SIDE, SIDE, WALL, oversampling)
    _draw_room_and_back_hair(painter)
    _draw_body(painter)
    _draw_face(painter)
    _draw_eye(painter, lambda points: list(points))
    _draw_eye(painter, mirrored)
    _draw_nose(painter)
    _draw_mouth(painter, mouth_opening)
    _draw_fringe(painter)
    return painter.finished()


def _draw_room_and_back_hair(painter: Painter) -> None:
    painter.fill(painter.ellipse((-260, -300, 560, 560)), WALL_LIGHT, 0.9, blur=110)
    painter.fill(painter.ellipse((420, 380, 1100, 1060)), WALL_DARK, 0.7, blur=120)
    hair = painter.curve(HAIR_BEHIND)
    painter.fill(hair, HAIR)
    painter.fill(painter.ellipse((244, 300, 524, 660)), HAIR_DARK, 0.95, 26, hair)


def _draw_body(painter: Painter) -> None:
    body, neck = painter.curve(BODY), painter.curve(NECK)
    painter.fill(body, JUMPER)
    painter.fill(painter.ellipse((40, 620, 330, 920)), JUMPER_LIGHT, 0.8, 40, body)
    painter.fill(painter.ellipse((500, 650, 800, 920)), JUMPER_DARK, 0.8, 40, body)
    painter.fill(neck, SKIN)
    painter.fill(painter.ellipse((284, 450, 510, 584)), SKIN_SHADE, 0.9, 16, neck)
    painter.fill(painter.curve(COLLAR), SKIN_SHADE, 0.7, 8, neck)
    painter.fill(painter.curve(COLLAR), JUMPER)
    painter.fill(painter.stroke(COLLAR_SEAM, 3), JUMPER_DARK, 0.8, blur=0.8)


def _draw_face(painter: Painter) -> None:
    head = painter.curve(HEAD)
    painter.fill(head, SKIN)
    painter.fill(painter.ellipse((452, 180, 600, 580)), SKIN_SHADE, 0.55, 30, head)
    painter.fill(painter.ellipse((280, 230, 420, 400)), SKIN_LIGHT, 0.55, 36, head)
    painter.fill(painter.ellipse((350, 502, 418, 526)), SKIN_LIGHT, 0.35, 9, head)
    for x in (312, 456):
        painter.fill(painter.ellipse((x - 32, 392, x + 32, 440)), BLUSH, 0.38, 16, head)


def _draw_eye(painter: Painter, placed: Callable[[Sequence[Point]], list[Point]]) -> None:
    (x, y) = placed([(EYE_X, EYE_Y)])[0]
    eye = painter.curve(placed(EYE))
    painter.fill(painter.curve(placed(EYE)), SKIN_SHADE, 0.6, blur=7)
    painter.fill(eye, EYE_WHITE)
    painter.fill(painter.ellipse((x - 17, y - 17, x + 17, y + 17)), IRIS_RIM, within=eye)
    painter.fill(painter.ellipse((x - 14, y - 13, x + 14, y + 15)), IRIS, 1.0, 2, eye)
    painter.fill(painter.ellipse((x - 8, y - 8, x + 8, y + 8)), PUPIL, within=eye)
    painter.fill(painter.stroke(placed(UPPER_LID), 14), SKIN_SHADE, 0.6, 4, eye)
    painter.fill(painter.ellipse((x - 9, y - 11, x - 2, y - 4)), "#ffffff")
    painter.fill(painter.stroke(placed(UPPER_LID), 4), HAIR_DARK)
    painter.fill(painter.stroke(placed(LOWER_LID), 2), SKIN_SHADE, 0.8)
    painter.fill(painter.stroke(placed(FOLD), 2.5), SKIN_SHADE, 0.8, blur=0.5)
    painter.fill(painter.curve(placed(BROW)), HAIR, 0.92, blur=0.8)


def _draw_nose(painter: Painter) -> None:
    painter.fill(painter.curve(NOSE_SIDE), SKIN_SHADE, 0.45, blur=6)
    painter.fill(painter.ellipse((374, 396, 390, 424)), SKIN_LIGHT, 0.8, blur=5)
    painter.fill(painter.stroke(NOSE_TIP, 3), SKIN_SHADE, 0.85, blur=1)
    for x in (372, 396):
        painter.fill(painter.ellipse((x - 6, 433, x + 6, 439)), MOUTH_INSIDE, 0.5, blur=1.2)


def _draw_mouth(painter: Painter, opening: float) -> None:
    lower_lip = [(x, y + opening * (1 - ((x - SIDE / 2) / 50) ** 2)) for x, y in LOWER_LIP]
    painter.fill(painter.ellipse((354, 495 + opening, 414, 507 + opening)), SKIN_SHADE, 0.55, blur=5)
    if opening:
        painter.fill(painter.curve([*MOUTH_LINE, *reversed(lower_lip[1:4])]), MOUTH_INSIDE)
    painter.fill(painter.curve(UPPER_LIP), LIP_DARK)
    painter.fill(painter.curve(lower_lip), LIP)
    painter.fill(painter.ellipse((364, 480 + opening, 398, 489 + opening)), LIP_LIGHT, 0.7, blur=3)
    painter.fill(painter.stroke(MOUTH_LINE, 2.5), MOUTH_INSIDE)


def _draw_fringe(painter: Painter) -> None:
    fringe = painter.curve(FRINGE)
    painter.fill(fringe, SKIN_SHADE, 0.5, 9, painter.curve(HEAD))
    painter.fill(fringe, HAIR)
    painter.fill(painter.stroke(SHEEN, 26), HAIR_LIGHT, 0.7, 16, fringe)
    painter.fill(painter.stroke(HAIR_SHADOW, 18), HAIR_DARK, 0.6, 12, fringe)
    for strand in STRANDS:
        painter.fill(painter.stroke(strand, 2.5), HAIR_DARK, 0.5, 1, fringe)


# The voice


def make_voice(path: Path) -> None:
    """espeak-ng's reading of `VOICE_LINE` as a FLAC file."""
    import av
    import numpy

    resampler = av.AudioResampler(format="s16", layout="mono", rate=VOICE_SAMPLE_RATE)
    silence = numpy.zeros((1, int(LEADING_SILENCE_SECONDS * VOICE_SAMPLE_RATE)), dtype=numpy.int16)
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "spoken.wav"
        subprocess.run([*ESPEAK, "-w", str(spoken), VOICE_LINE], check=True)
        with av.open(str(spoken)) as source:
            decoded = [*source.decode(audio=0), None]  # None empties the resampler
            pieces = [out.to_ndarray() for frame in decoded for out in resampler.resample(frame)]
    samples = numpy.concatenate([silence, *pieces], axis=1).astype(numpy.int16)
    frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
    frame.sample_rate = VOICE_SAMPLE_RATE
    with av.open(str(path), "w") as target:
        stream = target.add_stream("flac", rate=VOICE_SAMPLE_RATE, layout="mono")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            target.mux(packet)


def main(wanted: Sequence[str]) -> None:
    ASSETS.mkdir(parents=True, exist_ok=True)
    if not wanted or "portrait" in wanted:
        draw_portrait().save(PORTRAIT, optimize=True)
    if not wanted or "voice" in wanted:
        make_voice(VOICE)


if __name__ == "__main__":
    main(sys.argv[1:])
