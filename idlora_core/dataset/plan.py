"""From clips and captions to pairs, with what was left out on the way. Pure: nothing is read or written."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..voice_embedding import VoiceEmbedding
from .analysis import Clip
from .captions import Caption, checked_caption
from .pairs import Cut, references_of
from .reasons import LeftOut, Remark
from .repeats import SAME, likeness
from .same_speaker import compared_pitches, compared_voices


@dataclass(frozen=True)
class Pair:
    """A target with its caption, and one reference."""

    target: Cut
    reference: Cut
    caption: Caption


@dataclass(frozen=True)
class Plan:
    """What goes into a dataset.

    Attributes:
        pairs: in the order of the clips.
        remarks: on clips and cuts.
        to_fill: every cut with its caption, empty ones included: the next captions.csv.
    """

    pairs: tuple[Pair, ...]
    remarks: tuple[Remark, ...]
    to_fill: tuple[Caption, ...]


def plan(
    clips: Sequence[Clip],
    captions: Mapping[str, list[Caption]],
    known_files: Iterable[str],
    cut_seconds: float,
    references_per_target: int,
    seed: int,
    voices: Mapping[str, VoiceEmbedding] | None = None,
) -> Plan:
    """Choose targets and references.

    Args:
        clips: that can be used, in order; of two that repeat each other the later one is left out.
        captions: by file. known_files: all clips that are there, used or not.
        cut_seconds: length of a cut.
        voices: by file, where a speaker encoder is there; else pitches are compared.
    """
    remarks = [Remark(file, "no such clip") for file in captions if file not in set(known_files)]
    kept = _without_repeats(clips, remarks)
    kept = _with_partners(kept, remarks)
    remarks += compared_voices(kept, voices) if voices else compared_pitches(kept)
    pool = [
        Cut(clip.speaker, clip.file, start, cut_seconds) for clip in kept for start in clip.reference_starts
    ]
    targets, to_fill = [], []
    for clip in kept:
        for cut, caption in _captioned(clip, captions.get(clip.file, []), cut_seconds):
            to_fill.append(caption or Caption(cut.file, cut.start, "", "", ""))
            try:
                _check_place(cut, clip)
                targets.append((cut, checked_caption(caption, cut.start, cut_seconds)))
            except LeftOut as left_out:
                remarks.append(Remark(clip.file, left_out.reason, left_out.figures))
    pairs = [
        Pair(cut, reference, caption)
        for cut, caption in targets
        for reference in references_of(cut, pool, references_per_target, seed)
    ]
    return Plan(tuple(pairs), tuple(remarks), tuple(to_fill))


def _without_repeats(clips: Sequence[Clip], remarks: list[Remark]) -> list[Clip]:
    kept: list[Clip] = []
    for clip in clips:
        alike = [(_likeness(clip, other), other) for other in kept]
        highest, other = max(alike, key=lambda item: item[0], default=(0.0, clip))
        if highest >= SAME:
            remarks.append(Remark(clip.file, "duplicate", {"other": other.file, "likeness": highest}))
        else:
            kept.append(clip)
    return kept


def _likeness(a: Clip, b: Clip) -> float:
    return 1.0 if a.digest == b.digest else likeness(a.print, b.print)


def _with_partners(clips: Sequence[Clip], remarks: list[Remark]) -> list[Clip]:
    by_speaker = defaultdict(list)
    for clip in clips:
        by_speaker[clip.speaker].append(clip)
    alone = [clip for found in by_speaker.values() if len(found) == 1 for clip in found]
    remarks += [Remark(clip.file, "single clip", {"speaker": clip.speaker}) for clip in alone]
    return [clip for clip in clips if clip not in alone]


def _captioned(clip: Clip, rows: list[Caption], seconds: float) -> list[tuple[Cut, Caption | None]]:
    """Cuts of a clip: those that captions.csv names by their start, else the planned ones."""
    named = [row for row in rows if row.start is not None]
    if named:
        return [(Cut(clip.speaker, clip.file, row.start or 0.0, seconds), row) for row in named]
    only = rows[0] if rows and len(clip.starts) == 1 else None  # one caption cannot be that of several cuts
    return [(Cut(clip.speaker, clip.file, start, seconds), only) for start in clip.starts]


def _check_place(cut: Cut, clip: Clip) -> None:
    if cut.start + cut.seconds > clip.seconds + 0.01:  # captions.csv has two decimals
        raise LeftOut("caption outside", start=cut.start, seconds=cut.seconds, end=clip.seconds)
