"""What is exported, read back by readers written from each trainer's description of its format."""

import importlib
import json
import re
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from idlora_core.dataset.exports import AUTHORS, CLIPS, export
from idlora_core.dataset.manifest import Dataset, Sample, read_dataset, required_consent
from idlora_core.dataset.trainer_files import TARGETS

tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

CONSENT = "Ann Example agreed on 3 May 2026 to this training."


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    samples = tuple(
        Sample(f"ann_{n}", "ann", f"ann/{n}.mp4", 0.5, "ann/9.mp4", 1.0, f'[SPEECH]: "Line" {n}.', *"vartcs")
        for n in range(2)
    )
    dataset = Dataset(tmp_path / 'my "set"', 64, 96, 121, 7, CONSENT, samples)
    dataset.folder.mkdir()
    store = dataset.store
    store.keep_tensors("v", {"latent": torch.randn(1, 128, 16, 3, 2)})
    store.keep_tensors("a", {"latent": torch.randn(1, 8, 122, 16)})
    store.keep_tensors("r", {"latent": torch.randn(1, 8, 99, 16), "seconds": torch.tensor(3.9)})
    text = {name: torch.randn(37, width).bfloat16() for name, width in (("video", 64), ("audio", 32))}
    store.keep_tensors("t", text)
    store.keep_file("c", ".mp4", lambda part: part.write_bytes(b"clip"))
    store.keep_file("s", ".wav", lambda part: part.write_bytes(b"reference"))
    dataset.save()
    return dataset


def read_as_the_authors_do(root: Path, sources: list[str]) -> list[dict]:
    """Files are found by those in latents/, and each has one of the same relative path in every other folder."""
    found = sorted((root / "latents").glob("**/*.pt"))
    names = [path.relative_to(root / "latents") for path in found]
    return [{s: torch.load(root / s / name, weights_only=True) for s in sources} for name in names]


def test_the_authors_layout(dataset):
    folder = export(dataset, AUTHORS)
    config = yaml.safe_load((folder / "training.yaml").read_text("utf-8"))
    root = Path(config["data"]["preprocessed_data_root"])
    strategy = config["training_strategy"]
    sources = [
        "latents",
        "conditions",
        strategy["audio_latents_dir"],
        strategy["reference_audio_latents_dir"],
    ]
    samples = read_as_the_authors_do(root, sources)
    assert root == folder.resolve() and len(samples) == 2
    for sample in samples:
        latents = sample["latents"]
        assert torch.equal(latents["latents"], dataset.store.tensors("v")["latent"][0].bfloat16())
        sizes = [latents[name] for name in ("num_frames", "height", "width", "fps")]
        assert sizes == [16, 3, 2, 25.0] and list(latents["latents"].shape) == [128, 16, 3, 2]
        audio, reference = sample["audio_latents"], sample["reference_audio_latents"]
        assert torch.equal(audio["latents"], dataset.store.tensors("a")["latent"][0])
        assert (audio["num_time_steps"], audio["frequency_bins"], audio["duration"]) == (122, 16, 4.84)
        assert (reference["num_time_steps"], reference["duration"]) == (99, pytest.approx(3.9))
        text, mask = sample["conditions"], sample["conditions"]["prompt_attention_mask"]
        assert text["video_prompt_embeds"].shape == (1024, 64) and text["audio_prompt_embeds"].shape == (
            1024,
            32,
        )
        assert mask.tolist() == [0] * (1024 - 37) + [1] * 37  # they turn it into (mask - 1) * largest
        for name in ("video", "audio"):
            assert torch.equal(text[f"{name}_prompt_embeds"][mask.bool()], dataset.store.tensors("t")[name])
    assert config["lora"]["rank"] == config["lora"]["alpha"] == 128
    assert sorted(config["lora"]["target_modules"]) == sorted(TARGETS) and len(set(TARGETS)) == 18
    assert config["validation"]["video_dims"] == [64, 96, 121]


def test_ltx_2_has_one_text_for_both_streams(dataset):
    embeds = torch.randn(1100, 48).bfloat16()  # longer than their 1024: the next multiple of 128
    dataset.store.keep_tensors("t", {"video": embeds, "audio": embeds.clone()})
    conditions = torch.load(export(dataset, AUTHORS) / "conditions" / "ann_0.pt", weights_only=True)
    assert (
        conditions["prompt_embeds"].shape == (1152, 48) and conditions["prompt_attention_mask"].sum() == 1100
    )
    assert torch.equal(conditions["prompt_embeds"], conditions["audio_prompt_embeds"])


def test_musubis_layout(dataset):
    folder = export(dataset, CLIPS)
    config = tomllib.loads((folder / "musubi.toml").read_text("utf-8"))
    (source,) = config["datasets"]
    videos, references = Path(source["video_directory"]), Path(source["reference_audio_directory"])
    assert sorted(path.stem for path in videos.glob("*.mp4")) == ["ann_0", "ann_1"]
    for video in videos.glob("*.mp4"):
        assert video.read_bytes() == b"clip"
        assert (references / f"{video.stem}.wav").read_bytes() == b"reference"  # matched by stem
        assert video.with_suffix(config["general"]["caption_extension"]).read_text() == (
            f'[SPEECH]: "Line" {video.stem[-1]}.'
        )
    assert source["target_frames"] == [121] and config["general"]["resolution"] == [64, 96]
    assert config["general"]["cache_directory"] != config["general"]["reference_audio_cache_directory"]


def test_musubis_commands_name_the_toml_and_the_recipe(dataset):
    text = (export(dataset, CLIPS) / "musubi_commands.sh").read_text("utf-8")
    for command in re.findall(r"^(?:python|accelerate).*(?:\n  .*)*", text, re.MULTILINE):
        words = shlex.split(command.replace("\\\n", " "))
        assert words[words.index("--dataset_config") + 1] == "$DATASET" and "--ltx2_mode" in words
    assert "--lora_target_preset audio_ref_ic" in text and "--network_dim 128" in text


def test_metadata_for_ltx_trainer(dataset):
    folder = export(dataset, CLIPS)
    rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text("utf-8").splitlines()]
    assert [row["caption"] for row in rows] == [sample.prompt for sample in dataset.samples]
    for row in rows:  # paths are relative to the file
        assert (folder / row["video"]).read_bytes() == b"clip"
        assert (folder / row["reference_audio"]).read_bytes() == b"reference"


@pytest.mark.parametrize("kind", [AUTHORS, CLIPS])
def test_consent_travels_and_what_is_up_to_date_stays(dataset, kind):
    folder = export(dataset, kind)
    assert CONSENT in (folder / "CONSENT.txt").read_text("utf-8")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    export(dataset, kind)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    fewer = replace(dataset, samples=dataset.samples[:1])
    export(fewer, kind)
    assert len(list(folder.rglob("ann_1*"))) == 0 < len(list(folder.rglob("ann_0*")))
    assert [path.name for path in dataset.folder.glob(".*")] == []


def test_a_dataset_is_read_again(dataset):
    assert read_dataset(dataset.folder) == dataset
    assert CONSENT in (dataset.folder / "CONSENT.txt").read_text("utf-8")


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"format": 9, "frame_rate": 25.0}'])
def test_what_is_no_dataset_is_one_sentence(tmp_path, content):
    if content is not None:
        (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(ValueError, match="does not hold a dataset") as error:
        read_dataset(tmp_path)
    assert str(error.value).endswith(".")


@pytest.mark.parametrize("text, words", [("  \n", "consent field is empty"), ("x" * 5000, "at most 4000")])
def test_consent_is_required(text, words):
    with pytest.raises(ValueError, match=words):
        required_consent(text)
