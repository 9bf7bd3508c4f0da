"""Whether the clips of a folder are of one person. Nothing is left out for it: what is odd is named.

Measured with Resemblyzer, six speakers, five seconds a clip (tests/takes/test_same_speaker.py): a clip in the wrong folder
is named 60 of 60 times beside its own speaker's folder, 41 of 60 times in the only folder; 0 of 36 right clips are.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import mean, median

from ..voice_embedding import VoiceEmbedding
from .analysis import Clip
from .reasons import Remark

ANOTHER_PITCH_SEMITONES = 7.0  # a man's and a woman's voice are about 9 apart
LEAST_CLIPS = 3
NOISE_BAND = 0.03  # of Resemblyzer: two clips of one speaker in one room differ so (takes.voice_encoder)
UNLIKE = 5 * NOISE_BAND


def compared_pitches(clips: Sequence[Clip]) -> list[Remark]:
    """A weak test: it tells a man from a woman, not two men."""
    remarks = []
    for clip in clips:
        pitches = [other.pitch_hz for other in clips if other.speaker == clip.speaker and other.pitch_hz]
        if clip.pitch_hz is None or len(pitches) < LEAST_CLIPS:
            continue
        usual = median(pitches)
        if abs(12 * math.log2(clip.pitch_hz / usual)) > ANOTHER_PITCH_SEMITONES:
            figures = {"pitch": clip.pitch_hz, "usual": usual, "speaker": clip.speaker}
            remarks.append(Remark(clip.file, "another pitch", figures))
    return remarks


def compared_voices(clips: Sequence[Clip], voices: Mapping[str, VoiceEmbedding]) -> list[Remark]:
    """Clips that are nearer to another speaker than to their own, or much further from their own than the others are.

    Args:
        voices: by file, all of one encoder.
    """
    own = {clip.file: _mean_likeness(clip, clips, clip.speaker, voices) for clip in clips}
    speakers = dict.fromkeys(clip.speaker for clip in clips)
    remarks = []
    for clip in clips:
        likeness = own[clip.file]
        others = {
            name: _mean_likeness(clip, clips, name, voices) for name in speakers if name != clip.speaker
        }
        other = max(others, key=lambda name: others[name], default=None)
        figures: dict[str, object] = {
            "encoder": voices[clip.file].encoder,
            "speaker": clip.speaker,
            "likeness": likeness,
        }
        if other is not None and others[other] > likeness + NOISE_BAND:
            figures |= {"other": other, "nearer": others[other]}
            remarks.append(Remark(clip.file, "another voice", figures))
            continue
        usual = [own[c.file] for c in clips if c.speaker == clip.speaker]
        if len(usual) >= LEAST_CLIPS and median(usual) - likeness > UNLIKE:
            remarks.append(Remark(clip.file, "unlike the others", figures | {"usual": median(usual)}))
    return remarks


def _mean_likeness(
    clip: Clip, clips: Sequence[Clip], speaker: str, voices: Mapping[str, VoiceEmbedding]
) -> float:
    voice = voices[clip.file]
    return mean(
        voices[other.file].similarity(voice)
        for other in clips
        if other.speaker == speaker and other.file != clip.file
    )
