"""Sizes of a clip: frames, seconds, latents, pixels."""

import math

import torch.nn.functional as F
from torch import Tensor

from .options import Numerics, checked_choice, checked_number
from .positions import LTX2_GRID, AudioGrid

FRAMES_PER_LATENT = 8
PIXELS_PER_LATENT = 32
MAX_LENGTH = 16384  # frames, as in the host's own nodes
MAX_SIDE = 16384  # pixels, likewise
FRAME_RATES = (1.0, 240.0)
CLIP_SECONDS = (0.04, 600.0)

AS_PICTURE = "as the picture"
SHAPES = {AS_PICTURE: None, "9:16": (9, 16), "1:1": (1, 1), "16:9": (16, 9)}
"""Shapes of a clip, by the name of the widget's choice: (width, height) in parts."""


def checked_frame_rate(frame_rate: float) -> float:
    """The frame rate, once it is one that a clip can have.

    Raises:
        ValueError: below 1, above 240, or not a number.
    """
    return checked_number("frame_rate", frame_rate, *FRAME_RATES, " frames per second (the paper uses 25)")


def checked_length(num_frames: int) -> int:
    """The clip length, once it is one that the video VAE can make.

    Raises:
        ValueError: not 8n + 1, or above 16384; the message names the two nearest lengths.
    """
    if 1 <= num_frames <= MAX_LENGTH and num_frames % FRAMES_PER_LATENT == 1:
        return num_frames
    if num_frames > MAX_LENGTH:
        raise ValueError(
            f"Length is {num_frames:.6g} frames; use at most {MAX_LENGTH - FRAMES_PER_LATENT + 1}."
        )
    below = max((num_frames - 1) // FRAMES_PER_LATENT * FRAMES_PER_LATENT + 1, 1)
    nearest = f"{below} or {below + FRAMES_PER_LATENT}"
    raise ValueError(f"Length is {num_frames} frames; LTX-2 makes 8n + 1 frames: use {nearest}.")


def length_for(seconds: float, frame_rate: float) -> int:
    """The shortest clip, 8n + 1 frames, that lasts at least so long.

    A millionth of a frame is no reason for eight more: 4.84 s at 25 fps are 121 frames, whatever the product's last bit.
    """
    frames = round(seconds * frame_rate, 6)
    return max(math.ceil((frames - 1) / FRAMES_PER_LATENT), 0) * FRAMES_PER_LATENT + 1


def clip_length(seconds: float, frame_rate: float) -> int:
    """Frames of a clip that is asked for in seconds: `length_for`, once both numbers are ones that a clip can have.

    Raises:
        ValueError: seconds outside 0.04 to 600, a wrong frame rate, or more than 16384 frames.
    """
    checked_number("seconds", seconds, *CLIP_SECONDS)
    length = length_for(seconds, checked_frame_rate(frame_rate))
    if length > MAX_LENGTH:
        most = (MAX_LENGTH - FRAMES_PER_LATENT + 1) / frame_rate
        raise ValueError(
            f"{seconds:g} s at {frame_rate:g} fps are {length} frames; use at most {most:.0f} s."
        )
    return length


def num_video_latents(num_frames: int) -> int:
    """Latent frames of 8n + 1 frames: n + 1, the first of which holds one frame."""
    return (num_frames - 1) // FRAMES_PER_LATENT + 1


def num_audio_latents(
    num_frames: int, frame_rate: float, numerics: Numerics = "host", grid: AudioGrid = LTX2_GRID
) -> int:
    """Audio latents that go with a clip.

        host:      ceil(num_frames / frame_rate * latents_per_second)
        official:  round(num_frames / frame_rate * latents_per_second)

    At 24 fps they differ for 21 of 32 lengths (121 frames: 127 and 126).

    Source:
        ComfyUI `num_of_latents_from_frames`; ltx-core `AudioLatentShape.from_duration`.
    """
    latents = float(num_frames) / frame_rate * grid.latents_per_second
    return math.ceil(latents) if numerics == "host" else round(latents)


def fitted_size(width: int, height: int, max_side: int) -> tuple[int, int]:
    """Size in pixels of a clip that keeps a picture's aspect.

        checked_number("max_side", max_side, PIXELS_PER_LATENT, MAX_SIDE, " pixels")
    scale = max_side / max(width, height); each side rounded to a multiple of 32, at least 32

    Returns:
        (width, height).

    Source:
        The authors' inference script.
    """
    checked_number("max_side", max_side, PIXELS_PER_LATENT, MAX_SIDE, " pixels")
    scale = max_side / max(width, height)
    return _snapped(width * scale), _snapped(height * scale)


def shaped_size(shape: str, picture: tuple[int, int] | None, max_side: int) -> tuple[int, int]:
    """Size in pixels of a clip of a shape with its long side at `max_side`, snapped as by `fitted_size`.

    Args:
        shape: a key of SHAPES. picture: (width, height) of the first frame; None takes a square.

    Returns:
        (width, height).

    Raises:
        ValueError: no such shape, or a side that no clip can have.
    """
    width, height = SHAPES[checked_choice("shape", shape, tuple(SHAPES))] or picture or (1, 1)
    return fitted_size(width, height, max_side)


def cropped_share(picture: tuple[int, int], size: tuple[int, int]) -> tuple[float, str]:
    """How much of a picture `centre_crop_resize` takes away, and where.

        share = 1 - min(a / t, t / a)        a, t: aspect (width / height) of the picture and of the target

    Args:
        picture, size: (width, height) of the picture and of the clip.

    Returns:
        0 to 1, and the sides that lose: "left and right" or "top and bottom".
    """
    aspect, target = picture[0] / picture[1], size[0] / size[1]
    sides = "left and right" if aspect > target else "top and bottom"
    return 1 - min(aspect / target, target / aspect), sides


def _snapped(side: float) -> int:
    """The nearest multiple of 32, at least 32."""
    nearest = round(round(side) / PIXELS_PER_LATENT) * PIXELS_PER_LATENT
    return min(max(nearest, PIXELS_PER_LATENT), MAX_SIDE)


def checked_size(width: int, height: int) -> tuple[int, int]:
    """The explicit size, once both sides are positive multiples of 32.

    Raises:
        ValueError: otherwise, naming the nearest size that works.
    """
    sides = min(width, height), max(width, height)
    if (
        sides[0] > 0
        and sides[1] <= MAX_SIDE
        and width % PIXELS_PER_LATENT == 0
        and height % PIXELS_PER_LATENT == 0
    ):
        return width, height
    raise ValueError(
        f"The size, width x height, is {width:.6g}x{height:.6g}; both sides must be multiples of 32, such as"
        f" {_snapped(width)}x{_snapped(height)}, or both 0 to take the picture's aspect."
    )


def centre_crop_resize(image: Tensor, width: int, height: int) -> Tensor:
    """Resize a picture to cover the target, then cut the centre out.

    Args:
        image: (B, C, H, W), any range.
        width, height: target in pixels.

    Returns:
        (B, C, height, width). A picture of that size comes back as it is.

    Source:
        The authors' `_center_crop_resize`: bilinear, sides rounded down, never below the target.
    """
    source_height, source_width = image.shape[-2:]
    if (source_width, source_height) == (width, height):
        return image
    aspect, target_aspect = source_width / source_height, width / height
    covering = (height, int(height * aspect)) if aspect > target_aspect else (int(width / aspect), width)
    image = F.interpolate(image, size=covering, mode="bilinear", align_corners=False)
    top, left = (covering[0] - height) // 2, (covering[1] - width) // 2
    return image[:, :, top : top + height, left : left + width]


def checked_picture(image: Tensor) -> Tensor:
    """Pictures (B, H, W, C) that have pixels and colours, finite ones.

    Raises:
        ValueError: otherwise.
    """
    if image.ndim != 4 or 0 in image.shape or image.shape[-1] < 3:
        raise ValueError(
            f"The picture has shape {tuple(image.shape)}; connect an RGB picture (1, height, width, 3)."
        )
    if not image.isfinite().all():
        raise ValueError("The picture holds values that are not numbers (NaN or Inf). Load it again.")
    return image


def fitted_picture(image: Tensor, width: int, height: int) -> Tensor:
    """One picture as the video VAE takes it: cropped and resized, without its alpha channel.

    Args:
        image: (1, H, W, C), C at least 3.
        width, height: target in pixels.

    Returns:
        (1, height, width, 3).

    Raises:
        ValueError: a batch of pictures, one without colours or pixels, or values that are not numbers.
    """
    checked_picture(image)
    if image.shape[0] != 1:
        raise ValueError(
            f"The image input takes one picture, got a batch of {image.shape[0]}. Pick one with Get Image from Batch."
        )
    picture = image[..., :3].movedim(-1, 1)  # BHWC -> BCHW
    return centre_crop_resize(picture, width, height).movedim(1, -1)  # BCHW -> BHWC
