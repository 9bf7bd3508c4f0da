"""Speech or room noise: the pack's two detectors and Silero's own on labelled meetings and on read speech."""

from typing import Any

import pytest
import torch

from idlora_core.takes.measures import measure_take
from idlora_core.voice import silero
from idlora_core.voice.activity import spoken_frames
from idlora_core.voice.detection import LEAST_SPEECH_SECONDS, speech_frames
from idlora_core.voice.doctor import NOTHING_HEARD
from idlora_core.voice.features import measure_frames
from idlora_core.voice.recording import prepare_recording

RATE = 16_000
HOP = 160
WINDOW_FRAMES = 400  # 4 s


def at_half(sound):
    """Silero as its authors use it: probability above 0.5, per 10 ms."""
    likely = silero.speech_probabilities(sound[0, 0]) > 0.5
    return likely[(torch.arange(sound.shape[-1] // 160) * 160 + 80) // silero.CHUNK]


DETECTORS = {
    "level": lambda sound: spoken_frames(measure_frames(sound, RATE)),
    "silero at 0.5": at_half,
    "speech_frames": lambda sound: speech_frames(sound, RATE),
}


@pytest.fixture(scope="module")
def found(labelled):
    """Detector -> [(found, truth)] of each meeting."""
    return {
        name: [(detect(meeting.sound)[: truth.numel()], truth) for meeting, truth in labelled]
        for name, detect in DETECTORS.items()
    }


def shares(pairs):
    """Frames that are right; speech that is found; the rest that is taken for speech."""
    heard, truth = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    right = (heard == truth).float().mean()
    return right.item(), heard[truth].float().mean().item(), heard[~truth].float().mean().item()


def test_the_network_is_the_authors(assets, labelled):
    authors = torch.jit.load(str(assets / "silero_vad.jit"))
    sound = labelled[0][0].sound[0, 0, : 10 * RATE]
    authors.reset_states()
    chunks = torch.nn.functional.pad(sound, (0, -sound.numel() % silero.CHUNK)).split(silero.CHUNK)
    theirs = torch.tensor([authors(chunk, RATE).item() for chunk in chunks])
    difference = (silero.speech_probabilities(sound) - theirs).abs().max().item()
    print(f"probabilities differ by {difference:.1e} at most")
    assert difference < 1e-5


def test_frames_of_meetings(found, record_property):
    figures = {name: shares(pairs) for name, pairs in found.items()}
    record_property("meetings", figures)
    for name, (right, hits, false) in figures.items():
        print(f"meetings, {name}: right {right:.3f}, speech found {hits:.3f}, taken for speech {false:.3f}")
    ours, level, authors = (figures[name] for name in ("speech_frames", "level", "silero at 0.5"))
    assert ours[0] >= 0.87 and ours[0] > authors[0] and ours[0] > level[0] + 0.1
    assert ours[2] <= 0.03 < level[2]


@pytest.fixture(scope="module")
def windows(labelled):
    """Every 4 s of the meetings, as a recording of its own: where nobody speaks, and where somebody does for a second."""
    quiet, spoken = [], []
    for meeting, truth in labelled:
        for start in range(0, truth.numel() - WINDOW_FRAMES + 1, WINDOW_FRAMES):
            share = truth[start : start + WINDOW_FRAMES].float().mean().item()
            if share == 0 or share >= 0.25:
                sound = meeting.sound[..., HOP * start : HOP * (start + WINDOW_FRAMES)]
                (spoken if share else quiet).append(sound)
    assert len(quiet) >= 20 and len(spoken) >= 60
    return quiet, spoken


def test_the_gate_of_a_take(windows, record_property):
    quiet, spoken = ([measure_take(sound, RATE).is_spoken for sound in part] for part in windows)
    by_level = [spoken_frames(measure_frames(sound, RATE)).sum() / 100 for sound in windows[0]]
    passed = sum(seconds >= LEAST_SPEECH_SECONDS for seconds in by_level)
    record_property("gate", (sum(quiet), len(quiet), sum(spoken), len(spoken)))
    print(
        f"4 s without speech that pass: {sum(quiet)} of {len(quiet)}, by level {passed};"
        f" with speech: {sum(spoken)} of {len(spoken)}"
    )
    assert sum(quiet) <= 0.2 * len(quiet) and passed > 0.9 * len(quiet)
    assert sum(spoken) >= 0.95 * len(spoken)


def test_the_advice_on_a_recording_knows_a_room_without_words(windows, clips, record_property):
    sounds = windows[0], [clip.sound for clip in clips]
    quiet, spoken = (
        [f"{NOTHING_HEARD}." in prepare_recording(sound, RATE).remarks for sound in part] for part in sounds
    )
    record_property("advice", (sum(quiet), len(quiet), sum(spoken), len(spoken)))
    print(
        f"told that nobody speaks: {sum(quiet)} of {len(quiet)} without speech, {sum(spoken)} of {len(spoken)}"
    )
    assert sum(quiet) >= 0.7 * len(quiet) and not any(spoken)


def test_read_speech(clips, record_property):
    """Where everything is speech but pauses, the two agree."""
    read = [clip.sound for clip in clips if clip.speaker in ("austen", "arctic a0007", "arctic a0009")]
    pairs = [(speech_frames(sound, RATE), spoken_frames(measure_frames(sound, RATE))) for sound in read]
    agreed = torch.cat([a[: b.numel()] == b[: a.numel()] for a, b in pairs]).float().mean().item()
    share = torch.cat([a for a, _ in pairs]).float().mean().item()
    record_property("read speech", (agreed, share))
    print(f"read speech: {share:.2f} of the frames, the two detectors agree on {agreed:.3f}")
    assert agreed >= 0.9 and share >= 0.75


@pytest.mark.parametrize("gain_db", [-30, -12, 6])
def test_the_answer_is_the_same_at_any_gain(clips, gain_db):
    sound = clips[0].sound
    assert torch.equal(speech_frames(sound, RATE), speech_frames(sound * 10 ** (gain_db / 20), RATE))


def test_silence_and_noise_are_no_speech():
    noise = 0.1 * torch.randn(1, 2, 4 * RATE, generator=torch.Generator().manual_seed(0))
    for sound in (torch.zeros(1, 2, 4 * RATE), noise, 1e-4 * noise):
        measures = measure_take(sound, RATE)
        assert not measures.is_spoken and measures.onset_seconds is None


def test_the_onset_is_where_the_words_begin(clips):
    sound = clips[-1].sound
    before: Any = measure_take(sound, RATE).onset_seconds
    quiet = 0.001 * torch.randn(1, 1, 2 * RATE, generator=torch.Generator().manual_seed(0))
    after = measure_take(torch.cat([quiet, sound], dim=-1), RATE).onset_seconds
    assert after == pytest.approx(before + 2, abs=0.1)
