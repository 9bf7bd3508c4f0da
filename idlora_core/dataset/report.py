"""What a run made, in figures and in sentences."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .analysis import Clip
from .plan import Plan
from .reasons import Reason, Remark


@dataclass(frozen=True)
class Speaker:
    """Seconds of targets, and of speech found, by one speaker; levels of clips: (dBFS, whether it is used)."""

    name: str
    target_seconds: float
    speech_seconds: float
    num_clips: int
    num_used: int
    levels: tuple[tuple[float, bool], ...]


@dataclass(frozen=True)
class Report:
    """Of one run.

    Attributes:
        num_files: clips in the folder. num_encoded: results that were not there from an earlier run.
    """

    speakers: tuple[Speaker, ...]
    num_files: int
    num_pairs: int
    num_encoded: int
    seconds: float
    remarks: tuple[Remark, ...]

    @property
    def summary(self) -> str:
        used = sum(speaker.num_used for speaker in self.speakers)
        speaking = sum(speaker.num_used > 0 for speaker in self.speakers)
        return (
            f"{_count(self.num_pairs, 'pair')} of {_count(speaking, 'speaker')}, {self.seconds:.0f} s of targets from"
            f" {used} of {self.num_files} clips"
        )

    @property
    def reasons(self) -> list[tuple[Reason, int]]:
        """Reasons for leaving a clip or a cut out, the most frequent first."""
        counts: Counter[Reason] = Counter(remark.reason for remark in self.remarks if remark.is_left_out)
        return counts.most_common()

    @property
    def text(self) -> str:
        """The summary, then a line per speaker and a line per remark."""
        lines = [f"{self.summary}; {self.num_encoded} encoded now."]
        for speaker in self.speakers:
            lines.append(
                f"{speaker.name}: {speaker.target_seconds:.1f} s of targets, {speaker.speech_seconds:.1f} s of speech,"
                f" {speaker.num_used} of {speaker.num_clips} clips"
            )
        for title, is_left_out in (("Left out:", True), ("Used, but look at:", False)):
            found = [remark.sentence for remark in self.remarks if remark.is_left_out == is_left_out]
            lines += [title, *found] if found else []
        return "\n".join(lines)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def report(
    clips: Sequence[Clip],
    files: Sequence[tuple[str, str]],
    made: Plan,
    remarks: Sequence[Remark],
    num_encoded: int,
) -> Report:
    """Count what was made.

    Args:
        clips: that were analysed. files: (speaker, file) of all. remarks: those of reading, before the plan's.
    """
    targets = {pair.target for pair in made.pairs}
    used = {cut.file for cut in targets}
    speakers = []
    for name in dict.fromkeys(speaker for speaker, _ in files):
        own = [clip for clip in clips if clip.speaker == name]
        speakers.append(
            Speaker(
                name,
                sum(cut.seconds for cut in targets if cut.speaker == name),
                sum(clip.speech_seconds for clip in own),
                sum(speaker == name for speaker, _ in files),
                sum(clip.file in used for clip in own),
                tuple((clip.level_dbfs, clip.file in used) for clip in own),
            )
        )
    seconds = sum(speaker.target_seconds for speaker in speakers)
    return Report(
        tuple(speakers), len(files), len(made.pairs), num_encoded, seconds, (*remarks, *made.remarks)
    )
