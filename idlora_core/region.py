"""Where somebody is in the picture: a mask or a box, and how much of each video token it covers."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .frames import PIXELS_PER_LATENT, centre_crop_resize


@dataclass(frozen=True)
class Box:
    """A part of the clip's picture, in fractions of its width and height from the upper left corner.

    Raises:
        ValueError: a side that is not before its opposite, or outside 0 to 1.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise ValueError(
                f"The box runs from {self.left:g}, {self.top:g} to {self.right:g}, {self.bottom:g}. Its right and bottom"
                " must be greater than its left and top, all between 0 and 1."
            )


Region = Box | Tensor
"""A box, or a mask (H, W) in [0, 1] drawn on the first picture."""

FACE_MARGIN = 0.2
PLACES = {"left": Box(0, 0, 0.5, 1), "centre": Box(1 / 3, 0, 2 / 3, 1), "right": Box(0.5, 0, 1, 1)}


def checked_mask(mask: Tensor, name: str) -> Tensor:
    """(1, H, W) or (H, W) in [0, 1] as (H, W) float32.

    Args:
        name: of the person, for the message.

    Raises:
        ValueError: several masks, or one on which nothing is drawn.
    """
    if mask.ndim == 2:
        mask = mask[None]
    if mask.ndim != 3 or mask.shape[0] != 1:
        raise ValueError(
            f"The region of {name} has shape {tuple(mask.shape)}; connect one mask, drawn on the first picture."
        )
    if not mask.max() > 0:
        raise ValueError(
            f"The region of {name} is empty. Draw it over the face on the first picture, or leave it out."
        )
    return mask[0].float().clamp(0, 1)


@dataclass(frozen=True)
class FoundFaces:
    """Faces that a detector has found in the first picture.

    Attributes:
        width, height: of the picture, pixels.
        boxes: (left, top, right, bottom) of each face, pixels.
    """

    width: int
    height: int
    boxes: tuple[tuple[float, ...], ...]

    def mask(self, number: int, name: str) -> Tensor:
        """A mask over one of them: its box and a fifth of it more at each side, where jaw and hair move.

        Args:
            number: counted from the left, from 1.
            name: of the person, for the message.

        Returns:
            (H, W) float32, 0 or 1.

        Raises:
            ValueError: there is no such face.
        """
        if not 1 <= number <= len(self.boxes):
            found = {0: "no face was", 1: "1 face was"}.get(len(self.boxes), f"{len(self.boxes)} faces were")
            raise ValueError(
                f"{name} is face {number} from the left, and {found} found in the picture. Choose another number, raise"
                " num_faces of Detect Face Landmarks, or draw a mask for region."
            )
        left, top, right, bottom = sorted(self.boxes, key=lambda box: box[0] + box[2])[number - 1]
        across, down = FACE_MARGIN * (right - left), FACE_MARGIN * (bottom - top)
        mask = torch.zeros(self.height, self.width)
        rows = slice(max(round(top - down), 0), max(round(bottom + down), 0))
        columns = slice(max(round(left - across), 0), max(round(right + across), 0))
        mask[rows, columns] = 1.0
        return mask


def coverage(region: Region, width: int, height: int) -> Tensor:
    """How much of each cell of 32 x 32 pixels a region covers.

    A mask is cropped and resized as the first picture is (`centre_crop_resize`), then averaged per cell.

    Args:
        width, height: of the video latent, cells.

    Returns:
        (height, width) float32 in [0, 1].
    """
    if isinstance(region, Box):
        across = _overlap(region.left, region.right, width)
        return _overlap(region.top, region.bottom, height)[:, None] * across[None]
    pixels = (side * PIXELS_PER_LATENT for side in (width, height))
    fitted = centre_crop_resize(region[None, None], *pixels)
    return F.avg_pool2d(fitted, PIXELS_PER_LATENT)[0, 0].clamp(0, 1)


def _overlap(start: float, end: float, num_cells: int) -> Tensor:
    """How much of each of so many equal cells lies in [start, end): (N,)."""
    first = torch.arange(num_cells, dtype=torch.float32)
    covered = (first + 1).clamp(max=end * num_cells) - first.clamp(min=start * num_cells)
    return covered.clamp(0, 1)
