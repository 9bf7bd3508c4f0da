"""Whether a take repeats words of the reference: the known fault of references that are too long.

    likeness(p, t) = cosine between 1 s of the reference from p on and 1 s of the take from t on, in log mel bands
                     from which each frame's mean, its level, and each band's mean over the second are taken away
    echo           = the highest likeness over all p in the reference's speech and all t

A cloned voice is like its reference on purpose; the same second of sounds in the same order is not. On real speech
(196 pairs of clips by one speaker, tests/takes) 99.5 % of copies of 1.5 s within another sentence are found, and other
sentences are at most 0.84 alike.
"""

import torch
import torch.nn.functional as F
import torchaudio
from torch import Tensor

from ..voice.waveform import resampled

IS_ECHO = 0.88
RATE_HZ, FFT, HOP, BANDS = 16_000, 512, 160, 40
BAND_HZ = (80.0, 7_600.0)
SECOND_FRAMES, STEP_FRAMES = 100, 5
LEAST_SPOKEN = 0.6  # of a second of the reference
RANGE = 1e-6  # of the loudest, in power


def echo_likeness(
    take: Tensor, take_rate: int, reference: Tensor, reference_rate: int, spoken: Tensor
) -> float | None:
    """How much some second of a take is like some second of the reference's speech.

    Args:
        take, reference: (1, C, N).
        spoken: (F,) bool per 10 ms of the reference.

    Returns:
        -1 to 1; None where either is too short to compare.
    """
    of_take, of_reference = _bands(take, take_rate), _bands(reference, reference_rate)
    if min(of_take.shape[1], of_reference.shape[1], spoken.numel()) < SECOND_FRAMES:
        return None
    seconds = _seconds(of_reference, STEP_FRAMES)
    share = spoken.float().unfold(0, SECOND_FRAMES, STEP_FRAMES).mean(dim=1)
    count = min(share.numel(), seconds.shape[0])
    seconds = seconds[:count][share[:count] >= LEAST_SPOKEN]
    if not seconds.numel():
        return None
    return (seconds @ _seconds(of_take, 1).T).max().item()


def _seconds(bands: Tensor, step: int) -> Tensor:
    """(S, 4000): windows of 1 s, each band without its mean, of length 1."""
    windows = bands.unfold(1, SECOND_FRAMES, step).movedim(1, 0)
    return F.normalize((windows - windows.mean(dim=2, keepdim=True)).flatten(1), dim=1)


def _bands(waveform: Tensor, sample_rate: int) -> Tensor:
    """(40, F) log mel power at 100 frames a second, each frame without its mean."""
    sound = resampled(waveform[0].float().mean(dim=0).cpu(), sample_rate, RATE_HZ)
    if sound.numel() < FFT:
        return torch.zeros(BANDS, 0)
    spectrum = torch.stft(sound, FFT, HOP, window=torch.hann_window(FFT), return_complex=True).abs().square()
    low, high = BAND_HZ
    mel = torchaudio.functional.melscale_fbanks(FFT // 2 + 1, low, high, BANDS, RATE_HZ).T @ spectrum
    log = torch.log(mel + RANGE * mel.max() + 1e-12)
    return log - log.mean(dim=0, keepdim=True)
