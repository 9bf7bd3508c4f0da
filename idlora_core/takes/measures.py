"""What can be said of a take's sound without any model file."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..speech_length import speech_seconds
from ..voice.detection import LEAST_SPEECH_SECONDS, speech_frames
from ..voice.features import FRAMES_PER_SECOND, measure_frames
from ..voice.loudness import integrated_lufs
from .echo import IS_ECHO, echo_likeness

SILENCE_DBFS = -60.0


@dataclass(frozen=True)
class Measures:
    """A take's sound in figures.

    Attributes:
        seconds: its length. speech_seconds: of which speech.
        onset_seconds: where the first word begins; None where nobody speaks.
        clipped_share: samples on flat tops, 0-1. silent_share: 10 ms frames below -60 dBFS, 0-1.
        pace: how fast it is spoken against a calm speaker, 1 = as fast; None without words or speech.
        lufs: integrated loudness, -inf for silence.
        echo: likeness of its most alike second to a second of the reference; None without a reference.
    """

    seconds: float
    speech_seconds: float
    onset_seconds: float | None
    clipped_share: float
    silent_share: float
    pace: float | None
    lufs: float
    echo: float | None

    @property
    def is_spoken(self) -> bool:
        return self.speech_seconds >= LEAST_SPEECH_SECONDS

    @property
    def repeats_reference(self) -> bool:
        return self.echo is not None and self.echo >= IS_ECHO


def measure_take(
    waveform: Tensor, sample_rate: int, words: str = "", reference: tuple[Tensor, int] | None = None
) -> Measures:
    """Measure a take.

    Args:
        waveform: (1, C, N), full scale = 1, N at least 1. sample_rate: Hz, 8000 or more.
        words: what should be said.
        reference: waveform (1, C, N) and rate of the reference voice.

    Raises:
        ValueError: not one clip, or values that are not numbers.
    """
    if waveform.ndim != 3 or waveform.shape[0] != 1 or not waveform.shape[-1]:
        raise ValueError(f"The take's sound has shape {tuple(waveform.shape)}; give one clip at a time.")
    if not torch.isfinite(waveform).all():
        raise ValueError("The take's sound holds values that are not numbers (NaN or Inf).")
    seconds = waveform.shape[-1] / sample_rate
    spoken, frames = speech_frames(waveform, sample_rate), measure_frames(waveform, sample_rate)
    places = spoken.nonzero()[:, 0]
    span = (int(places[-1]) + 1 - int(places[0])) / FRAMES_PER_SECOND if places.numel() else 0.0
    calm = speech_seconds(words)
    return Measures(
        seconds=seconds,
        speech_seconds=min(places.numel() / FRAMES_PER_SECOND, seconds),
        onset_seconds=int(places[0]) / FRAMES_PER_SECOND if places.numel() else None,
        clipped_share=frames.clipped.sum().item() / waveform.shape[-1],
        silent_share=(frames.power < 10 ** (SILENCE_DBFS / 10)).float().mean().item(),
        pace=calm / span if calm and span else None,
        lufs=integrated_lufs(waveform, sample_rate),
        echo=_echo(waveform, sample_rate, reference),
    )


def _echo(waveform: Tensor, sample_rate: int, reference: tuple[Tensor, int] | None) -> float | None:
    if reference is None:
        return None
    return echo_likeness(waveform, sample_rate, *reference, speech_frames(*reference))
