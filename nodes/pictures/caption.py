"""A caption burnt into a clip's first seconds: a disclosure that everybody can see."""

import torch
from torch import Tensor

from .drawing import font

HEIGHT_SHARE = 0.05  # of the frame's shorter side
SMALLEST_PIXELS = 8
BACKGROUND_OPACITY = 0.6
LAST_LATIN = "\u024f"  # Pillow's own font ends with Latin letters
LONGEST_CAPTION = 120


def captioned(images: Tensor, text: str, frame_rate: float, seconds: float) -> Tensor:
    """Frames with a caption in the lower left corner: white letters on a dark box.

    Args:
        images: (F, H, W, 3) in [0, 1]; not written to.
        text: one line.
        frame_rate: frames a second.
        seconds: how long from the start; 0 = the whole clip.

    Raises:
        ValueError: the text has letters that the font lacks, or does not fit the width.
        CannotDraw: Pillow is older than 10.1.
    """
    text = checked_caption(text)
    num_frames = (
        images.shape[0] if seconds == 0 else min(images.shape[0], max(1, round(seconds * frame_rate)))
    )
    letters = _letters(text, images.shape[1], images.shape[2]).to(images)
    height, width = letters.shape
    out = images.clone()
    box = out[:num_frames, -height:, :width]
    box.mul_(1 - BACKGROUND_OPACITY)
    box.mul_(1 - letters[..., None]).add_(letters[..., None])
    return out


def checked_caption(text: str) -> str:
    """The caption without blank ends.

    Raises:
        ValueError: it is too long, of several lines, or has letters that the font lacks.
    """
    text = text.strip()
    if len(text) > LONGEST_CAPTION or "\n" in text:
        raise ValueError(
            f"The caption must be one line of at most {LONGEST_CAPTION} characters; got {len(text)}."
        )
    strange = sorted({letter for letter in text if letter > LAST_LATIN or not letter.isprintable()})
    if strange:
        raise ValueError(
            f"The caption has {''.join(strange[:5])!r}, and only Latin letters can be drawn here. Write it in Latin"
            " letters, or leave it empty and put a caption in with another node."
        )
    return text


def _letters(text: str, height: int, width: int) -> Tensor:
    """(h, w) coverage of the letters, with a margin; as large as the frame's width allows."""
    from PIL import Image, ImageDraw

    largest = max(SMALLEST_PIXELS, round(min(height, width) * HEIGHT_SHARE))
    for pixels in range(largest, SMALLEST_PIXELS - 1, -1):
        margin, typeface = pixels // 2, font(pixels)
        left, top, right, bottom = typeface.getbbox(text)
        size = int(right - left) + 2 * margin, int(bottom - top) + 2 * margin
        if size[0] <= width and size[1] <= height:
            picture = Image.new("L", size, 0)
            ImageDraw.Draw(picture).text((margin - left, margin - top), text, 255, typeface)
            return torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).reshape(size[::-1]) / 255
    raise ValueError(f"The caption {text!r} does not fit a picture of {width}x{height} pixels: shorten it.")
