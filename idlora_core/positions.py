"""Where audio tokens lie in time: the grid of the audio VAE, the target's bounds and the reference's."""

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from .options import Numerics


@dataclass(frozen=True)
class AudioGrid:
    """Time grid of an LTX-2 audio VAE; the defaults are those of LTX-2 and LTX-2.3.

    Attributes:
        sample_rate: rate of the mel spectrogram's waveform, Hz.
        hop_length: samples per mel frame.
        mel_frames_per_latent: temporal downsampling of the VAE.
    """

    sample_rate: int = 16000
    hop_length: int = 160
    mel_frames_per_latent: int = 4

    @property
    def seconds_per_latent(self) -> float:
        return self.hop_length * self.mel_frames_per_latent / self.sample_rate

    @property
    def latents_per_second(self) -> float:
        return self.sample_rate / self.hop_length / self.mel_frames_per_latent


MAX_GAP_SECONDS = 5.0
LTX2_GRID = AudioGrid()
"""The grid of LTX-2 and LTX-2.3: 25 latents a second."""


def latent_bounds(num_latents: int, grid: AudioGrid = LTX2_GRID) -> Tensor:
    """Time bounds of audio latents that start at t = 0.

        t[i] = [max(4i - 3, 0), max(4i + 1, 0)) * hop_length / sample_rate

    The VAE is causal: the first latent sees one mel frame, every other one four.

    Args:
        num_latents: T, at least 1.
        grid: time grid of the audio VAE.

    Returns:
        (1, 1, T, 2) float32, seconds, [start, end) per latent.

    Raises:
        ValueError: num_latents < 1.

    Source:
        `AudioPatchifier` of Lightricks' ltx-core; equal to it bit for bit (tests/parity).
    """
    if num_latents < 1:
        raise ValueError(f"An audio latent needs at least 1 time step, got {num_latents}.")
    edges = torch.arange(num_latents + 1, dtype=torch.float32) * grid.mel_frames_per_latent
    edges = (edges + 1 - grid.mel_frames_per_latent).clip(min=0)
    edges = edges * grid.hop_length / grid.sample_rate
    return torch.stack([edges[:-1], edges[1:]], dim=-1)[None, None]


def reference_bounds(
    num_tokens: int,
    grid: AudioGrid = LTX2_GRID,
    gap_seconds: float | None = None,
    numerics: Numerics = "host",
) -> Tensor:
    """Time bounds of reference tokens, all before the target, which starts at t = 0.

        t_ref[i] = t[i] - t_end - gap

    Args:
        num_tokens: T, reference latents, at least 1.
        grid: time grid of the audio VAE that made the latent.
        gap_seconds: how far before zero the reference ends; None = one latent (0.04 s), as trained.
        numerics: `official` rounds every intermediate to bfloat16 as the authors' script does,
            which moves tokens of a 5 s reference by up to 0.034 s.

    Returns:
        (1, 1, T, 2) float32, seconds, [start, end) per token; the last end is -gap.

    Raises:
        ValueError: num_tokens < 1, or a gap that is not above 0 s and at most 5 s.

    Source:
        arXiv 2603.10256, section 3.3; the authors' offset of one token before zero.
    """
    checked_gap(gap_seconds)
    gap = grid.seconds_per_latent if gap_seconds is None else gap_seconds
    bounds = latent_bounds(num_tokens, grid)
    if numerics == "official":
        bounds = bounds.to(torch.bfloat16)
        return (bounds - bounds[..., -1, 1].max().item() - gap).float()
    return bounds - (bounds[..., -1, 1].item() + gap)


def checked_gap(gap_seconds: float | None) -> float | None:
    """The gap between reference and clip, once it is None, or above 0 s and at most 5 s.

    Raises:
        ValueError: otherwise.
    """
    if gap_seconds is not None and not 0 < gap_seconds <= MAX_GAP_SECONDS:
        raise ValueError(
            f"The gap between reference and clip is {gap_seconds:.6g} s; it must be above 0 s and at most"
            f" {MAX_GAP_SECONDS:g} s (trained with 0.04)."
        )
    return gap_seconds


def audio_tokens(latent: Tensor) -> Tensor:
    """Audio latent to transformer tokens: (B, 8, T, 16) -> (B, T, 128)."""
    return rearrange(latent, "b c t f -> b t (c f)")


def audio_latent(tokens: Tensor, channels: int = 8) -> Tensor:
    """Inverse of `audio_tokens`: (B, T, 128) -> (B, 8, T, 16)."""
    return rearrange(tokens, "b t (c f) -> b c t f", c=channels)
