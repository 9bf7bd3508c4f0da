"""Whether two clips hold the same sound: bit for bit, or recorded, encoded or cut again."""

import hashlib

import torch
import torchaudio
from torch import Tensor

RATE_HZ = 16_000
HOP, FFT_SIZE, BANDS = 320, 2048, 32  # long windows: a copy may be shifted by half a hop
PER_SECOND = RATE_HZ // HOP
BAND_HZ = (100.0, 3_800.0)
RANGE = 1e-4  # below the loudest: what lies lower is silence
LEAST_OVERLAP_SECONDS = 2.5
SAME = 0.78
"""Likeness from which two clips repeat each other; see tests/core/test_dataset_repeats.py for what was measured."""


def pcm_digest(mono: Tensor) -> str:
    """sha256 of (N,) at 16 kHz, rounded to 16 bits."""
    samples = (mono.clamp(-1, 1) * (2**15 - 1)).round().to(torch.int16)
    return hashlib.sha256(samples.numpy().tobytes()).hexdigest()


def fingerprint(mono: Tensor) -> Tensor:
    """(N,) at 16 kHz -> (32, F), 50 a second: changes of the log-mel spectrum, blind to gain and to a fixed filter."""
    mel = torchaudio.transforms.MelSpectrogram(
        RATE_HZ, FFT_SIZE, hop_length=HOP, n_mels=BANDS, f_min=BAND_HZ[0], f_max=BAND_HZ[1]
    )(mono)
    level = torch.log10(mel / mel.max().clamp(min=1e-12) + RANGE)
    return torch.diff(level, dim=1)


def likeness(a: Tensor, b: Tensor) -> float:
    """Highest correlation of two fingerprints over all shifts with at least 2.5 s in common, -1 to 1.

        max over s of  sum a[t + s] b[t] / sqrt(sum a[t + s]^2 sum b[t]^2)    over the frames in common

    0 where the shorter one is shorter than that.
    """
    overlap = round(LEAST_OVERLAP_SECONDS * PER_SECOND)
    if min(a.shape[1], b.shape[1]) < overlap:
        return 0.0
    products = _correlation(a, b)
    energy_a = _correlation(a.square(), torch.ones_like(b))
    energy_b = _correlation(torch.ones_like(a), b.square())
    shift = torch.arange(products.numel()) - (b.shape[1] - 1)
    common = torch.minimum(torch.tensor(a.shape[1]), shift + b.shape[1]) - shift.clamp(min=0)
    values = products / (energy_a * energy_b).clamp(min=1e-9).sqrt()
    return values[common >= overlap].max().item()


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    """(A + B - 1,): sum over bands of a[t + s] b[t], s from -(B - 1) to A - 1."""
    size = a.shape[1] + b.shape[1] - 1
    spectrum = torch.fft.rfft(a.double(), size) * torch.fft.rfft(b.double().flip(1), size)
    return torch.fft.irfft(spectrum.sum(dim=0), size)
