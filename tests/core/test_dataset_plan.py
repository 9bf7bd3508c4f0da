"""From clips and captions to pairs: who is paired, who is left out, and what is said of it."""

import zlib

import pytest
import torch

from idlora_core.dataset.analysis import Clip, analysed
from idlora_core.dataset.captions import Caption
from idlora_core.dataset.plan import plan
from idlora_core.dataset.reasons import LeftOut, Remark
from idlora_core.dataset.report import report
from idlora_core.voice_embedding import VoiceEmbedding
from support import recordings

RATE, SECONDS = 16_000, 1.96


@pytest.fixture(scope="module")
def speech(recorded_speech):
    return recordings.read(recorded_speech)[0]


def clip(file: str, digest: str = "", pitch_hz: float | None = 120.0, starts=(0.0, 2.0)) -> Clip:
    generator = torch.Generator().manual_seed(zlib.crc32(file.encode()))
    fingerprint = torch.randn(32, 100, generator=generator)
    speaker = file.partition("/")[0]
    return Clip(speaker, file, 4.0, starts, starts, 3.0, -20.0, pitch_hz, digest or file, fingerprint)


def captions(*files: str, start: float | None = 0.0, speech: str = "Hello.") -> dict[str, list[Caption]]:
    return {file: [Caption(file, start, "A person.", speech, "")] for file in files}


def made(clips, rows, count=1, seed=0):
    return plan(clips, rows, [c.file for c in clips], SECONDS, count, seed)


def reasons(remarks) -> list[tuple[str, str]]:
    return [(remark.file, remark.reason) for remark in remarks]


def test_each_caption_is_a_target_and_any_cut_can_be_a_reference():
    result = made([clip("ann/a.mp4"), clip("ann/b.mp4")], captions("ann/a.mp4"), count=2)
    assert [pair.target.file for pair in result.pairs] == ["ann/a.mp4"] * 2
    assert {pair.reference.start for pair in result.pairs} == {0.0, 2.0}
    assert reasons(result.remarks) == [("ann/b.mp4", "caption missing")] * 2
    assert [(row.file, row.start, row.speech) for row in result.to_fill] == [
        ("ann/a.mp4", 0.0, "Hello."),
        ("ann/b.mp4", 0.0, ""),
        ("ann/b.mp4", 2.0, ""),
    ]


def test_a_caption_without_a_start_is_for_a_clip_of_one_cut():
    clips = [clip("ann/a.mp4", starts=(0.5,)), clip("ann/b.mp4")]
    result = made(clips, captions("ann/a.mp4", "ann/b.mp4", start=None))
    assert [(pair.target.file, pair.target.start) for pair in result.pairs] == [("ann/a.mp4", 0.5)]


def test_repeats_never_form_a_pair_across_speakers_either():
    clips = [clip("ann/a.mp4"), clip("ann/b.mp4"), clip("bob/c.mp4", digest="ann/a.mp4"), clip("bob/d.mp4")]
    result = made(clips, captions(*(c.file for c in clips)))
    assert ("bob/c.mp4", "duplicate") in reasons(result.remarks)
    assert ("bob/d.mp4", "single clip") in reasons(result.remarks)  # c was its only partner
    assert {file for pair in result.pairs for file in (pair.target.file, pair.reference.file)} == {
        "ann/a.mp4",
        "ann/b.mp4",
    }


def test_a_clip_of_another_pitch_is_used_and_named():
    clips = [clip(f"ann/{n}.mp4", pitch_hz=120.0 + n) for n in range(3)] + [clip("ann/x.mp4", pitch_hz=230.0)]
    result = made(clips, captions(*(c.file for c in clips)))
    (remark,) = result.remarks
    assert (remark.file, remark.reason, remark.is_left_out) == ("ann/x.mp4", "another pitch", False)
    assert "230 Hz, that of ann 122 Hz" in remark.sentence and len(result.pairs) == 4


def test_a_caption_must_lie_in_its_clip_and_name_one():
    clips = [clip("ann/a.mp4"), clip("ann/b.mp4")]
    result = made(clips, captions("ann/a.mp4", start=2.5) | captions("ann/c.mp4") | captions("ann/b.mp4"))
    assert reasons(result.remarks) == [("ann/c.mp4", "no such clip"), ("ann/a.mp4", "caption outside")]
    assert [pair.target.file for pair in result.pairs] == ["ann/b.mp4"]


def test_the_report_counts_what_was_made():
    clips = [clip("ann/a.mp4"), clip("ann/b.mp4"), clip("bob/a.mp4")]
    result = made(clips, captions("ann/a.mp4"))
    files = [("ann", "ann/a.mp4"), ("ann", "ann/b.mp4"), ("bob", "bob/a.mp4"), ("bob", "bob/x.mp4")]
    counted = report(clips, files, result, [Remark("bob/x.mp4", "no audio")], 3)
    assert counted.summary == "1 pair of 1 speaker, 2 s of targets from 1 of 4 clips"
    assert [(s.name, s.target_seconds, s.num_used, s.num_clips) for s in counted.speakers] == [
        ("ann", SECONDS, 1, 2),
        ("bob", 0, 0, 2),
    ]
    assert counted.reasons == [("caption missing", 2), ("no audio", 1), ("single clip", 1)]
    assert "bob/x.mp4: it has no sound: ID-LoRA learns from speech." in counted.text.splitlines()


def test_a_clip_is_measured(speech):
    found = analysed("ann", "a.mp4", speech, RATE, 4.0, SECONDS, 15.0)
    assert found.starts == found.reference_starts and len(found.starts) >= 1
    assert found.pitch_hz == pytest.approx(128, abs=3)


def test_picture_that_ends_earlier_shortens_the_clip(speech):
    assert analysed("ann", "a.mp4", speech, RATE, 3.0, SECONDS, 15.0).seconds == 3.0


def test_what_separation_has_emptied_is_no_reference(speech):
    def starts(cleaned):
        return analysed("ann", "a.mp4", speech, RATE, 4.0, SECONDS, 15.0, (cleaned, RATE)).reference_starts

    assert starts(torch.zeros_like(speech)) == ()
    assert starts(speech) != ()


def test_noise_is_looked_for_in_the_cleaned_speech(speech):
    noisy = speech + recordings.noise(speech.shape[-1], 0.6 * recordings.rms(speech))
    with pytest.raises(LeftOut) as left_out:
        analysed("ann", "a.mp4", noisy, RATE, 4.0, SECONDS, 15.0)
    assert left_out.value.reason == "noise"
    assert analysed("ann", "a.mp4", noisy, RATE, 4.0, SECONDS, 15.0, (speech, RATE)).starts


@pytest.mark.parametrize(
    "value, reason", [(float("nan"), "corrupt"), (float("inf"), "corrupt"), (0.0, "silent"), (1e-4, "silent")]
)
def test_sound_that_is_none(value, reason):
    with pytest.raises(LeftOut) as left_out:
        analysed("ann", "a.mp4", torch.full((1, 1, 4 * RATE), value), RATE, 4.0, SECONDS, 15.0)
    assert left_out.value.reason == reason


def test_a_clip_that_sounds_like_another_speaker_is_used_and_named():
    clips = [clip(f"{name}/{n}.mp4") for name in ("ann", "bob") for n in range(3)]
    directions = {"ann": torch.tensor([1.0, 0.1]), "bob": torch.tensor([0.1, 1.0])}
    voices = {c.file: VoiceEmbedding(directions[c.speaker], "some encoder") for c in clips}
    voices["ann/2.mp4"] = VoiceEmbedding(directions["bob"], "some encoder")
    rows = captions(*(c.file for c in clips))
    result = plan(clips, rows, [c.file for c in clips], SECONDS, 1, 0, voices)
    (remark,) = result.remarks
    assert (remark.file, remark.reason, remark.is_left_out) == ("ann/2.mp4", "another voice", False)
    assert "more like bob (1.00) than like ann (0.20)" in remark.sentence and len(result.pairs) == 6


def test_a_clip_unlike_the_others_of_the_only_speaker_is_named():
    clips = [clip(f"ann/{n}.mp4") for n in range(4)]
    voices = {c.file: VoiceEmbedding(torch.tensor([1.0, 0.1]), "some encoder") for c in clips}
    assert not plan(clips, captions(*voices), list(voices), SECONDS, 1, 0, voices).remarks
    voices["ann/3.mp4"] = VoiceEmbedding(torch.tensor([0.1, 1.0]), "some encoder")
    (remark,) = plan(clips, captions(*voices), list(voices), SECONDS, 1, 0, voices).remarks
    assert (remark.file, remark.reason) == ("ann/3.mp4", "unlike the others")
