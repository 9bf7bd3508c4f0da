"""Cuts, pairs and what is kept: rules that hold for whatever clips come."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from idlora_core.dataset.cuts import LEAD_FRAMES, least_speech, plan_starts
from idlora_core.dataset.pairs import Cut, overlap, references_of
from idlora_core.dataset.reasons import SENTENCES, Remark
from idlora_core.dataset.store import Store, check_space, key_of

ROOT = Path(__file__).parents[2]
SECONDS = 4.84

stretches = st.lists(st.tuples(st.integers(1, 700), st.booleans()), max_size=12)
cuts = st.builds(
    Cut,
    st.sampled_from(["ann", "bob"]),
    st.sampled_from(["ann/a.mp4", "ann/b.mp4", "bob/a.mp4", "bob/c.mov"]),
    st.floats(0, 60),
    st.just(SECONDS),
)


def spoken_of(stretches) -> torch.Tensor:
    return torch.tensor([value for length, value in stretches for _ in range(length)], dtype=torch.bool)


@given(stretches)
def test_cuts_lie_in_the_clip_hold_speech_and_never_overlap(stretches):
    spoken = spoken_of(stretches)
    starts = plan_starts(spoken, SECONDS)
    assert all(start >= 0 and start + SECONDS <= len(spoken) / 100 + 1e-9 for start in starts)
    assert all(b - a >= SECONDS - 1e-9 for a, b in zip(starts, starts[1:], strict=False))
    for start in starts:
        assert spoken[round(start * 100) : round((start + SECONDS) * 100)].sum() >= 100 * least_speech(
            SECONDS
        )


@given(st.integers(0, 600), st.integers(484, 2000))
def test_leading_silence_is_left_out(silent, speech):
    spoken = spoken_of([(silent, False), (speech, True)])
    assert plan_starts(spoken, SECONDS)[0] == max(silent - LEAD_FRAMES, 0) / 100


def test_a_start_is_taken_from_which_the_cut_also_ends_in_a_pause():
    spoken = spoken_of([(100, True), (30, False), (450, True), (40, False), (300, True)])
    assert plan_starts(spoken, SECONDS)[0] == (130 - LEAD_FRAMES) / 100  # ends at 5.99 s, in the pause


@given(st.lists(cuts, max_size=20, unique_by=lambda cut: cut.name), st.integers(1, 4), st.integers(0, 2**32))
def test_a_reference_is_of_the_same_speaker_from_another_clip_and_never_overlaps(pool, count, seed):
    for target in pool:
        references = references_of(target, pool, count, seed)
        assert all(reference.speaker == target.speaker for reference in references)
        assert all(reference.file != target.file for reference in references)
        assert not any(overlap(reference, target) for reference in references)
        assert references == references_of(target, pool[::-1], count, seed)


@settings(max_examples=30)
@given(st.integers(0, 2**32))
def test_references_are_a_function_of_the_seed_and_outlive_other_clips(seed):
    pool = [Cut("ann", f"ann/{n}.mp4", 0.0, SECONDS) for n in range(8)]
    chosen = references_of(pool[0], pool, 3, seed)
    without_one = [cut for cut in pool if cut not in (chosen[0],)]
    assert references_of(pool[0], without_one, 2, seed) == chosen[1:]


def test_another_seed_gives_other_references():
    pool = [Cut("ann", f"ann/{n}.mp4", 0.0, SECONDS) for n in range(8)]
    assert len({references_of(pool[0], pool, 1, seed)[0] for seed in range(20)}) > 3


@given(cuts, cuts)
def test_names_tell_cuts_apart_and_are_plain(a, b):
    is_same = (a.speaker, a.file, round(a.start * 1000)) == (b.speaker, b.file, round(b.start * 1000))
    assert (a.name == b.name) == is_same
    assert a.name.replace("_", "").isalnum() and a.name.isascii()


def test_every_reason_is_a_sentence_of_its_own():
    assert len(set(SENTENCES.values())) == len(SENTENCES) >= 16
    assert all(text.endswith(".") and "\n" not in text for text in SENTENCES.values())
    assert Remark("a.mp4", "no audio").sentence.startswith("a.mp4: ")


def test_a_key_changes_with_each_part_and_only_then():
    parts = {"source": "a", "start": 0.5, "size": [64, 64], "vae": "v"}
    key = key_of(**parts)
    assert key == key_of(**dict(reversed(parts.items())))
    others = {"source": "b", "start": 0.51, "size": [64, 96], "vae": "w"}
    assert len({key, *(key_of(**{**parts, name: value}) for name, value in others.items())}) == 5


def test_what_is_kept_comes_back_and_a_failed_write_leaves_nothing(tmp_path):
    store = Store(tmp_path / "cache")
    store.keep_tensors("k", {"a": torch.arange(6).reshape(2, 3).T})
    assert torch.equal(store.tensors("k")["a"], torch.arange(6).reshape(2, 3).T)

    def half(part):
        part.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError):
        store.keep_file("x", ".mp4", half)
    assert [path.name for path in store.folder.iterdir()] == ["k.safetensors"]


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.1])
def test_a_killed_run_leaves_whole_files_only(tmp_path, delay):
    program = (
        "import torch; from pathlib import Path; from idlora_core.dataset.store import Store\n"
        f"store = Store(Path({str(tmp_path)!r})); print('up', flush=True)\n"
        "for n in range(10**6): store.keep_tensors(str(n), {'a': torch.full((2**19,), float(n))})\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.readline() == b"up\n"
    while not list(tmp_path.glob("[0-9]*.safetensors")):
        time.sleep(0.01)
    time.sleep(delay)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    store = Store(tmp_path)
    kept = list(tmp_path.iterdir())
    assert kept and all(path.suffix == ".safetensors" for path in kept)
    for path in kept:
        assert torch.equal(store.tensors(path.stem)["a"], torch.full((2**19,), float(path.stem)))


def test_a_disk_that_is_too_small_is_said_before(tmp_path):
    check_space(tmp_path, 0)
    with pytest.raises(ValueError, match=r"needs about .* MB more and the disk .* has .* MB free"):
        check_space(tmp_path, 2**60)
