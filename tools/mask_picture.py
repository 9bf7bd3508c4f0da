"""The picture of a scene's masks in docs/scenes.md, drawn from the masks themselves.

python3 -m tools.mask_picture     writes docs/images/scene_masks.webp
"""

import io
from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from dev_setup.versions import ROOT
from idlora_core import scene_masks
from idlora_core.reference import Reference
from idlora_core.region import PLACES
from idlora_core.scene import Member, Scene
from idlora_core.scene_masks import VideoTokens, dense_mask
from idlora_core.turns import Turn

FILE = ROOT / "docs" / "images" / "scene_masks.webp"
CELL, GAP, LABEL, TOP, SCALE = 9, 58, 84, 64, 2
LEAST = 120  # width of the narrowest panel, for its title
VOICE_TOKENS, CLIP_TOKENS, TEXT_TOKENS, FRAMES, COLUMNS = 4, 12, 12, 4, 4
LINES = (3, 6), (6, 10)
BOTH, NOTHING, INK, GROUND = "#5b5e68", "#eceef1", "#22252b", "#ffffff"
Groups = Sequence[tuple[str, int]]


def scene() -> Scene:
    """Anna, a pause, then Ben; each has half of the picture."""
    voice = Reference(torch.zeros(1, 8, VOICE_TOKENS, 16))
    members = (Member("Anna", voice, PLACES["left"]), Member("Ben", voice, PLACES["right"]))
    return Scene(members, (Turn(0.0, 5.0, frozenset({0}), 0), Turn(7.0, 12.0, frozenset({1}), 1)))


def panels() -> list[tuple[str, Tensor, Groups, Groups]]:
    """Title, (queries, keys) in [0, 1], and the groups of either side."""
    played = scene()
    seconds = [index + 0.5 for index in range(CLIP_TOKENS)]
    spans = [(3.0 * frame, 3.0 * frame + 3.0) for frame in range(FRAMES) for _ in range(COLUMNS)]
    video = VideoTokens(spans, torch.arange(COLUMNS).repeat(FRAMES), COLUMNS, 1)
    voices = (("voice A", VOICE_TOKENS), ("voice B", VOICE_TOKENS))
    clip = (("A speaks", 5), ("pause", 2), ("B speaks", 5))
    frames = [(f"frame {frame + 1}", COLUMNS) for frame in range(FRAMES)]
    text = (("scene", 3), ("line A", 3), ("line B", 4), ("sounds", 2))
    sound = 2 * VOICE_TOKENS + CLIP_TOKENS
    gate = scene_masks.audio_to_video_gate(played, video)
    assert gate is not None
    own = dense_mask(scene_masks.audio_self_parts(played, seconds), sound)
    read = dense_mask(scene_masks.audio_text_parts(played, seconds, LINES, TEXT_TOKENS), TEXT_TOKENS)
    seen = dense_mask(scene_masks.video_to_audio_parts(played, seconds, video), len(spans))
    columns = [("A's face", 2), ("B's face", 2)]
    return [
        ("audio self-attention", own.float(), (*voices, *clip), (*voices, *clip)),
        ("audio reads text", read.float(), (*voices, *clip), text),
        ("audio looks at video", seen.float(), (*voices, *clip), frames),
        ("gate: video hears audio", gate.reshape(FRAMES, COLUMNS), [(n, 1) for n, _ in frames], columns),
    ]


def draw() -> Image.Image:
    """Queries downwards, keys to the right; dark is seen. In the gate: rows are frames, columns are cells."""
    drawn = panels()
    width = sum(_width(panel[1]) for panel in drawn) + GAP // 2
    height = TOP + max(panel[1].shape[0] for panel in drawn) * CELL + GAP // 3
    image = Image.new("RGB", (width * SCALE, height * SCALE), GROUND)
    pen, left = ImageDraw.Draw(image), 8
    for title, values, queries, keys in drawn:
        _panel(pen, image, left + LABEL - 8, title, values, (queries, keys))
        left += _width(values)
    return image


def _width(values: Tensor) -> int:
    return LABEL + max(values.shape[1] * CELL, LEAST) + GAP // 4


def _panel(pen, image: Image.Image, left: int, title: str, values: Tensor, groups: tuple[Groups, Groups]):
    face = ImageFont.load_default(11 * SCALE)
    pen.text((left * SCALE, 4 * SCALE), title, INK, face)
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            x, y = left + column * CELL, TOP + row * CELL
            box = (x * SCALE, y * SCALE, (x + CELL) * SCALE - 2, (y + CELL) * SCALE - 2)
            pen.rectangle(box, INK if values[row, column] > 0.5 else NOTHING)
    queries, keys = groups
    small, top = ImageFont.load_default(9 * SCALE), TOP
    for name, count in queries:
        pen.text(((left - 4) * SCALE, (top + count * CELL / 2) * SCALE), name, _colour(name), small, "rm")
        top += count * CELL
    across = left
    for name, count in keys:
        label = Image.new("RGBA", (56 * SCALE, 11 * SCALE), (0, 0, 0, 0))
        ImageDraw.Draw(label).text((0, 5 * SCALE), name, _colour(name), small, "lm")
        turned = label.rotate(40, expand=True, resample=Image.Resampling.BICUBIC)
        corner = int((across + count * CELL / 2 - 5) * SCALE), (TOP - 1) * SCALE - turned.height
        image.paste(turned, corner, turned)
        across += count * CELL


def _colour(name: str) -> str:
    """Whose it is."""
    words = name.replace("'s", "").split()
    return "#0072b2" if "A" in words else "#b35900" if "B" in words else BOTH


def main() -> None:
    content = io.BytesIO()
    draw().save(content, "WEBP", lossless=True)
    FILE.write_bytes(content.getvalue())
    print(f"{FILE.relative_to(ROOT)}: {len(content.getvalue()) // 1024} KiB")


if __name__ == "__main__":
    main()
