"""Where a recording holds speech: features of its 10 ms frames, and which of them are spoken.

torchaudio's `vad` is a port of SoX's: it finds only where speech begins. What a reference needs is every
pause, and how good each stretch is. So frames are judged by their level in the speech band, against the
recording's own noise floor; with pitch, and with how long a spectrum stays as it is, for what follows.
No weights, nothing to download, and the same answer at any gain and sample rate.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .reference import FRAME_SECONDS, resampled

FRAMES_PER_SECOND = round(1 / FRAME_SECONDS)
ANALYSIS_RATE_HZ = 8_000
HOP = ANALYSIS_RATE_HZ // FRAMES_PER_SECOND
WINDOW = 4 * HOP  # 40 ms: nearly three periods of 70 Hz
FFT_SIZE = 2 * WINDOW
FRAMES_PER_CHUNK = 1000
SPEECH_BAND_HZ = (100, 3_800)
PITCH_HZ = (70, 400)
VOICED = 0.5  # of the autocorrelation's peak; Boersma 1993 takes 0.45
FIRST_PEAK = 0.9  # of the highest: the shortest period so good, against octaves too low
TONAL_BAND_HZ = (200, 3_500)
SMOOTHING_BINS = 33  # 400 Hz: takes formants away, leaves harmonics
TONAL_RANGE = 1e-4  # of the frame's strongest bin, 40 dB
SUSTAIN_FRAMES = 20  # 0.2 s: longer than speech holds a pitch, shorter than most notes
TINY = 1e-12

CLIPPED_NEAR_PEAK = 0.98
CLIPPED_LEAST_PEAK = 0.3
CLIPPED_FLATNESS = 1e-5  # below half a 16-bit step at full scale: equal samples
CLIPPED_RUN = 3

LOUD_FRAMES = 10  # the level reached in 0.1 s altogether: more than a click, and one short word is enough
NOISE_FLOOR_QUANTILE = 0.1
FLOOR_BELOW_LOUD_DB = 60.0
LEAST_CONTRAST_DB = 6.0
ENTER, LEAVE = 0.4, 0.25  # of the way from the floor up to the loud frames
LEAST_ENTER_DB, LEAST_LEAVE_DB = 5.0, 3.0
STEADY_FRAMES = 30  # longer than any consonant
STEADY_DB = 8.0
QUIET_BELOW_LOUD_DB = 20.0
SHORTEST_PAUSE_FRAMES = 20  # Goldman-Eisler 1968: below 0.25 s a gap belongs to a sound, as a stop's closure
SHORTEST_SPEECH_FRAMES = 10


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


def spoken_frames(frames: Frames) -> Tensor:
    """Which frames are speech, with the short gaps inside words.

        enter = floor + 0.4 (loud - floor)        leave = floor + 0.25 (loud - floor)

    `loud` is reached in 0.1 s of the recording altogether, `floor` is its tenth percentile, at most 60 dB
    below. A stretch above `leave` that somewhere passes `enter` is speech, less what is room tone; gaps under
    0.2 s are closed, and what is then shorter than 0.1 s was a click.

    Returns:
        (F,) bool, never all False. Where floor and loud are less than 6 dB apart, nothing tells speech from the
        rest: then all frames within 60 dB of the loud ones.
    """
    level = _smoothed(frames.level_db)
    loud = level.sort(descending=True).values[min(LOUD_FRAMES, len(frames) // 10)].item()
    lowest = loud - FLOOR_BELOW_LOUD_DB
    floor = max(torch.quantile(level, NOISE_FLOOR_QUANTILE).item(), lowest)
    contrast = loud - floor
    if contrast < LEAST_CONTRAST_DB:
        enter = leave = level >= lowest
    else:
        enter = level >= floor + max(ENTER * contrast, LEAST_ENTER_DB)
        leave = level >= floor + max(LEAVE * contrast, LEAST_LEAVE_DB)
    spoken = _runs_with(leave & ~_room_tone(level, loud), enter)
    spoken = ~without_short_runs(~spoken, SHORTEST_PAUSE_FRAMES, is_edge_kept=True)
    words = without_short_runs(spoken, SHORTEST_SPEECH_FRAMES)
    return words if words.any() else spoken


def _room_tone(level: Tensor, loud: float) -> Tensor:
    """(F,) bool: stretches of 0.3 s that stay within 8 dB, 20 dB and more below the loud frames.

    What the noise floor misses where digital silence was put beside a recording and lies lower still. Speech
    does neither for so long: its syllables rise and fall by 10 dB and more.
    """
    if level.numel() < STEADY_FRAMES:
        return torch.zeros_like(level, dtype=torch.bool)

    def highest(values: Tensor) -> Tensor:
        return F.max_pool1d(values[None], STEADY_FRAMES, stride=1)[0]

    is_flat = highest(level) + highest(-level) < STEADY_DB
    is_low = highest(level) < loud - QUIET_BELOW_LOUD_DB
    steady = (is_flat & is_low).float()  # per window, by its first frame
    return highest(F.pad(steady, (STEADY_FRAMES - 1, STEADY_FRAMES - 1))) > 0


def runs(mask: Tensor) -> list[tuple[int, int]]:
    """[start, end) of each run of True in (F,) bool."""
    edges = torch.diff(F.pad(mask.to(torch.int8), (1, 1)))
    starts, ends = (edges == 1).nonzero()[:, 0].tolist(), (edges == -1).nonzero()[:, 0].tolist()
    return list(zip(starts, ends, strict=True))


def widened(mask: Tensor, frames: int) -> Tensor:
    """True wherever (F,) bool is, and so many frames before and after."""
    padded = F.pad(mask.float()[None], (frames, frames))
    return F.max_pool1d(padded, 2 * frames + 1, stride=1)[0] > 0


def without_short_runs(mask: Tensor, shortest: int, is_edge_kept: bool = False) -> Tensor:
    """A copy without runs of True shorter than `shortest` frames; those at either end may stay."""
    kept = torch.zeros_like(mask)
    for start, end in runs(mask):
        at_edge = is_edge_kept and (start == 0 or end == mask.numel())
        kept[start:end] = end - start >= shortest or at_edge
    return kept


def _runs_with(wide: Tensor, narrow: Tensor) -> Tensor:
    """Those runs of `wide` in which `narrow` is True somewhere."""
    kept = torch.zeros_like(wide)
    for start, end in runs(wide):
        kept[start:end] = bool(narrow[start:end].any())
    return kept


def _smoothed(level: Tensor) -> Tensor:
    """Mean of three frames: noise flickers less."""
    padded = F.pad(level[None, None], (1, 1), mode="replicate")
    return F.avg_pool1d(padded, 3, stride=1)[0, 0]


def _level_features(
    waveform: Tensor, sample_rate: int, first: int, last: int, peak: float
) -> tuple[Tensor, Tensor, Tensor]:
    """`power`, `peak` and `clipped` of frames [first, last)."""
    edges = [sample_at(frame, sample_rate) for frame in range(first, last + 1)]
    chunk = waveform[..., edges[0] : edges[-1]].to("cpu", torch.float32)
    # 11025 Hz has frames of 110 and of 111 samples: sums between edges, of running sums.
    bounds = torch.tensor(edges).clamp(max=waveform.shape[-1]) - edges[0]
    lengths = torch.diff(bounds).clamp(min=1)
    power = _sums(chunk.square().mean(dim=(0, 1)), bounds) / lengths
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
    mono = inside.to("cpu", torch.float32).mean(dim=(0, 1))
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
