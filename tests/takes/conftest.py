"""Real weights and real speech, and the clips that are cut from it."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from idlora_core.voice.waveform import resampled
from support import given, in_process, recordings

in_process.import_all()

RATE = 16_000
LEAST_SECONDS, MOST_SECONDS = 3.0, 5.0
READERS = {"dickens": "dickens.wav", "beckett": "beckett.wav", "arctic a0009": "arctic_a0009.wav"}


@dataclass(frozen=True)
class Clip:
    """A stretch in which one person speaks: (1, 1, N) at 16 kHz."""

    speaker: str
    file: str
    sound: Tensor


@dataclass(frozen=True)
class Meeting:
    """A labelled recording; each label is start and end in seconds and a speaker."""

    name: str
    sound: Tensor
    labels: tuple[tuple[float, float, str], ...]


@pytest.fixture(scope="session")
def assets() -> Path:
    return given.path("IDLORA_TAKES")


@pytest.fixture(scope="session")
def meetings(assets: Path) -> list[Meeting]:
    """AMI meetings and a telephone call, half a minute each, with who speaks when."""
    labels: dict[str, list] = {}
    for file in sorted((assets / "meetings").glob("*.rttm")):
        for line in file.read_text(encoding="utf-8").splitlines():
            _, name, _, start, seconds, _, _, speaker, *_ = line.split()
            labels.setdefault(name, []).append((float(start), float(start) + float(seconds), speaker))
    files = {file.stem: file for file in (assets / "meetings").glob("*.wav")}
    return [Meeting(name, read(files[name]), tuple(labels[name])) for name in sorted(labels) if name in files]


@pytest.fixture(scope="session")
def clips(assets: Path, meetings: list[Meeting], recorded_speech: Path) -> list[Clip]:
    """Stretches of 3 to 5 s with one speaker each; two sentences of CMU ARCTIC count as two speakers."""
    found = [clip for meeting in meetings for clip in _alone(meeting)]
    files = [("austen", file) for file in sorted((assets / "read" / "austen").glob("*.wav"))]
    files += [(reader, assets / "read" / name) for reader, name in READERS.items()]
    for reader, file in [*files, ("arctic a0007", recorded_speech)]:
        sound = read(file)
        whole = sound.shape[-1] / RATE
        starts = [MOST_SECONDS * n for n in range(8) if whole - MOST_SECONDS * n >= LEAST_SECONDS - 0.15]
        found += [
            Clip(reader, file.stem, _cut(sound, start, min(start + MOST_SECONDS, whole))) for start in starts
        ]
    counts = Counter(clip.speaker for clip in found)
    assert len(found) >= 48 and len(counts) >= 14, counts
    return found


def read(file: Path) -> Tensor:
    """(1, 1, N) at 16 kHz."""
    sound, rate = recordings.read(file)
    return resampled(sound, rate, RATE)


def _cut(sound: Tensor, start: float, end: float) -> Tensor:
    return sound[..., round(start * RATE) : round(end * RATE)]


def _alone(meeting: Meeting) -> list[Clip]:
    """Where a labelled speaker is the only one, in pieces of 3 to 5 s."""
    found = []
    for label in meeting.labels:
        for start, end in _without_others(label, meeting):
            while end - start >= LEAST_SECONDS:
                left = end - start
                length = MOST_SECONDS if left >= 8 else left if left <= MOST_SECONDS else left / 2
                found.append(Clip(label[2], meeting.name, _cut(meeting.sound, start, start + length)))
                start += length
    return found


def _without_others(label: tuple[float, float, str], meeting: Meeting) -> list[tuple[float, float]]:
    parts = [label[:2]]
    for other in meeting.labels:
        if other != label:
            cut = [((a, min(b, other[0])), (max(a, other[1]), b)) for a, b in parts]
            parts = [part for pair in cut for part in pair if part[1] - part[0] > 0.2]
    return parts


@pytest.fixture(scope="session")
def labelled(meetings: list[Meeting]) -> list[tuple[Meeting, Tensor]]:
    """The meetings with their labels as (F,) bool, one per 10 ms."""
    found = []
    for meeting in meetings:
        truth = torch.zeros(meeting.sound.shape[-1] * 100 // RATE, dtype=torch.bool)
        for start, end, _ in meeting.labels:
            truth[int(start * 100) : int(end * 100)] = True
        found.append((meeting, truth))
    return found
