"""The reference voice: from any recording to the waveform that the audio VAE encodes, and its value."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import torch
import torchaudio
from torch import Tensor

from .numerics import Numerics
from .positions import AudioGrid, audio_tokens, reference_bounds
from .voice_embedding import VoiceEmbedding

SAMPLE_RATES_HZ = (8_000, 192_000)
MIN_SECONDS = 0.5
SILENT_PEAK_DBFS = -60.0
SILENCE_BELOW_PEAK_DB = 40.0
FRAME_SECONDS = 0.01
FRAMES_PER_CHUNK = 1000
MAX_RATIO_DENOMINATOR = 1000
CHANNELS = 2
CROSSFADE_SECONDS = 0.01

Span = tuple[int, int]


@dataclass(frozen=True)
class Reference:
    """A reference voice as the transformer takes it.

    Attributes:
        latent: (1, 8, T, 16) normalised audio latent.
        grid: time grid of the VAE that made it.
        gap_seconds: how far before the clip it ends; None = one latent, as trained.
        vae_fingerprint: of the VAE that made it; empty = not known.
        embedding: of its speaker, where a saved voice has one.
    """

    latent: Tensor
    grid: AudioGrid = field(default_factory=AudioGrid)
    gap_seconds: float | None = None
    vae_fingerprint: str = ""
    embedding: VoiceEmbedding | None = None

    @property
    def tokens(self) -> Tensor:
        """(1, T, 128)."""
        return audio_tokens(self.latent)

    @property
    def num_tokens(self) -> int:
        return self.latent.shape[2]

    def bounds(self, numerics: Numerics = "host") -> Tensor:
        """(1, 1, T, 2) seconds, all below 0."""
        return reference_bounds(self.num_tokens, self.grid, self.gap_seconds, numerics)


def prepare_waveform(
    waveform: Tensor,
    sample_rate: int,
    target_rate: int = 16_000,
    max_seconds: float = 5.0,
    spans: Sequence[Span] | None = None,
) -> Tensor:
    """A recording as the audio VAE takes it: stereo, at its rate, from where speech begins.

    Leading silence is what lies more than 40 dB below the loudest 10 ms. Mono is doubled; more than
    two channels are averaged first. Resampled straight to the target rate and not cropped to any
    block size, so that encoding it equals the authors' encoding (tests/parity). Of a long recording
    only what is taken is copied.

    Several spans are joined by fades of 10 ms, so that nothing clicks; one comes out bit for bit.

    Args:
        waveform: (1, C, N), full scale = 1.
        sample_rate: 8000 to 192000 Hz.
        target_rate: rate of the VAE's mel spectrogram, 16000 Hz in LTX-2.
        max_seconds: at most so much, at least 0.5.
        spans: [start, end) in samples to take one after the other; None = from where speech begins.

    Returns:
        (1, 2, M) float32 at `target_rate`, M <= max_seconds * target_rate (rounded up).

    Raises:
        ValueError: batch or shape, sample rate, NaN, silence, or less than 0.5 s of sound.

    Source:
        arXiv 2603.10256, section 4.1 (about 5 s of one speaker); the authors' `_encode_audio`.
    """
    if spans is None:
        start = first_sound(waveform, sample_rate, max_seconds)
        spans = [(start, start + round(max_seconds * sample_rate))]
    sound = _joined([_stereo(waveform[..., start:end]) for start, end in spans], sample_rate)
    # Where the ratio is approximate, a sample or two can be too many.
    return resampled(sound, sample_rate, target_rate)[..., : math.ceil(max_seconds * target_rate)]


def first_sound(waveform: Tensor, sample_rate: int, max_seconds: float) -> int:
    """The sample at which a usable recording begins to sound.

    Raises:
        ValueError: as `prepare_waveform`.
    """
    _check_recording(waveform, sample_rate, max_seconds)
    start = leading_silence(waveform, sample_rate)
    _check_sound(waveform[..., start:], sample_rate)
    return start


def resampled(waveform: Tensor, sample_rate: int, target_rate: int) -> Tensor:
    """Resample with torchaudio, at any ratio in little memory.

    torchaudio's kernel has numerator x denominator entries: 12 GB for 191999 -> 16000 Hz. Ratios that
    are not of small numbers are taken to within 2e-5, 0.1 ms over 5 s; common rates are exact.
    """
    ratio = Fraction(target_rate, sample_rate).limit_denominator(MAX_RATIO_DENOMINATOR)
    return torchaudio.functional.resample(waveform, ratio.denominator, ratio.numerator)


def leading_silence(waveform: Tensor, sample_rate: int) -> int:
    """Samples before the first 10 ms that are within 40 dB of the loudest 10 ms.

    Args:
        waveform: (1, C, N), any dtype.
        sample_rate: Hz.

    Returns:
        A whole number of frames, in samples; 0 when the sound starts at once.
    """
    frame = max(round(sample_rate * FRAME_SECONDS), 1)
    # In chunks: squares of an hour of sound would take gigabytes.
    chunks = waveform.split(frame * FRAMES_PER_CHUNK, dim=-1)
    energy = torch.cat([_frame_energies(_stereo(chunk), frame) for chunk in chunks])
    loud = energy >= energy.max() * 10 ** (-SILENCE_BELOW_PEAK_DB / 10)
    return int(loud.to(torch.uint8).argmax()) * frame


def _frame_energies(stereo: Tensor, frame: int) -> Tensor:
    """Mean power of each `frame` samples, the last filled up with silence: (1, 2, N) -> (F,)."""
    power = stereo.square().mean(dim=(0, 1))
    num_frames = math.ceil(power.numel() / frame)
    padded = torch.nn.functional.pad(power, (0, num_frames * frame - power.numel()))
    return padded.reshape(num_frames, frame).mean(dim=1)


def peak_dbfs(waveform: Tensor) -> float:
    """Peak level against full scale, in dB: -inf for digital silence, NaN or inf where a sample is that."""
    lowest, highest = (value.item() for value in waveform.aminmax())  # no copy, unlike abs().max()
    peak = max(-lowest, highest)
    return -math.inf if peak == 0 else 20 * math.log10(peak)


def _joined(parts: list[Tensor], sample_rate: int) -> Tensor:
    """Parts (1, 2, N) one after the other; where two meet, 10 ms of both fade into each other."""
    sound = parts[0]
    for part in parts[1:]:
        length = min(round(CROSSFADE_SECONDS * sample_rate), sound.shape[-1], part.shape[-1])
        before, ending = sound.split([sound.shape[-1] - length, length], dim=-1)
        # Room tone on both sides is alike but not in phase: powers add, so the gains' squares add up to 1.
        angle = (torch.arange(length, device=part.device) + 0.5) / max(length, 1) * (math.pi / 2)
        fade = ending * angle.cos() + part[..., :length] * angle.sin()
        sound = torch.cat([before, fade, part[..., length:]], dim=-1)
    return sound


def _check_recording(waveform: Tensor, sample_rate: int, max_seconds: float) -> None:
    """Refuse what cannot be a recording of one voice."""
    if waveform.ndim != 3 or waveform.shape[0] != 1:
        raise ValueError(
            f"Reference audio has shape {tuple(waveform.shape)}; connect one clip at a time (batch of 1)."
        )
    lowest, highest = SAMPLE_RATES_HZ
    if not lowest <= sample_rate <= highest:
        raise ValueError(f"Reference audio is at {sample_rate} Hz; {lowest} to {highest} Hz can be used.")
    if not max_seconds >= MIN_SECONDS:
        raise ValueError(f"max_seconds is {max_seconds}; give at least {MIN_SECONDS} s (the paper uses 5).")
    if waveform.numel() == 0:
        raise ValueError("Reference audio is empty. Connect 3-5 s of clear speech by one person.")
    level = peak_dbfs(waveform)
    if math.isnan(level) or level == math.inf:
        raise ValueError("Reference audio holds values that are not numbers (NaN or Inf). Load it again.")
    if level < SILENT_PEAK_DBFS:
        raise ValueError(
            f"Reference audio is silent (peak {level:.0f} dBFS). Connect 3-5 s of clear speech by one person."
        )


def _check_sound(sound: Tensor, sample_rate: int) -> None:
    """Refuse what is too short once leading silence is gone."""
    seconds = sound.shape[-1] / sample_rate
    if seconds < MIN_SECONDS:
        raise ValueError(
            f"Reference audio holds {seconds:.2f} s of sound; at least {MIN_SECONDS} s are needed."
            " Connect 3-5 s of clear speech by one person."
        )


def _stereo(waveform: Tensor) -> Tensor:
    """(1, C, N) -> (1, 2, N) float32."""
    waveform = waveform.float()
    if waveform.shape[1] == CHANNELS:
        return waveform
    return waveform.mean(dim=1, keepdim=True).repeat(1, CHANNELS, 1)
