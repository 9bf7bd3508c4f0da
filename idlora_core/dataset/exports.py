"""The layouts that trainers read: that of ID-LoRA's authors, and folders of clips for musubi-tuner and ltx-trainer."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from .manifest import FRAME_RATE, Dataset, Sample, save_consent
from .trainer_files import AUTHORS_YAML, MUSUBI_COMMANDS, MUSUBI_TOML

AUTHORS, CLIPS = "authors", "clips"
EXPORTS = {
    "all": (AUTHORS, CLIPS),
    "ID-LoRA authors": (AUTHORS,),
    "musubi-tuner, ltx-trainer": (CLIPS,),
    "none": (),
}
COMPLETE = "complete.txt"
TEXT_TOKENS, TEXT_STEP = 1024, 128
"""Their text is padded to 1024 tokens; the connector's registers want a multiple of 128."""


def export(dataset: Dataset, kind: str) -> Path:
    """Write one layout beside the dataset, whole or not at all; one that is up to date stays as it is.

    Args:
        kind: `authors` or `clips`.

    Returns:
        its folder.
    """
    folder, part = dataset.folder / kind, dataset.folder / f".{kind}.part"
    complete = folder / COMPLETE
    if complete.exists() and complete.read_text("utf-8") == dataset.digest:
        return folder
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    write: dict[str, Callable[[Dataset, Path, Path], None]] = {AUTHORS: _authors, CLIPS: _clips}
    write[kind](dataset, part, folder)
    save_consent(part, dataset.consent)
    (part / COMPLETE).write_text(dataset.digest, "utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(part, folder)
    return folder


def _authors(dataset: Dataset, part: Path, folder: Path) -> None:
    """`.pt` files of equal names in four folders, and the configuration.

    Source:
        PrecomputedDataset and process_*.py of the authors' repository, 399bf3e.
    """
    store, seconds = dataset.store, dataset.num_frames / FRAME_RATE
    for name in ("latents", "audio_latents", "reference_audio_latents", "conditions"):
        (part / name).mkdir()
    for sample in dataset.samples:
        video = store.tensors(sample.video)["latent"][0].to(torch.bfloat16)
        sizes = dict(zip(("num_frames", "height", "width"), video.shape[1:], strict=True))
        file = f"{sample.name}.pt"
        torch.save({"latents": video, **sizes, "fps": FRAME_RATE}, part / "latents" / file)
        audio, reference = store.tensors(sample.audio), store.tensors(sample.reference)
        torch.save(_audio(audio["latent"], seconds), part / "audio_latents" / file)
        torch.save(
            _audio(reference["latent"], reference["seconds"].item()), part / "reference_audio_latents" / file
        )
        torch.save(_conditions(store.tensors(sample.text)), part / "conditions" / file)
    config = AUTHORS_YAML.format(
        root=_quoted(folder), width=dataset.width, height=dataset.height, frames=dataset.num_frames
    )
    (part / "training.yaml").write_text(config, "utf-8")


def _audio(latent: Tensor, seconds: float) -> dict[str, Tensor | int | float]:
    """(1, 8, T, 16) as their audio files have it."""
    time_steps, bins = latent.shape[2:]
    return {
        "latents": latent[0].float(),
        "num_time_steps": time_steps,
        "frequency_bins": bins,
        "duration": seconds,
    }


def _conditions(text: dict[str, Tensor]) -> dict[str, Tensor]:
    """Text embeddings before the connectors, (N, width) each, padded on the left."""
    tokens = text["video"].shape[0]
    length = max(TEXT_TOKENS, -(-tokens // TEXT_STEP) * TEXT_STEP)

    def padded(embeds: Tensor) -> Tensor:
        return F.pad(embeds, (0, 0, length - tokens, 0)).contiguous()

    mask = F.pad(torch.ones(tokens, dtype=torch.int64), (length - tokens, 0))
    video, audio = padded(text["video"]), padded(text["audio"])
    conditions = {"video_prompt_embeds": video, "audio_prompt_embeds": audio, "prompt_attention_mask": mask}
    if torch.equal(video, audio):  # LTX-2, whose trainer reads one
        conditions["prompt_embeds"] = video
    return conditions


def _clips(dataset: Dataset, part: Path, folder: Path) -> None:
    """Clips, references and captions of equal stems; TOML and commands for musubi-tuner, metadata.jsonl for ltx-trainer.

    Source:
        docs/ltx_2.md of musubi-tuner, branch ltx-2; docs/dataset-preparation.md of Lightricks' ltx-trainer.
    """
    store = dataset.store
    (part / "videos").mkdir()
    (part / "reference_audio").mkdir()
    rows = []
    for sample in dataset.samples:
        video, reference = f"videos/{sample.name}.mp4", f"reference_audio/{sample.name}.wav"
        _link(store.path(sample.clip, ".mp4"), part / video)
        _link(store.path(sample.reference_sound, ".wav"), part / reference)
        (part / "videos" / f"{sample.name}.txt").write_text(sample.prompt, "utf-8")
        rows.append(_row(sample, video, reference))
    (part / "metadata.jsonl").write_text("".join(f"{row}\n" for row in rows), "utf-8")
    values = {"width": dataset.width, "height": dataset.height, "frames": dataset.num_frames}
    names = ("videos", "reference_audio", "cache", "cache_reference_audio")
    paths = {name: _quoted(folder / name) for name in names}
    (part / "musubi.toml").write_text(MUSUBI_TOML.format(**values, **paths), "utf-8")
    (part / "musubi_commands.sh").write_text(MUSUBI_COMMANDS.format(toml=folder / "musubi.toml"), "utf-8")


def _row(sample: Sample, video: str, reference: str) -> str:
    return json.dumps(
        {"caption": sample.prompt, "video": video, "reference_audio": reference}, ensure_ascii=False
    )


def _quoted(path: Path) -> str:
    """As a string of TOML and of YAML."""
    return json.dumps(path.resolve().as_posix(), ensure_ascii=False)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # no hard links, as on FAT and some network drives
        shutil.copyfile(source, target)
