"""Work on a recording's samples: what cannot be used is refused, the rest becomes what the audio VAE encodes."""

import math
from collections.abc import Sequence
from fractions import Fraction

import torch
import torchaudio
from torch import Tensor

from ..options import checked_number

SAMPLE_RATES_HZ = (8_000, 192_000)
MIN_SECONDS = 0.5
SILENT_PEAK_DBFS = -60.0
SILENCE_BELOW_PEAK_DB = 40.0
FRAME_SECONDS = 0.01
FRAMES_PER_CHUNK = 1000
MAX_RATIO_DENOMINATOR = 1000
CHANNELS = 2
MAX_SECONDS = 30.0
MAX_PEAK_DBFS = 20.0
CROSSFADE_SECONDS = 0.01

Span = tuple[int, int]

# ITU-R BS.775-4, annex 4, table 2: centre and surrounds at -3 dB, no LFE. Which channel is which, by their number, as
# in FFmpeg and WAVE files; a single surround, which the table leaves out, goes to both sides.
_LEFT, _RIGHT, _BOTH, _NONE = (1.0, 0.0), (0.0, 1.0), (0.5**0.5, 0.5**0.5), (0.0, 0.0)
_SURROUND_LEFT, _SURROUND_RIGHT, _SURROUND = (0.5**0.5, 0.0), (0.0, 0.5**0.5), (0.5, 0.5)
DOWNMIX = {
    3: (_LEFT, _RIGHT, _BOTH),
    4: (_LEFT, _RIGHT, _BOTH, _SURROUND),
    5: (_LEFT, _RIGHT, _BOTH, _SURROUND_LEFT, _SURROUND_RIGHT),
    6: (_LEFT, _RIGHT, _BOTH, _NONE, _SURROUND_LEFT, _SURROUND_RIGHT),
    7: (_LEFT, _RIGHT, _BOTH, _NONE, _SURROUND, _SURROUND_LEFT, _SURROUND_RIGHT),
    8: (_LEFT, _RIGHT, _BOTH, _NONE, *(2 * (_SURROUND_LEFT, _SURROUND_RIGHT))),
}
"""Number of channels to what each gives to (left, right)."""


def prepare_waveform(
    waveform: Tensor,
    sample_rate: int,
    target_rate: int = 16_000,
    max_seconds: float = 5.0,
    spans: Sequence[Span] | None = None,
) -> Tensor:
    """A recording as the audio VAE takes it: stereo, at its rate, from where speech begins.

    Leading silence is what lies more than 40 dB below the loudest 10 ms. Mono is doubled; more than
    two channels are downmixed first. Resampled straight to the target rate and not cropped to any
    block size, so that encoding it equals the authors' encoding (tests/parity). Of a long recording
    only what is taken is copied.

    Several spans are joined by fades of 10 ms, so that nothing clicks; one comes out bit for bit.

    Args:
        waveform: (1, C, N), full scale = 1.
        sample_rate: 8000 to 192000 Hz.
        target_rate: rate of the VAE's mel spectrogram, 16000 Hz in LTX-2.
        max_seconds: the longest reference, 0.5 to 30.
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
    checked_recording(waveform, sample_rate, max_seconds)
    start = leading_silence(waveform, sample_rate)
    _check_sound(waveform[..., start:], sample_rate)
    return start


def resampled(waveform: Tensor, sample_rate: int, target_rate: int) -> Tensor:
    """Resample with torchaudio, at any ratio in little memory.

    torchaudio's kernel has numerator x denominator entries: 12 GB for 191999 -> 16000 Hz. Ratios that
    are not of small numbers are taken to within 2e-5, 0.1 ms over 5 s; common rates are exact.
    """
    ratio = Fraction(target_rate, int(sample_rate)).limit_denominator(MAX_RATIO_DENOMINATOR)
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
    # In chunks, for the squares of an hour would take gigabytes; into one tensor, for a list of small ones between
    # large ones leaves the heap full of holes.
    energy = torch.empty(math.ceil(waveform.shape[-1] / frame))
    for number, chunk in enumerate(waveform.split(frame * FRAMES_PER_CHUNK, dim=-1)):
        values = _frame_energies(_stereo(chunk), frame)
        energy[number * FRAMES_PER_CHUNK :][: values.numel()] = values
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


def checked_recording(waveform: Tensor, sample_rate: float, max_seconds: float) -> int:
    """The sample rate as a whole number, once this can be a recording of one voice.

    Raises:
        ValueError: as `prepare_waveform`.
    """
    if waveform.ndim != 3 or waveform.shape[0] != 1:
        raise ValueError(
            f"Reference audio has shape {tuple(waveform.shape)}; connect one clip at a time (batch of 1)."
        )
    lowest, highest = SAMPLE_RATES_HZ
    if not lowest <= sample_rate <= highest or sample_rate != int(sample_rate):
        raise ValueError(f"Reference audio is at {sample_rate} Hz; {lowest} to {highest} Hz can be used.")
    checked_number("max_seconds", max_seconds, MIN_SECONDS, MAX_SECONDS, " s (the paper uses 5)")
    if waveform.numel() == 0:
        raise ValueError("Reference audio is empty. Connect 3-5 s of clear speech by one person.")
    level = peak_dbfs(waveform)
    if math.isnan(level) or level == math.inf:
        raise ValueError("Reference audio holds values that are not numbers (NaN or Inf). Load it again.")
    if level < SILENT_PEAK_DBFS:
        raise ValueError(
            f"Reference audio is silent (peak {level:.0f} dBFS). Connect 3-5 s of clear speech by one person."
        )
    if level > MAX_PEAK_DBFS:
        raise ValueError(
            f"Reference audio peaks at {level:.0f} dBFS, {MAX_PEAK_DBFS:.0f} dB and more above full scale (1.0);"
            " scale integer samples to -1 to 1."
        )
    return int(sample_rate)


def _check_sound(sound: Tensor, sample_rate: int) -> None:
    """Refuse what is too short once leading silence is gone."""
    seconds = sound.shape[-1] / sample_rate
    if seconds < MIN_SECONDS:
        raise ValueError(
            f"Reference audio holds {seconds:.2f} s of sound; at least {MIN_SECONDS} s are needed."
            " Connect 3-5 s of clear speech by one person."
        )


def at_most_stereo(waveform: Tensor) -> Tensor:
    """(1, C, N) -> (1, 1 or 2, N): mono and stereo as they are, more channels downmixed.

    Source:
        ITU-R BS.775, as in FFmpeg (tests/core). A number of channels that has no usual layout is averaged.
    """
    num_channels = waveform.shape[1]
    if num_channels <= CHANNELS:
        return waveform
    if num_channels not in DOWNMIX:
        return waveform.mean(dim=1, keepdim=True)
    gains = torch.tensor(DOWNMIX[num_channels], dtype=waveform.dtype, device=waveform.device)
    return torch.einsum("bcn,cs->bsn", waveform, gains)


def _stereo(waveform: Tensor) -> Tensor:
    """(1, C, N) -> (1, 2, N) float32."""
    return at_most_stereo(waveform.float()).expand(-1, CHANNELS, -1)
