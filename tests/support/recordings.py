"""Recordings for tests of the reference: the spoken ones, and what is made from them and beside them."""

import math
from pathlib import Path

import av
import numpy
import torch
import torchaudio
from torch import Tensor

FULL_SCALE = {"s16": 2**15, "s32": 2**31, "flt": 1, "fltp": 1}


def read(path: Path) -> tuple[Tensor, int]:
    """(1, 1, N) float32 of a mono file, and its rate in Hz."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    samples = numpy.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
    return torch.from_numpy(samples).float()[None, None] / FULL_SCALE[frames[0].format.name], frames[0].rate


def silence(seconds: float, sample_rate: int) -> Tensor:
    return torch.zeros(1, 1, round(seconds * sample_rate))


def noise(num_samples: int, rms: float, seed: int = 0) -> Tensor:
    """(1, 1, N) white noise."""
    return rms * torch.randn(1, 1, num_samples, generator=torch.Generator().manual_seed(seed))


def rms(waveform: Tensor) -> float:
    return waveform.square().mean().sqrt().item()


def joined(*parts: Tensor) -> Tensor:
    return torch.cat(parts, dim=-1)


def another_voice(waveform: Tensor, sample_rate: int, factor: float) -> Tensor:
    """The same words, faster and higher by a factor: the pitch and the formants of a smaller speaker."""
    return torchaudio.functional.resample(waveform, round(sample_rate * factor), sample_rate)


def voiced(f0_hz: float, seconds: float, sample_rate: int) -> Tensor:
    """A held vowel without formants: twelve harmonics that fall off, some of them above half the rate left out."""
    t = torch.arange(round(seconds * sample_rate)) / sample_rate
    harmonics = [n for n in range(1, 13) if n * f0_hz < sample_rate / 2]
    tone = torch.stack([torch.sin(2 * math.pi * n * f0_hz * t) / n for n in harmonics]).sum(dim=0)
    return (0.5 * tone / tone.abs().max())[None, None]


def tune(seconds: float, sample_rate: int, seed: int = 0, has_drums: bool = False) -> Tensor:
    """Made music: chords of three plucked strings on a major scale, a chord every 0.25-0.5 s."""
    chance = torch.Generator().manual_seed(seed)
    music = torch.zeros(round(seconds * sample_rate))
    start = 0
    while start < music.numel():
        length = 0.25 + 0.25 * torch.rand(1, generator=chance).item()
        t = torch.arange(round(length * sample_rate)) / sample_rate
        steps = torch.tensor([0, 2, 4, 5, 7, 9, 11, 12])[torch.randint(0, 8, (3,), generator=chance)]
        strings = [220 * 2 ** (step / 12) for step in steps.tolist()]
        chord = sum(torch.sin(2 * math.pi * n * f0 * t) / n**1.2 for f0 in strings for n in range(1, 9))
        chord = chord * torch.exp(-2 * t / length)
        if has_drums:
            hit = torch.randn(t.numel(), generator=chance) * torch.exp(-t * 50)
            chord = chord + 3 * hit
        end = min(start + t.numel(), music.numel())
        music[start:end] = chord[: end - start]
        start = end
    return (0.7 * music / music.abs().max())[None, None]
