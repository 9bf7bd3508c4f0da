"""Whether a folder of clips holds one person, with Resemblyzer's real weights: a stray clip is named, right ones are not."""

from collections import defaultdict
from itertools import permutations

import pytest
import torch

from idlora_core.dataset.analysis import Clip
from idlora_core.dataset.same_speaker import compared_voices
from idlora_core.takes.voice_encoder import encoder_of

RATE = 16_000
LEAST_CLIPS = 4


@pytest.fixture(scope="module")
def folders(assets, clips):
    """Clips of each speaker who has four and more, and all voices by file."""
    content = torch.load(assets / "metrics" / "pretrained.pt", map_location="cpu", weights_only=True)
    encoder = encoder_of(content, "pretrained.pt")
    by_speaker, voices = defaultdict(list), {}
    for number, clip in enumerate(clips):
        by_speaker[clip.speaker].append(f"{number}.mp4")
        voices[f"{number}.mp4"] = encoder.embed(clip.sound, RATE)
    return {name: files for name, files in by_speaker.items() if len(files) >= LEAST_CLIPS}, voices


def named(folders: dict[str, list[str]], voices) -> set[str]:
    """Files that are remarked on when these are the folders."""
    clips = [
        Clip(speaker, file, 5.0, (0.0,), (0.0,), 5.0, -20.0, None, file, torch.zeros(32, 1))
        for speaker, files in folders.items()
        for file in files
    ]
    return {remark.file for remark in compared_voices(clips, voices)}


def test_a_stray_clip_is_named_beside_its_own_speakers_folder(folders, record_property):
    speakers, voices = folders
    wrong = named(speakers, voices)
    strays = found = 0
    for home, away in permutations(speakers, 2):
        for file in speakers[home][:2]:
            mixed = {
                **speakers,
                home: [f for f in speakers[home] if f != file],
                away: [*speakers[away], file],
            }
            strays, found = strays + 1, found + (file in named(mixed, voices))
    total = sum(map(len, speakers.values()))
    record_property("strays", (found, strays, len(wrong), total))
    print(f"{len(speakers)} speakers: {found} of {strays} strays named, {len(wrong)} of {total} right clips")
    assert found >= 0.95 * strays and len(wrong) <= 0.03 * total


def test_a_stray_clip_is_named_in_the_only_folder(folders, record_property):
    speakers, voices = folders
    strays = found = wrong = total = 0
    for home, away in permutations(speakers, 2):
        for file in speakers[home][:2]:
            remarks = named({away: [*speakers[away], file]}, voices)
            strays, found = strays + 1, found + (file in remarks)
            wrong, total = wrong + len(remarks - {file}), total + len(speakers[away])
    record_property("strays", (found, strays, wrong, total))
    print(f"{found} of {strays} strays named, {wrong} of {total} right clips")
    assert found >= 0.6 * strays and wrong <= 0.03 * total
