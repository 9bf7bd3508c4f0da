"""Which frames of a recording are speech.

torchaudio's `vad` is a port of SoX's: it finds only where speech begins. What a reference needs is every
pause, and how good each stretch is. So frames are judged by their level in the speech band, against the
recording's own noise floor. No weights, nothing to download, and the same answer at any gain and sample rate.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .features import Frames
from .runs import runs, without_short_runs

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
