"""One clip of a person speaking: measured, and cut, or left out with the reason."""

import math
from dataclasses import dataclass, field

from torch import Tensor

from ..voice.activity import spoken_frames
from ..voice.detection import speech_frames
from ..voice.doctor import MOST_CLIPPED, Diagnosis, diagnose
from ..voice.features import FRAMES_PER_SECOND, Frames, measure_frames
from ..voice.waveform import SAMPLE_RATES_HZ, SILENT_PEAK_DBFS, at_most_stereo, peak_dbfs, resampled
from .cuts import least_speech, plan_starts
from .reasons import LeftOut
from .repeats import RATE_HZ, fingerprint, pcm_digest


@dataclass(frozen=True)
class Clip:
    """A clip that can be used.

    Attributes:
        file: path below the folder. seconds: of picture with sound.
        starts: of its cuts, in seconds. reference_starts: of those that can be a reference, which cuts without
            speech in the cleaned sound cannot.
        speech_seconds: of the whole clip.
        level_dbfs: RMS of its speech. pitch_hz: median pitch; None where nothing is voiced.
        digest, print: of its sound, see `repeats`.
    """

    speaker: str
    file: str
    seconds: float
    starts: tuple[float, ...]
    reference_starts: tuple[float, ...]
    speech_seconds: float
    level_dbfs: float
    pitch_hz: float | None
    digest: str
    print: Tensor = field(compare=False, repr=False)


def analysed(
    speaker: str,
    file: str,
    waveform: Tensor,
    sample_rate: int,
    picture_seconds: float,
    cut_seconds: float,
    least_snr_db: float,
    cleaned: tuple[Tensor, int] | None = None,
) -> Clip:
    """Measure a clip and plan its cuts.

    Args:
        waveform: (1, C, N), full scale = 1.
        picture_seconds: length of the picture. cut_seconds: of a cut.
        least_snr_db: less speech over noise is left out.
        cleaned: separated speech of the same clip and its rate: noise and music are looked for there, since
            references are taken from it; the target keeps its own sound, as in the paper.

    Raises:
        LeftOut: it cannot be used.
    """
    waveform = waveform[..., : round(picture_seconds * sample_rate)]
    _check_sound(waveform, sample_rate)
    found, frames, heard = _measured(waveform, sample_rate)
    if found.clipped_share >= MOST_CLIPPED:
        raise LeftOut("clipped", percent=100 * found.clipped_share)
    is_cleaned = cleaned is not None and not _is_silent(cleaned[0])
    _check_reference(_measured(*cleaned)[0] if cleaned and is_cleaned else found, least_snr_db)
    starts = plan_starts(heard, cut_seconds)
    if not starts:
        raise LeftOut(
            "little speech", seconds=cut_seconds, needed=least_speech(cut_seconds), found=found.heard_seconds
        )
    mono = resampled(at_most_stereo(waveform).mean(dim=(0, 1)), sample_rate, RATE_HZ)
    voiced = frames.f0_hz[heard & frames.is_voiced]
    return Clip(
        speaker,
        file,
        waveform.shape[-1] / sample_rate,
        tuple(starts),
        tuple(starts if cleaned is None else _starts_with_speech(cleaned, starts, cut_seconds)),
        found.heard_seconds,
        found.level_dbfs,
        voiced.median().item() if voiced.numel() else None,
        pcm_digest(mono),
        fingerprint(mono),
    )


def _check_sound(waveform: Tensor, sample_rate: int) -> None:
    lowest, highest = SAMPLE_RATES_HZ
    if not lowest <= sample_rate <= highest:
        raise LeftOut("corrupt", error=f"its sound is at {sample_rate} Hz")
    peak = peak_dbfs(waveform) if waveform.numel() else -math.inf
    if math.isnan(peak) or peak == math.inf:
        raise LeftOut("corrupt", error="its sound holds values that are not numbers")
    if peak < SILENT_PEAK_DBFS:
        raise LeftOut("silent", peak=peak)


def _measured(waveform: Tensor, sample_rate: int) -> tuple[Diagnosis, Frames, Tensor]:
    """Of a whole recording: what it is worth, its features, and which frames are speech."""
    frames, heard = measure_frames(waveform, sample_rate), speech_frames(waveform, sample_rate)
    heard = heard[: len(frames)]
    whole, seconds = [(0, waveform.shape[-1])], waveform.shape[-1] / sample_rate
    found = diagnose(frames, spoken_frames(frames), heard, whole, sample_rate, seconds)
    return found, frames, heard


def _check_reference(found: Diagnosis, least_snr_db: float) -> None:
    if found.is_music:
        raise LeftOut("music")
    if found.snr_db < least_snr_db:
        raise LeftOut("noise", snr=max(found.snr_db, 0.0))
    if found.pitches_hz is not None:
        low, high = found.pitches_hz
        raise LeftOut("two speakers", low=low, high=high)


def _starts_with_speech(cleaned: tuple[Tensor, int], starts: list[float], cut_seconds: float) -> list[float]:
    """Cuts that separation has not emptied."""
    waveform, sample_rate = cleaned
    if _is_silent(waveform):
        return []
    heard = speech_frames(waveform, sample_rate)

    def speech(start: float) -> float:
        first = round(start * FRAMES_PER_SECOND)
        return int(heard[first : first + round(cut_seconds * FRAMES_PER_SECOND)].sum()) / FRAMES_PER_SECOND

    return [start for start in starts if speech(start) >= least_speech(cut_seconds)]


def _is_silent(waveform: Tensor) -> bool:
    return not waveform.numel() or not peak_dbfs(waveform) >= SILENT_PEAK_DBFS  # NaN is not, either
