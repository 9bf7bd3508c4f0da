"""Sound that goes with a picture."""

import torch.nn.functional as F
from torch import Tensor


def fitted_to_frames(waveform: Tensor, sample_rate: int, num_frames: int, frame_rate: float) -> Tensor:
    """Sound cut or padded with silence at its end to the picture's length.

        samples = round(num_frames / frame_rate * sample_rate)

    Args:
        waveform: (B, C, N). sample_rate: Hz.
        num_frames: frames of the picture. frame_rate: frames per second.

    Returns:
        (B, C, samples).
    """
    samples = round(num_frames / frame_rate * sample_rate)
    missing = samples - waveform.shape[-1]
    return F.pad(waveform, (0, missing)) if missing > 0 else waveform[..., :samples]
