"""Why a clip is left out of a dataset, or used with a remark: one sentence each."""

from dataclasses import dataclass, field
from typing import Literal

from ..options import shown

Reason = Literal[
    "corrupt",
    "no audio",
    "silent",
    "clipped",
    "noise",
    "music",
    "little speech",
    "two speakers",
    "variable frame rate",
    "size",
    "HDR",
    "short sound",
    "duplicate",
    "single clip",
    "caption missing",
    "caption too long",
    "caption outside",
    "no such clip",
    "equal name",
    "another pitch",
    "another voice",
    "unlike the others",
]
USED_ALL_THE_SAME: tuple[Reason, ...] = (
    "variable frame rate",
    "size",
    "short sound",
    "another pitch",
    "another voice",
    "unlike the others",
)

SENTENCES: dict[Reason, str] = {
    "corrupt": "it cannot be read as a video ({error}): export it again.",
    "no audio": "it has no sound: ID-LoRA learns from speech.",
    "silent": "its sound is silent (peak {peak:.0f} dBFS).",
    "clipped": "{percent:.1f}% of its samples are clipped: record again at a lower input level.",
    "noise": (
        "noise is only {snr:.0f} dB below the speech, so that the reference would teach the room:"
        " put its separated speech into cleaned_speech."
    ),
    "music": "it sounds like music: put its separated speech into cleaned_speech.",
    "little speech": "no cut of {seconds:.2f} s holds {needed:.1f} s of speech (found {found:.1f} s).",
    "two speakers": "perhaps two speakers ({low:.0f} and {high:.0f} Hz): cut it to one.",
    "variable frame rate": "its frame rate varies; frames are taken by their time stamps, {rate:g} a second.",
    "size": "it is {width}x{height}, scaled and cropped to {target_width}x{target_height}.",
    "HDR": "it is HDR video ({transfer}), which would come out grey: convert it to SDR (BT.709).",
    "short sound": "its sound ends {seconds:.1f} s before its picture; only what has both is used.",
    "duplicate": "it repeats the sound of {other} (likeness {likeness:.2f}): a pair of both would teach copying.",
    "single clip": "it is the only usable clip of {speaker}, and a reference must come from another clip.",
    "caption missing": "the cut at {start:.2f} s has no words in captions.csv.",
    "caption too long": (
        "the caption at {start:.2f} s takes about {needed:.1f} s to say, and a cut lasts {seconds:.2f} s."
    ),
    "caption outside": "the caption at {start:.2f} s leaves no room for a cut of {seconds:.2f} s: it ends at {end:.2f} s.",
    "no such clip": "captions.csv names it, and there is no such clip.",
    "equal name": "{other} has the same name but for its ending, so that captions cannot tell them apart.",
    "another voice": (
        "by {encoder} it sounds more like {other} ({nearer:.2f}) than like {speaker} ({likeness:.2f}): check the folder."
    ),
    "unlike the others": (
        "by {encoder} it is less like {speaker} ({likeness:.2f}) than the other clips are ({usual:.2f}): listen to it."
    ),
    "another pitch": (
        "its median pitch is {pitch:.0f} Hz, that of {speaker} {usual:.0f} Hz: check that it is the same person."
    ),
}


@dataclass(frozen=True)
class Remark:
    """What was found in one clip.

    Attributes:
        file: path below the folder of clips.
        reason: key of `SENTENCES`.
        figures: what the sentence is filled in with.
    """

    file: str
    reason: Reason
    figures: dict[str, object] = field(default_factory=dict)

    @property
    def is_left_out(self) -> bool:
        """Whether the clip, or the cut that is named, is not in the dataset."""
        return self.reason not in USED_ALL_THE_SAME

    @property
    def sentence(self) -> str:
        return f"{shown(self.file)}: {SENTENCES[self.reason].format(**self.figures)}"


class LeftOut(ValueError):
    """A clip that cannot be used; caught where clips are looped over, so that the run goes on."""

    def __init__(self, reason: Reason, **figures: object) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.figures = figures
