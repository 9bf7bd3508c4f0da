"""What a reference recording is worth: measured, and what to do about it in words.

Nothing here refuses a recording. The thresholds are set so that clean speech is left in peace rather than
that every fault is found; `web/docs/LTXIDLoRA_EncodeReferenceAudio.md` gives the source of each.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from . import detection
from .features import FRAMES_PER_SECOND, Frames
from .runs import runs, widened
from .selection import SUSTAINED_LIKENESS
from .waveform import Span

NEARLY_ALL = 0.75
LEAST_SPEECH_SECONDS = 3.0  # arXiv 2603.10256 and users' reports: 3-5 s of speech
LEAST_SNR_DB = 15.0
LEAST_NOISE_FRAMES = 10
FADING_FRAMES = 5  # beside speech, in which it dies away: no noise
LEAST_UNPAUSED_FRAMES = 200
NEIGHBOURHOOD_FRAMES = 200  # noise is looked for 2 s around what is taken
MOST_CLIPPED = 0.001  # of the samples
MOST_SUSTAINED = 0.2  # of the sounding frames; clean speech had at most 0.04
SOUNDING_BELOW_SPEECH_DB = 30.0

PITCH_GAP_SEMITONES = 7.0  # a man's and a woman's voice are about 9 apart
BLOCK_FRAMES = 50
LEAST_VOICED_IN_BLOCK = 15
LEAST_SPEAKER_BLOCKS = 2
LEAST_SPEAKER_SHARE = 0.2
MOST_SPREAD_SEMITONES = 2.5
QUIETEST_NOISE_DB = -100.0
NOTHING_HEARD = "No speech is heard: use 3-5 s of one person speaking near the microphone"


@dataclass(frozen=True)
class Diagnosis:
    """Measurements of what is taken of a recording, before any normalisation.

    Attributes:
        seconds: length of all that is taken.
        speech_seconds: of which speech.
        heard_seconds: of which speech that `detection.speech_frames` hears, also where there is room noise alone.
        level_dbfs: RMS of the speech, all channels; full scale = 0.
        snr_db: speech over noise in the speech band; inf where there is no noise.
        clipped_share: samples on flat tops, 0-1.
        sustained_share: sounding frames in which a tone is held as long as in music, 0-1.
        pitches_hz: median pitch of two voices, lower first; None where there seems to be one.
        max_seconds: the most that the user wants; where that is why there is little speech, it is named.
    """

    seconds: float
    speech_seconds: float
    heard_seconds: float
    level_dbfs: float
    snr_db: float
    clipped_share: float
    sustained_share: float
    pitches_hz: tuple[float, float] | None
    max_seconds: float

    @property
    def speech_share(self) -> float:
        """0-1."""
        return min(self.speech_seconds / self.seconds, 1.0)

    @property
    def is_heard(self) -> bool:
        return self.heard_seconds >= detection.LEAST_SPEECH_SECONDS

    @property
    def is_music(self) -> bool:
        return self.sustained_share > MOST_SUSTAINED

    @property
    def warnings(self) -> list[str]:
        """What is wrong and what to do, a sentence each; empty for a good reference."""
        if not (self.is_heard or self.is_music):
            return [f"{NOTHING_HEARD}.", *filter(None, [self._clipped()])]
        found = [
            self._too_short(),
            self._clipped(),
            self._noisy(),
            self._music(),
            self._two_speakers(),
        ]
        return [sentence for sentence in found if sentence]

    def _too_short(self) -> str:
        if self.speech_seconds >= LEAST_SPEECH_SECONDS:
            return ""
        is_cut = self.seconds > NEARLY_ALL * self.max_seconds
        cure = "raise max_seconds" if is_cut else "use a longer recording"
        return f"Only {self.speech_seconds:.1f} s of speech; 3-5 s are best: {cure}."

    def _clipped(self) -> str:
        if self.clipped_share < MOST_CLIPPED:
            return ""
        return f"Clipped ({100 * self.clipped_share:.1f}% of samples): record again at a lower input level."

    def _noisy(self) -> str:
        if self.snr_db >= LEAST_SNR_DB or self.is_music:  # music leaves no pauses to measure noise in
            return ""
        return f"Noise only {max(self.snr_db, 0):.0f} dB below the speech: use a cleaner recording or a denoiser."

    def _music(self) -> str:
        if not self.is_music:
            return ""
        return "Sounds like music: use speech alone, or a vocal separator before this node."

    def _two_speakers(self) -> str:
        if self.pitches_hz is None or self.is_music:
            return ""
        low, high = self.pitches_hz
        return f"Perhaps two speakers ({low:.0f} and {high:.0f} Hz): use a recording of one."


def diagnose(
    frames: Frames,
    spoken: Tensor,
    heard: Tensor,
    spans: list[Span],
    sample_rate: int,
    max_seconds: float,
) -> Diagnosis:
    """Measure what is taken of a recording.

    Args:
        frames, spoken: of the whole recording; `spoken` (F,) bool.
        heard: (G,) bool per 10 ms of what is taken: `detection.speech_frames`.
        spans: [start, end) in samples, at least one.
    """
    taken = taken_frames(spans, sample_rate, len(frames))
    speech = taken & spoken
    power = frames.power[speech if speech.any() else taken].mean().item()
    seconds = sum(end - start for start, end in spans) / sample_rate
    samples = frames.clipped[taken].sum().item() / sample_rate
    return Diagnosis(
        seconds=seconds,
        speech_seconds=min(int(speech.sum()) / FRAMES_PER_SECOND, seconds),
        heard_seconds=min(int(heard.sum()) / FRAMES_PER_SECOND, seconds),
        level_dbfs=10 * math.log10(power) if power > 0 else -math.inf,
        snr_db=_snr_db(frames, spoken, taken),
        clipped_share=samples / seconds,
        sustained_share=_sustained_share(frames, taken),
        pitches_hz=_two_pitches(frames, speech),
        max_seconds=max_seconds,
    )


def taken_frames(spans: list[Span], sample_rate: int, num_frames: int) -> Tensor:
    """(F,) bool: frames of which at least half lies in a span."""
    taken = torch.zeros(num_frames, dtype=torch.bool)
    for start, end in spans:
        first, last = (round(sample * FRAMES_PER_SECOND / sample_rate) for sample in (start, end))
        taken[first : max(last, first + 1)] = True
    return taken


def _snr_db(frames: Frames, spoken: Tensor, taken: Tensor) -> float:
    """Mean power of speech over the median of pauses nearby, in dB.

        snr = 10 log10((speech - noise) / noise)

    Without pauses, noise is what the quietest tenth of the speech rises above: the gaps between syllables; of
    less than two seconds that says nothing.
    """
    first, last = (int(frame) for frame in taken.nonzero()[[0, -1], 0])
    near = torch.zeros_like(taken)
    near[max(first - NEIGHBOURHOOD_FRAMES, 0) : last + 1 + NEIGHBOURHOOD_FRAMES] = True
    pauses = frames.level_db[near & ~widened(spoken, FADING_FRAMES)]
    speech = frames.level_db[taken & spoken]
    if not speech.numel():
        return math.inf
    if pauses.numel() >= LEAST_NOISE_FRAMES:
        noise_db = pauses.median().item()
    elif speech.numel() >= LEAST_UNPAUSED_FRAMES:
        noise_db = torch.quantile(speech, 0.1).item()
    else:
        return math.inf
    if noise_db < QUIETEST_NOISE_DB:
        return math.inf
    noise = 10 ** (noise_db / 10)
    speech_power = (10 ** (speech.double() / 10)).mean().item()
    return 10 * math.log10(max(speech_power - noise, 0.01 * noise) / noise)


def _sustained_share(frames: Frames, taken: Tensor) -> float:
    """Of the taken frames that sound, those whose harmonics stay in place for 0.2 s."""
    loudest = frames.level_db[taken].max()
    sounding = taken & (frames.level_db >= loudest - SOUNDING_BELOW_SPEECH_DB)
    return (frames.sustained[sounding] >= SUSTAINED_LIKENESS).float().mean().item()


def _two_pitches(frames: Frames, speech: Tensor) -> tuple[float, float] | None:
    """Median pitches, Hz, of two voices that take turns; None where one voice explains the recording.

    The median pitch of every half second of voiced speech is sorted into a lower and a higher group at the
    widest gap. Two voices: at least seven semitones apart, each for a second and a fifth of the speech, each
    steady in itself; a lively voice fills the gap, and octave slips of the pitch do not last.
    """
    medians = _block_pitches(frames, speech)
    if medians.numel() < 2 * LEAST_SPEAKER_BLOCKS:
        return None
    ordered = medians.sort().values
    split = int(torch.diff(ordered).argmax()) + 1
    low, high = ordered[:split], ordered[split:]
    fewest = max(LEAST_SPEAKER_BLOCKS, LEAST_SPEAKER_SHARE * ordered.numel())
    is_apart = (high.median() - low.median()).item() >= PITCH_GAP_SEMITONES
    is_clear = torch.diff(ordered)[split - 1].item() >= PITCH_GAP_SEMITONES / 2
    is_steady = max(_spread(low), _spread(high)) <= MOST_SPREAD_SEMITONES
    if min(low.numel(), high.numel()) < fewest or not (is_apart and is_clear and is_steady):
        return None
    return _hz(low.median().item()), _hz(high.median().item())


def _block_pitches(frames: Frames, speech: Tensor) -> Tensor:
    """Median pitch in semitones of each half second that is voiced enough."""
    medians = []
    for start, end in runs(speech):
        for first in range(start, end, BLOCK_FRAMES):
            block = slice(first, min(first + BLOCK_FRAMES, end))
            f0_hz = frames.f0_hz[block][frames.is_voiced[block]]
            if f0_hz.numel() >= LEAST_VOICED_IN_BLOCK:
                medians.append(12 * math.log2(f0_hz.median().item()))
    return torch.tensor(medians)


def _spread(semitones: Tensor) -> float:
    """Mean distance from the median."""
    return (semitones - semitones.median()).abs().mean().item()


def _hz(semitones: float) -> float:
    return 2 ** (semitones / 12)
