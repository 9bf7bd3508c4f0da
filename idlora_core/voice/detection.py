"""Which 10 ms of a sound are speech, in a quiet room and in a noisy one.

`activity.spoken_frames` compares each frame with the recording's own noise floor: right within a recording that has
speech, and wrong in a room without any, where it takes the noise for speech. Silero's network knows what speech is.
Measured on labelled clips of AMI meetings and a telephone call (tests/takes): share of frames that are right, of speech
that is found, and of the rest that is taken for speech

    activity.spoken_frames   0.78   0.82   0.29
    silero, as below         0.90   0.84   0.02
    silero at its own 0.5    0.84   0.75   0.00
"""

import torch
from torch import Tensor

from .activity import SHORTEST_PAUSE_FRAMES, SHORTEST_SPEECH_FRAMES
from .features import FRAMES_PER_SECOND
from .runs import without_short_runs
from .silero import CHUNK, SAMPLE_RATE_HZ, speech_probabilities
from .waveform import resampled

LEAST_SPEECH_SECONDS = 0.3
"""Less is no speech. Of 23 stretches of 4 s of meetings in which nobody is labelled as speaking, each heard alone, 4 have
as much (by level all 23 do; three of the 4 peak below -40 dBFS, where faint voices come up with the room); of 65 that are
spoken for a quarter and more 64 have."""
LEAST_PROBABILITY = 0.15
WORKING_PEAK = 0.5  # the network hears level; brought to one peak, a recording has one answer at any gain


def speech_frames(waveform: Tensor, sample_rate: int) -> Tensor:
    """Which frames of a recording are speech, with the short gaps inside words.

    Args:
        waveform: (1, C, N); channels are averaged.
        sample_rate: Hz.

    Returns:
        (F,) bool, one per 10 ms; all False where nobody speaks. Gaps under 0.2 s are closed, and what is then shorter
        than 0.1 s is left out, as `activity.spoken_frames` does.
    """
    sound = resampled(waveform[0].float().mean(dim=0).cpu(), sample_rate, SAMPLE_RATE_HZ)
    num_frames = -(-waveform.shape[-1] * FRAMES_PER_SECOND // sample_rate)
    peak = sound.abs().max() if sound.numel() else torch.zeros(())
    if not peak > 0:
        return torch.zeros(num_frames, dtype=torch.bool)
    likely = speech_probabilities(sound * (WORKING_PEAK / peak)) > LEAST_PROBABILITY
    hop = SAMPLE_RATE_HZ // FRAMES_PER_SECOND
    middles = torch.arange(num_frames) * hop + hop // 2
    spoken = likely[(middles // CHUNK).clamp(max=likely.numel() - 1)]
    spoken = ~without_short_runs(~spoken, SHORTEST_PAUSE_FRAMES, is_edge_kept=True)
    return without_short_runs(spoken, SHORTEST_SPEECH_FRAMES)
