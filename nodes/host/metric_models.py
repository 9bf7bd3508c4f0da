"""Model files that measure a take: looked for in one folder, never downloaded, loaded by the host's own libraries."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

import comfy.utils
import folder_paths
from torch import Tensor

from ...idlora_core.options import shown
from ...idlora_core.takes.voice_encoder import encoder_of
from ...idlora_core.voice_embedding import VoiceEmbedding

FOLDER = "idlora_metrics"
AUTO, OFF = "first found", "off"
Kind = Literal["voice", "words"]
# `model_type` of a transformers folder's config.json -> what it measures
MODEL_TYPES: dict[str, Kind] = {"wavlm": "voice", "whisper": "words", "moonshine": "words"}
WEIGHT_SUFFIXES = (".pt", ".pth", ".safetensors")
MAX_CONFIG_BYTES = 1_000_000
MISSING = {
    "voice": (
        f"Voice not measured: put pretrained.pt of the Python package Resemblyzer, or a folder such as"
        f" wavlm-base-plus-sv, in models/{FOLDER}."
    ),
    "words": f"Words not measured: put a folder with Whisper, such as whisper-large-v3, in models/{FOLDER}.",
}


class Encoder(Protocol):
    noise_band: float

    def embed(self, waveform: Tensor, sample_rate: int) -> VoiceEmbedding: ...


class Recogniser(Protocol):
    name: str

    def heard(self, waveform: Tensor, sample_rate: int) -> str: ...


@dataclass(frozen=True)
class MetricModel:
    name: str
    kind: Kind
    path: Path
    model_type: str = ""


def register_folder() -> None:
    """Make the key known to the host, behind what a user's extra_model_paths.yaml says for it."""
    folder_paths.add_model_folder_path(FOLDER, str(Path(folder_paths.models_dir) / FOLDER))


def metric_models() -> list[MetricModel]:
    """What is in the folders of the key `idlora_metrics`, by name: weights files, and transformers folders."""
    register_folder()
    entries: dict[str, MetricModel] = {}
    for folder in folder_paths.get_folder_paths(FOLDER):
        for path in sorted(Path(folder).iterdir()) if Path(folder).is_dir() else []:
            model = _metric_model(path)
            if model is not None:
                entries.setdefault(model.name, model)
    return list(entries.values())


def choices(kind: Kind) -> list[str]:
    """For the widget: the first one found, none, or one by name."""
    return [AUTO, OFF, *(model.name for model in metric_models() if model.kind == kind)]


def chosen(kind: Kind, choice: str) -> MetricModel | None:
    """The model of a choice; None where there is none, or none is wanted.

    Raises:
        ValueError: a model that is named is not there.
    """
    found = [model for model in metric_models() if model.kind == kind]
    if choice == OFF:
        return None
    if choice == AUTO:
        return found[0] if found else None
    for model in found:
        if model.name == choice:
            return model
    raise ValueError(f"There is no {choice} in models/{FOLDER}; put it there, or choose {AUTO!r} or {OFF!r}.")


def voice_encoder(choice: str) -> Encoder | None:
    """Raises: ValueError: the file is not there, or not a voice encoder."""
    model = chosen("voice", choice)
    return None if model is None else _loaded(model, _changed(model.path))


def recogniser(choice: str) -> Recogniser | None:
    """Raises: ValueError: the folder is not there, or lacks a file."""
    model = chosen("words", choice)
    return None if model is None else _loaded(model, _changed(model.path))


@lru_cache(maxsize=2)
def _loaded(model: MetricModel, changed_ns: int) -> Any:
    """One of each kind is kept, so that a second run loads nothing."""
    if model.model_type:
        from . import transformers_models  # here, so that a host that starts need not wait for transformers

        return transformers_models.load(model.model_type, model.path)
    return encoder_of(_content(model), model.name)


def _content(model: MetricModel) -> object:
    """What a weights file holds; nothing in it is run.

    Raises:
        ValueError: the file is damaged, or not one of weights.
    """
    try:
        return comfy.utils.load_torch_file(str(model.path), safe_load=True)
    except Exception as error:  # each format fails in ways of its own
        reason = shown((str(error).strip() or type(error).__name__).splitlines()[0])
        raise ValueError(f"{model.name} is not a file of weights ({reason}). Get it again.") from error


def state() -> str:
    """Changes when a model file comes, goes or changes."""
    return " ".join(f"{model.name} {_changed(model.path)}" for model in metric_models())


def _changed(path: Path) -> int:
    return max((file.stat().st_mtime_ns for file in (path.iterdir() if path.is_dir() else [path])), default=0)


def _metric_model(path: Path) -> MetricModel | None:
    if path.is_file() and path.suffix.lower() in WEIGHT_SUFFIXES:
        return MetricModel(path.name, "voice", path)
    config = path / "config.json"
    if not config.is_file() or config.stat().st_size > MAX_CONFIG_BYTES:
        return None
    try:
        model_type = json.loads(config.read_text(encoding="utf-8")).get("model_type")
    except (ValueError, AttributeError):
        return None
    kind = MODEL_TYPES.get(str(model_type))
    return None if kind is None else MetricModel(path.name, kind, path, str(model_type))
