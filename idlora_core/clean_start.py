"""Against a wrong voice in the first moments: a silent start, and a lead-in that is generated and cut off."""

import math

from torch import Tensor

from .frames import FRAMES_PER_LATENT
from .options import checked_number
from .positions import LTX2_GRID, AudioGrid

EPSILON = 1e-6
MAX_START_SECONDS = 10.0


def num_lead_in_frames(lead_in_seconds: float, frame_rate: float) -> int:
    """Frames to generate before a clip of 8n + 1 frames, so that the whole is 8m + 1 frames again.

        ceil(lead_in_seconds * frame_rate / 8) * 8

    Args:
        lead_in_seconds: at least so long; 0 = none.
        frame_rate: frames per second.

    Returns:
        A multiple of 8.

    Raises:
        ValueError: lead_in_seconds outside 0 to 10.
    """
    _check_seconds("Lead-in", lead_in_seconds)
    return math.ceil(lead_in_seconds * frame_rate / FRAMES_PER_LATENT - EPSILON) * FRAMES_PER_LATENT


def num_held_latents(lead_in_frames: int) -> int:
    """Latent frames that show the still picture: the lead-in and the clip's first frame, 8k + 1 frames.

    Latent k ends with frame 8k, which is the clip's first: holding it makes the clip start with the
    picture and holds no frame after that. Without a lead-in it is the first latent alone.
    """
    return lead_in_frames // FRAMES_PER_LATENT + 1


def without_lead_in(
    images: Tensor, waveform: Tensor, sample_rate: int, lead_in_frames: int, frame_rate: float
) -> tuple[Tensor, Tensor]:
    """Picture and sound of a clip whose first frames are cut off, in step.

        samples = round(lead_in_frames / frame_rate * sample_rate)

    Args:
        images: (F, H, W, C). waveform: (B, C, N), both with the lead-in.
        sample_rate: Hz.
        lead_in_frames: 0 = none. frame_rate: frames per second.

    Returns:
        Views: (F - lead_in_frames, H, W, C) and (B, C, N - samples).

    Raises:
        ValueError: no frame would be left.
    """
    if not 0 <= lead_in_frames < images.shape[0]:
        raise ValueError(
            f"The latent says that its first {lead_in_frames} frames are a lead-in, and holds {images.shape[0]}"
            " frames. Connect the latent of First-Frame Condition uncut, or set its lead_in_seconds to 0."
        )
    samples = round(lead_in_frames / frame_rate * sample_rate)
    return images[lead_in_frames:], waveform[..., samples:]


def num_silent_latents(
    silent_seconds: float, num_frames: int, frame_rate: float, grid: AudioGrid = LTX2_GRID
) -> int:
    """Audio latents that lie in the first seconds of what is generated.

        latent i ends at (4i + 1) * hop_length / sample_rate <= silent_seconds

    The VAE is causal: the first latent is 10 ms long, every other one 40 ms. What is above 0 silences
    at least the first latent.

    Args:
        silent_seconds: 0 = none.
        num_frames: frames that are generated, a lead-in included. frame_rate: frames per second.
        grid: time grid of the audio VAE.

    Raises:
        ValueError: silent_seconds outside 0 to 10, or longer than what is generated.
    """
    _check_seconds("Silent start", silent_seconds)
    generated_seconds = num_frames / frame_rate
    if silent_seconds > generated_seconds + EPSILON:
        raise ValueError(
            f"Silent start is {silent_seconds} s, and {generated_seconds:.2f} s are generated ({num_frames} frames"
            f" at {frame_rate:g} fps). Give less, or 0 for none."
        )
    if silent_seconds == 0:
        return 0
    mel_frames = silent_seconds * grid.sample_rate / grid.hop_length + EPSILON
    return max(math.floor((mel_frames - 1) / grid.mel_frames_per_latent) + 1, 1)


def _check_seconds(name: str, seconds: float) -> None:
    """Refuse a time that is negative, not a number or absurdly long."""
    checked_number(name, seconds, 0.0, MAX_START_SECONDS, " s (0 is off)")
