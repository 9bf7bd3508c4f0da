"""Which cut is the reference of which: the same speaker, another clip, the same choice for a seed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cut:
    """A stretch of a clip: [start, start + seconds)."""

    speaker: str
    file: str
    start: float
    seconds: float

    @property
    def name(self) -> str:
        """Unlike that of any other cut; also a file's name."""
        mark = hashlib.sha256(f"{self.speaker}/{self.file}".encode()).hexdigest()[:6]
        stem = self.file.rpartition("/")[2].rpartition(".")[0]
        plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in f"{self.speaker}_{stem}")[:60]
        return f"{plain}_{mark}_{round(self.start * 1000):08d}"


def overlap(a: Cut, b: Cut) -> bool:
    """Whether two cuts share a moment of one clip."""
    return a.file == b.file and a.start < b.start + b.seconds and b.start < a.start + a.seconds


def references_of(target: Cut, cuts: Sequence[Cut], count: int, seed: int) -> list[Cut]:
    """Up to `count` references of a target, in an order that looks random and depends on seed and names alone.

    Of the same speaker and never of the target's own clip, so that they cannot overlap it. Other clips come and go
    without changing the order of those that stay.
    """
    others = [cut for cut in cuts if cut.speaker == target.speaker and cut.file != target.file]
    return sorted(others, key=lambda cut: _draw(seed, target, cut))[:count]


def _draw(seed: int, target: Cut, reference: Cut) -> str:
    text = f"{seed}\n{target.name}\n{reference.name}"
    return hashlib.sha256(text.encode()).hexdigest()
