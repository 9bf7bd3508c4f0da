"""What the pictures on nodes share: a font, and the word for a host that cannot draw them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

    Font = FreeTypeFont | ImageFont


class CannotDraw(RuntimeError):
    """A picture cannot be drawn here. It costs no render: the node's other outputs are there."""


def font(pixels: int) -> "Font":
    """Pillow's own font at a size.

    Raises:
        CannotDraw: Pillow is older than 10.1, whose font has one size.
    """
    import PIL  # here, so that a host that starts need not wait for it
    from PIL import ImageFont

    try:
        return ImageFont.load_default(pixels)
    except TypeError:
        raise CannotDraw(
            f"The picture needs Pillow 10.1 or newer, and this is {PIL.__version__}: run pip install -U pillow"
            " in ComfyUI's Python."
        ) from None
