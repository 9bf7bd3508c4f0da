"""ID-LoRA Dataset in a real host: two synthetic speakers, bad clips, a second run, an interrupted one."""

import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageColor
from safetensors.torch import load_file

from dev_setup.versions import ROOT
from support import clips
from support.host_client import ExecutionFailed, failure
from support.small_graph import CHECKPOINT, GRAPH
from support.video import read_video

CONSENT = "Both speakers are made up."
SECONDS = 1.96
NODE: dict[str, Any] = {
    "clips": "people",
    "name": "people",
    "consent": CONSENT,
    "video_vae": ["model", 2],
    "audio_vae": ["audio_vae", 0],
    "clip": ["clip", 0],
    "exports": "none",
    "width": 64,
    "height": 64,
    "length": 49,
    "pairing_seed": 3,
}


def graph(**changes: Any):
    nodes = {name: GRAPH[name] for name in ("model", "audio_vae", "clip")}
    text = {"class_type": "PreviewAny", "inputs": {"source": ["dataset", 1]}}
    return {**nodes, "dataset": {"class_type": "LTXIDLoRA_Dataset", "inputs": NODE | changes}, "text": text}


def report_of(entry) -> list[str]:
    return entry["outputs"]["text"]["text"][0].splitlines()


@pytest.fixture(scope="module")
def voices(recorded_speech):
    example = ROOT / "workflows" / "assets" / "idlora_voice.flac"
    return clips.at_16_khz(recorded_speech), clips.at_16_khz(example)


@pytest.fixture(scope="module")
def people(studio, voices) -> Path:
    folder = studio.input_dir / "people"
    for file, waveform in clips.speakers(*voices).items():
        clips.write_clip(folder / file, waveform)
    write_captions(folder, "Good morning.")
    return folder


def write_captions(folder: Path, first: str) -> None:
    rows = ["file,start,visual,speech,sounds", f'ann/one.mp4,0.26,"A woman, near.",{first},A quiet room.']
    rows += ["ann/two.mp4,,A woman.,Good evening.,", "bob/one.mp4,0.15,A man.,Good night.,"]
    rows += ["bob/one.mp4,2.11,A man.,See you.,", "bob/two.mp4,0.16,A man.,So long.,"]
    (folder / "captions.csv").write_text("\n".join(rows), "utf-8")


@pytest.fixture(scope="module")
def made(studio, people):
    """History entry, dataset.json and folder of a first run with all exports."""
    entry = studio.run(graph(exports="all"))
    folder = studio.output_dir / "idlora_datasets" / "people"
    return entry, json.loads((folder / "dataset.json").read_text("utf-8")), folder


def test_two_speakers_become_pairs(made):
    entry, dataset, folder = made
    assert report_of(entry)[0].startswith("5 pairs of 2 speakers, 10 s of targets from 4 of 4 clips; ")
    samples = dataset["samples"]
    assert len(samples) == len({sample["name"] for sample in samples}) == 5
    assert all(sample["target"] != sample["source"] for sample in samples)
    assert all(sample["target"].split("/")[0] == sample["source"].split("/")[0] for sample in samples)
    first = samples[0]
    assert first["prompt"] == "[VISUAL]: A woman, near. [SPEECH]: Good morning. [SOUNDS]: A quiet room."
    tensors = {
        kind: load_file(folder / "cache" / f"{first[kind]}.safetensors")
        for kind in ("video", "audio", "reference", "text")
    }
    assert tensors["video"]["latent"].shape == (1, 128, 7, 2, 2)
    assert tensors["audio"]["latent"].shape == (1, 8, 50, 16)  # 1.96 s: 49, and the encoder's last one
    assert tensors["reference"]["latent"].shape[2] <= 50 and tensors["reference"]["seconds"] <= SECONDS + 0.01
    assert tensors["text"]["video"].shape[0] == tensors["text"]["audio"].shape[0] > 5
    assert tensors["text"]["video"].dtype == torch.bfloat16
    assert dataset["consent"] == CONSENT


def test_the_report_is_drawn(studio, made):
    (picture,) = made[0]["outputs"]["dataset"]["images"]
    assert picture["type"] == "temp"
    image = Image.open(studio.work_dir / "temp" / picture["filename"]).convert("RGB")
    colours = {colour for _, colour in image.getcolors(maxcolors=2**20) or ()}
    assert (
        image.width == 720
        and {ImageColor.getrgb(name) for name in ("#4fc3b0", "#66707e", "#eef1f5")} <= colours
    )


def test_what_trainers_are_given_holds_the_cut(made):
    _, dataset, folder = made
    sample = dataset["samples"][3]
    assert (sample["target"], sample["target_start"]) == ("bob/one.mp4", 2.11)
    video = read_video(folder / "clips" / "videos" / f"{sample['name']}.mp4")
    assert (video.width, video.height, video.num_frames, video.frame_rate) == (64, 64, 49, 25)
    assert video.audio_seconds == pytest.approx(SECONDS, abs=1e-3)
    data = torch.load(folder / "authors" / "latents" / f"{sample['name']}.pt", weights_only=True)
    assert data["latents"].shape == (128, 7, 2, 2)
    for kind in ("authors", "clips"):
        assert CONSENT in (folder / kind / "CONSENT.txt").read_text("utf-8")


def test_a_second_run_encodes_nothing_and_a_changed_caption_one_text(studio, made, people):
    _, dataset, folder = made

    def files():
        return {path.name: path.stat().st_mtime_ns for path in (folder / "cache").iterdir()}

    before = files()
    (people / "captions.csv").touch()
    assert report_of(studio.run(graph(exports="all")))[0].endswith("; 0 encoded now.")
    assert files() == before
    write_captions(people, "Good afternoon.")
    assert report_of(studio.run(graph(exports="all")))[0].endswith("; 1 encoded now.")
    after = files()
    assert {name: after[name] for name in before} == before and len(after) == len(before) + 1
    assert json.loads((folder / "dataset.json").read_text("utf-8"))["samples"][1:] == dataset["samples"][1:]
    write_captions(people, "Good morning.")


def test_another_vae_encodes_again_what_came_from_it(studio, made):
    _, dataset, folder = made
    other = graph()
    other["other"] = {"class_type": "LTXVAudioVAELoader", "inputs": {"ckpt_name": "small_ltx20.safetensors"}}
    assert CHECKPOINT != "small_ltx20.safetensors"
    other["dataset"]["inputs"]["audio_vae"] = ["other", 0]
    studio.run(other)
    changed = json.loads((folder / "dataset.json").read_text("utf-8"))["samples"]
    for old, new in zip(dataset["samples"], changed, strict=True):
        assert (old["video"], old["text"], old["clip"]) == (new["video"], new["text"], new["clip"])
        assert old["audio"] != new["audio"] and old["reference"] != new["reference"]


def test_every_bad_clip_is_named_with_its_own_sentence_and_the_run_goes_on(studio, voices):
    folder = studio.input_dir / "mixed"
    said = clips.write_bad_clips(folder, *voices)
    rows = ["file,start,visual,speech,sounds", "x/gone.mp4,,,Hello.,"]
    rows += [
        f"{file},0.3,A person.,{'word ' * 40 if 'many' in file else 'Hello.'},"
        for file in said
        if "no_words" not in file
    ]
    (folder / "captions.csv").write_text("\n".join(rows), "utf-8")
    lines = report_of(studio.run(graph(clips="mixed", name="mixed")))
    for file, words in said.items():
        sentences = [line for line in lines if line.startswith(f"{file}: ")]
        assert [words in sentence and sentence.endswith(".") for sentence in sentences] == [True], (
            file,
            sentences,
        )
    assert "x/gone.mp4: captions.csv names it, and there is no such clip." in lines
    used = {"x/phone.mp4", "x/odd.mkv", "x/short_sound.mp4"}
    samples = json.loads((studio.output_dir / "idlora_datasets/mixed/dataset.json").read_text("utf-8"))[
        "samples"
    ]
    assert {sample["target"] for sample in samples} == used
    to_fill = (studio.output_dir / "idlora_datasets/mixed/captions_to_fill.csv").read_text("utf-8")
    assert re.search(r"^x/no_words.mp4,0\.\d\d,,,$", to_fill, re.MULTILINE)


def test_cleaned_speech_is_the_reference_and_frees_a_noisy_clip(studio, people, voices):
    noisy, cleaned = studio.input_dir / "noisy", studio.input_dir / "noisy_cleaned"
    for file, waveform in clips.speakers(*voices).items():
        noise = 0.1 * torch.randn(waveform.shape, generator=torch.Generator().manual_seed(1))
        clips.write_clip(noisy / file, waveform + noise)
        clips.write_clip((cleaned / file).with_suffix(".mov"), waveform)
    shutil.copy(people / "captions.csv", noisy)
    without = report_of(studio.run(graph(clips="noisy", name="noisy")))
    assert sum("dB below the speech" in line for line in without) == 4
    entry = studio.run(graph(clips="noisy", name="noisy", cleaned_speech="noisy_cleaned"))
    assert report_of(entry)[0].startswith("5 pairs of 2 speakers")


def test_an_interrupted_run_is_taken_up(studio, made, people):
    folder = studio.output_dir / "idlora_datasets" / "again"
    prompt_id = studio.post_prompt(graph(name="again", references_per_target=2))
    deadline = time.monotonic() + 120
    while not list((folder / "cache").glob("[0-9a-f]*.safetensors")) and time.monotonic() < deadline:
        time.sleep(0.01)
    studio.interrupt()
    entry = studio.wait(prompt_id, timeout=120)
    assert (failure(entry) or "").startswith("Interrupted in LTXIDLoRA_Dataset")
    kept = len(list((folder / "cache").iterdir()))
    assert kept > 0 and not (folder / "dataset.json").exists()
    encoded = report_of(studio.run(graph(name="again", references_per_target=2)))[0]
    total = len(list((folder / "cache").iterdir()))
    assert encoded.endswith(f"; {total - kept} encoded now.") and total > kept


REFUSED = {
    "no consent": ({"consent": " "}, "The consent field is empty"),
    "no such folder": ({"clips": "nowhere"}, "clips is 'nowhere', which is not a folder"),
    "nobody's folder": ({"clips": "~nobody_at_all/x"}, "clips is '~nobody_at_all/x', which is not a folder"),
    "no folder": ({"clips": ""}, "clips is '', which is not a folder"),
    "no cleaned folder": ({"cleaned_speech": "nowhere"}, "cleaned_speech is 'nowhere'"),
    "no clips": ({"clips": "empty"}, "There are no clips in"),
    "a path as name": ({"name": "../x"}, "name is '../x'"),
    "length": ({"length": 50}, "LTX-2 makes 8n + 1 frames: use 49 or 57"),
    "video VAE": ({"video_vae": ["audio_vae", 0]}, "video VAE socket got AudioVAE"),
    "audio VAE": ({"audio_vae": ["model", 2]}, "audio VAE socket got VideoVAE"),
    "CLIP": ({"clip": ["model", 1]}, "CLIP"),
}


@pytest.mark.parametrize("changes, words", REFUSED.values(), ids=list(REFUSED))
def test_what_is_wrong_with_the_graph_is_one_sentence(studio, people, changes, words):
    (studio.input_dir / "empty").mkdir(exist_ok=True)
    with pytest.raises(ExecutionFailed) as error:
        studio.run(graph(**changes))
    assert words in str(error.value) and "\n" not in str(error.value).strip()


def test_captions_that_cannot_be_read_stop_the_run(studio, voices):
    folder = studio.input_dir / "unreadable"
    clips.write_clip(folder / "a.mp4", voices[0])
    (folder / "captions.csv").write_bytes("file,speech\na.mp4,Gr\xfc\xdfe\n".encode("latin-1"))
    with pytest.raises(ExecutionFailed, match="is not UTF-8"):
        studio.run(graph(clips="unreadable"))
