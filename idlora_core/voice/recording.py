"""From a recording to the waveform that is encoded, with what was measured on the way."""

from dataclasses import dataclass

from torch import Tensor

from ..options import checked_choice
from .activity import spoken_frames
from .detection import speech_frames
from .doctor import Diagnosis, diagnose
from .features import Frames, measure_frames
from .loudness import TARGET_LUFS, integrated_lufs, normalising_gain_db
from .selection import best_spans, first_spans
from .waveform import Span, checked_recording, first_sound, prepare_waveform

SELECTIONS = ("best part", "from the start")
LEVEL_TOLERANCE_DB = 0.5


@dataclass(frozen=True)
class Recording:
    """A recording that was cut, and what it is worth.

    Attributes:
        waveform: (1, 2, M) float32 at `target_rate`, as it is encoded.
        target_rate: Hz.
        sample_rate: of the recording, Hz. num_samples: its length.
        spans: what was taken of it, [start, end) in its samples.
        frames: its features.
        diagnosis: of what was taken, before normalisation.
        gain_db: that was applied; None where normalisation was off.
        lufs: loudness of the normalised `waveform`, -inf for what is too quiet to have one; None where that was off.
    """

    waveform: Tensor
    target_rate: int
    sample_rate: int
    num_samples: int
    spans: list[Span]
    frames: Frames
    diagnosis: Diagnosis
    gain_db: float | None
    lufs: float | None

    @property
    def seconds(self) -> float:
        """Of what is encoded."""
        return self.waveform.shape[-1] / self.target_rate

    @property
    def level_dbfs(self) -> float:
        """RMS of the speech, as it is encoded."""
        return self.diagnosis.level_dbfs + (self.gain_db or 0.0)

    @property
    def remarks(self) -> list[str]:
        """Sentences for the user: what was done to the level, and the diagnosis' warnings."""
        return [*self._normalisation(), *self.diagnosis.warnings]

    def _normalisation(self) -> list[str]:
        if self.lufs is None or self.lufs >= TARGET_LUFS - LEVEL_TOLERANCE_DB:
            return []
        return [f"Normalised to {self.lufs:.0f} LUFS; more gain would clip."]


def prepare_recording(
    waveform: Tensor,
    sample_rate: int,
    target_rate: int = 16_000,
    max_seconds: float = 5.0,
    selection: str = "best part",
    shorten_pauses: bool = True,
    level_loudness: bool = False,
) -> Recording:
    """Cut a recording for the audio VAE and measure what is taken.

    With `from the start` and neither of the two switches the waveform is that of `prepare_waveform`, bit for
    bit; with `best part` and no pause to shorten it is one stretch of the recording, resampled and no more.

    Args:
        waveform: (1, C, N), full scale = 1. sample_rate: 8000 to 192000 Hz.
        target_rate: of the VAE, Hz. max_seconds: at least 0.5.
        selection: `best part` (`selection.best_spans`) or `from the start`.
        shorten_pauses: pauses longer than 0.5 s become 0.3 s.
        level_loudness: bring it to -23 LUFS, less where it would clip.

    Raises:
        ValueError: what `prepare_waveform` refuses; an unknown `selection`.
    """
    checked_choice("selection", selection, SELECTIONS)
    sample_rate = checked_recording(waveform, sample_rate, max_seconds)
    start, num_samples = first_sound(waveform, sample_rate, max_seconds), waveform.shape[-1]
    frames = measure_frames(waveform, sample_rate)
    spoken = spoken_frames(frames)
    if selection == "best part":
        spans = best_spans(frames, spoken, sample_rate, num_samples, max_seconds, shorten_pauses)
    else:
        spans = first_spans(start, spoken, sample_rate, num_samples, max_seconds, shorten_pauses)
    cut = prepare_waveform(waveform, sample_rate, target_rate, max_seconds, spans)
    gain_db = normalising_gain_db(cut, target_rate) if level_loudness else None
    if gain_db:
        cut = cut * 10 ** (gain_db / 20)
    heard = speech_frames(cut, target_rate)
    diagnosis = diagnose(frames, spoken, heard, spans, sample_rate, max_seconds)
    lufs = integrated_lufs(cut, target_rate) if level_loudness else None
    return Recording(cut, target_rate, sample_rate, num_samples, spans, frames, diagnosis, gain_db, lufs)
