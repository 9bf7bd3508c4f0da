"""How loud a waveform is to a listener, and bringing it to the level of broadcast speech."""

import math

import torchaudio
from torch import Tensor

from .waveform import peak_dbfs

TARGET_LUFS = -23.0
PEAK_CEILING_DBFS = -1.0
WORKING_PEAK = 0.1  # torchaudio's filters clamp at full scale
LEAST_SECONDS = 0.4  # one block of the measurement


def integrated_lufs(waveform: Tensor, sample_rate: int) -> float:
    """Integrated loudness with both gates; -inf where all is below the absolute gate of -70 LUFS.

    A channel's powers add up, as they do for a listener: mono doubled to stereo is 3 dB above the mono file.

    Args:
        waveform: (1, C, N), C up to 5, at least 0.4 s.
        sample_rate: Hz.

    Source:
        ITU-R BS.1770-4, as in torchaudio.
    """
    peak = peak_dbfs(waveform)
    if math.isinf(peak) or waveform.shape[-1] < LEAST_SECONDS * sample_rate:
        return -math.inf
    gain_db = 20 * math.log10(WORKING_PEAK) - peak
    # The absolute gate belongs to the waveform's own level: a quiet one must not pass it by being made louder.
    gain_db = min(gain_db, 0.0)
    loudness = torchaudio.functional.loudness(waveform[0] * 10 ** (gain_db / 20), sample_rate).item()
    return loudness - gain_db if math.isfinite(loudness) else -math.inf


def normalising_gain_db(waveform: Tensor, sample_rate: int) -> float:
    """The gain that brings a waveform to -23 LUFS, or as near as its peak may rise: -1 dBFS.

    Args:
        waveform: (1, C, N), at least 0.4 s.

    Returns:
        dB; 0 for what has no loudness.

    Source:
        EBU R 128: programmes at -23 LUFS, peaks at -1 dBTP at most.
    """
    loudness = integrated_lufs(waveform, sample_rate)
    if math.isinf(loudness):
        return 0.0
    return min(TARGET_LUFS - loudness, PEAK_CEILING_DBFS - peak_dbfs(waveform))
