"""Features of a recording's 10 ms frames: level, pitch, and how long a spectrum stays as it is."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .waveform import FRAME_SECONDS, at_most_stereo, resampled

FRAMES_PER_SECOND = round(1 / FRAME_SECONDS)
ANALYSIS_RATE_HZ = 8_000
HOP = ANALYSIS_RATE_HZ // FRAMES_PER_SECOND
WINDOW = 4 * HOP  # 40 ms: nearly three periods of 70 Hz
FFT_SIZE = 2 * WINDOW
FRAMES_PER_CHUNK = 1000
SPEECH_BAND_HZ = (100, 3_800)
PITCH_HZ = (70, 400)
VOICED = 0.5  # of the autocorrelation's peak; Praat's default is 0.45
FIRST_PEAK = 0.9  # of the highest: the shortest period so good, against octaves too low
TONAL_BAND_HZ = (200, 3_500)
SMOOTHING_BINS = 33  # 400 Hz: takes formants away, leaves harmonics
TONAL_RANGE = 1e-4  # of the frame's strongest bin, 40 dB
SUSTAIN_FRAMES = 20  # 0.2 s: longer than speech holds a pitch, shorter than most notes
TINY = 1e-12

CLIPPED_NEAR_PEAK = 0.98
CLIPPED_LEAST_PEAK = 0.3
CLIPPED_FLATNESS = 1e-5  # below half a 16-bit step at full scale: equal samples


@dataclass(frozen=True)
class Frames:
    """Features of a recording, one value per 10 ms: each a tensor (F,).

    Attributes:
        power: mean square over all channels and frequencies; full scale = 1.
        peak: highest |sample|.
        clipped: samples that stand on a flat top at the highest peak of the 10 s around.
        level_db: level in the speech band, 0.1-3.8 kHz, over 40 ms.
        voicing: 0-1, how periodic the frame is at a speaker's pitch.
        f0_hz: that pitch, 70-400 Hz; without meaning where `voicing` is low.
        sustained: -1 to 1, likeness of the harmonics' places to those 0.2 s later.
    """

    power: Tensor
    peak: Tensor
    clipped: Tensor
    level_db: Tensor
    voicing: Tensor
    f0_hz: Tensor
    sustained: Tensor

    def __len__(self) -> int:
        return self.power.numel()

    @property
    def is_voiced(self) -> Tensor:
        return self.voicing >= VOICED


def measure_frames(waveform: Tensor, sample_rate: int) -> Frames:
    """Features of every 10 ms of a recording, in chunks: an hour takes a few MB beyond itself.

    Args:
        waveform: (1, C, N), full scale = 1, N at least 1.
        sample_rate: Hz, 8000 or more.
    """
    lowest, highest = (value.item() for value in waveform.aminmax())
    peak = max(-lowest, highest)
    num_frames = math.ceil(waveform.shape[-1] * FRAMES_PER_SECOND / sample_rate)
    chunks = [
        _level_features(waveform, sample_rate, first, min(first + FRAMES_PER_CHUNK, num_frames), peak)
        + _spectral_features(waveform, sample_rate, first, min(first + FRAMES_PER_CHUNK, num_frames))
        for first in range(0, num_frames, FRAMES_PER_CHUNK)
    ]
    return Frames(*(torch.cat(values) for values in zip(*chunks, strict=True)))


def sample_at(frame: int, sample_rate: int) -> int:
    """First sample of a frame; the rate need not be a multiple of 100."""
    return round(frame * sample_rate / FRAMES_PER_SECOND)


def _level_features(
    waveform: Tensor, sample_rate: int, first: int, last: int, peak: float
) -> tuple[Tensor, Tensor, Tensor]:
    """`power`, `peak` and `clipped` of frames [first, last)."""
    edges = [sample_at(frame, sample_rate) for frame in range(first, last + 1)]
    chunk = waveform[..., edges[0] : edges[-1]].to("cpu", torch.float32)
    # 11025 Hz has frames of 110 and of 111 samples: sums between edges, of running sums.
    bounds = torch.tensor(edges).clamp(max=waveform.shape[-1]) - edges[0]
    lengths = torch.diff(bounds).clamp(min=1)
    power = _sums(at_most_stereo(chunk).square().mean(dim=(0, 1)), bounds) / lengths
    clipped = _sums(_on_flat_top(chunk, peak).float().mean(dim=(0, 1)), bounds)
    longest = int(lengths.max())
    index = (bounds[:-1, None] + torch.arange(longest)).clamp(max=chunk.shape[-1] - 1)
    peaks = chunk.abs().amax(dim=(0, 1))[index].amax(dim=1)
    return power, peaks, clipped


def _sums(values: Tensor, bounds: Tensor) -> Tensor:
    running = F.pad(values.double().cumsum(0), (1, 0))
    return torch.diff(running[bounds]).clamp(min=0).float()


def _on_flat_top(chunk: Tensor, peak: float) -> Tensor:
    """Samples of a run of at least three that are equal, near the peak of this 10 s chunk: (1, C, N) bool.

    The smooth top of a low voice at 48 kHz and 16 bits has three equal samples too, but hardly at the very
    peak; and a chunk much softer than the recording's `peak` was not clipped by what recorded both.
    """
    top = chunk.abs().max().item()
    high = chunk.abs() >= CLIPPED_NEAR_PEAK * max(top, CLIPPED_LEAST_PEAK * peak)
    if not high.any():
        return high
    level = torch.diff(chunk).abs() <= CLIPPED_FLATNESS * top
    flat = high[..., 1:] & high[..., :-1] & level  # one value per pair of neighbours
    triples = flat[..., 1:] & flat[..., :-1]
    return F.pad(triples, (2, 0)) | F.pad(triples, (1, 1)) | F.pad(triples, (0, 2))


def _spectral_features(
    waveform: Tensor, sample_rate: int, first: int, last: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`level_db`, `voicing`, `f0_hz` and `sustained` of frames [first, last)."""
    windows = _windows(waveform, sample_rate, first, last + SUSTAIN_FRAMES)
    power = torch.fft.rfft(windows, FFT_SIZE).abs().square()
    num_frames = last - first
    voicing, f0_hz = _pitch(power[:num_frames])
    low, high = _bins(SPEECH_BAND_HZ)
    level_db = 10 * torch.log10(power[:num_frames, low:high].sum(dim=1) / WINDOW**2 + TINY)
    tonal = _harmonic_places(power)
    sustained = (tonal[:-SUSTAIN_FRAMES] * tonal[SUSTAIN_FRAMES:]).sum(dim=1)
    return level_db, voicing, f0_hz, sustained


def _windows(waveform: Tensor, sample_rate: int, first: int, last: int) -> Tensor:
    """40 ms of the mono sum at 8 kHz around the middle of each frame: (last - first, 320)."""
    margin = WINDOW // HOP  # frames on each side; silence beyond the recording's ends
    start, stop = sample_at(first - margin, sample_rate), sample_at(last + margin, sample_rate)
    inside = waveform[..., max(start, 0) : min(stop, waveform.shape[-1])]
    mono = at_most_stereo(inside.to("cpu", torch.float32)).mean(dim=(0, 1))
    padded = F.pad(mono, (max(-start, 0), max(stop - waveform.shape[-1], 0)))
    sound = resampled(padded, sample_rate, ANALYSIS_RATE_HZ)
    offset = margin * HOP + HOP // 2 - WINDOW // 2
    needed = offset + (last - first - 1) * HOP + WINDOW
    sound = F.pad(sound, (0, max(needed - sound.numel(), 0)))[offset:needed]
    return sound.unfold(0, WINDOW, HOP) * torch.hann_window(WINDOW)


def _bins(band_hz: tuple[int, int]) -> tuple[int, int]:
    low, high = band_hz
    return round(low * FFT_SIZE / ANALYSIS_RATE_HZ), round(high * FFT_SIZE / ANALYSIS_RATE_HZ)


def _pitch(power: Tensor) -> tuple[Tensor, Tensor]:
    """Voicing and pitch from the autocorrelation, freed of the window's own.

    Source:
        P. Boersma 1993, Accurate short-term analysis of the fundamental frequency.
    """
    own = torch.fft.irfft(torch.fft.rfft(torch.hann_window(WINDOW), FFT_SIZE).abs().square())
    correlation = torch.fft.irfft(power) / own.clamp(min=TINY)
    correlation = correlation / (correlation[:, :1] + TINY)
    shortest, longest = ANALYSIS_RATE_HZ // PITCH_HZ[1], ANALYSIS_RATE_HZ // PITCH_HZ[0]
    lags = correlation[:, shortest - 1 : longest + 2]
    here, before, after = lags[:, 1:-1], lags[:, :-2], lags[:, 2:]
    peaks = torch.where((here >= before) & (here >= after), here, 0.0)
    highest = peaks.amax(dim=1, keepdim=True)
    place = (peaks >= FIRST_PEAK * highest).to(torch.uint8).argmax(dim=1, keepdim=True)
    y0, y1, y2 = (values.gather(1, place)[:, 0] for values in (before, here, after))
    bend = y0 - 2 * y1 + y2
    shift = torch.where(bend.abs() > TINY, 0.5 * (y0 - y2) / bend, 0.0).clamp(-0.5, 0.5)
    f0_hz = ANALYSIS_RATE_HZ / (place[:, 0] + shortest + shift)
    return highest[:, 0].clamp(0, 1), f0_hz


def _harmonic_places(power: Tensor) -> Tensor:
    """Where harmonics lie, without loudness and formants: rows of unit length, zero for silence."""
    low, high = _bins(TONAL_BAND_HZ)
    band = power[:, low:high]
    strongest = band.amax(dim=1, keepdim=True)
    log_power = torch.log10(band + TONAL_RANGE * strongest + TINY)
    half = SMOOTHING_BINS // 2
    padded = F.pad(log_power[:, None], (half, half), mode="replicate")
    fine = log_power - F.avg_pool1d(padded, SMOOTHING_BINS, stride=1)[:, 0]
    fine = fine - fine.mean(dim=1, keepdim=True)
    return F.normalize(fine, dim=1)
