"""LoRA files: what is in one, by its header alone.

Nothing but the header is read, and the `.alpha` numbers of a file that has some. What cannot be merged exactly as
its trainer would is refused with one sentence: what it is, and what to choose.
"""

import math
import os
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from safetensors import safe_open

from .convert import Role, TensorName, tensor_name
from .dora import magnitude_fits
from .family import FamilyGuess, LinearShape, file_family
from .peft import CONFIG_NAME, PeftSettings, settings_beside, settings_inside
from .safetensors_header import Header, read_header, shown

AUDIO_ATTENTIONS = ("audio_attn1", "audio_attn2")
AUDIO_PARTS = (*AUDIO_ATTENTIONS, "audio_ff")
BRIDGE_PARTS = ("audio_to_video_attn", "video_to_audio_attn")
VIDEO_PARTS = ("attn1", "attn2", "ff")
FLOAT_DTYPES = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")

_IN_BLOCK = re.compile(r"transformer_blocks\.(\d+)\.(\w+)\.")


@dataclass(frozen=True)
class LoraTarget:
    """One linear layer that a LoRA changes: W + alpha / rank * up @ down, or DoRA when there is a magnitude.

    Attributes:
        module: the layer, named as in the checkpoint: `transformer_blocks.0.audio_attn1.to_k`.
        down, up, magnitude: names of tensors in the file, (rank, in), (out, rank), (out,).
        shape: (out_features, in_features) of the layer.
        alpha: None for a scale of 1, as in the official files.
    """

    module: str
    down: str
    up: str
    magnitude: str | None
    rank: int
    shape: LinearShape
    alpha: float | None

    @property
    def block(self) -> str:
        """The block's number, or empty outside the blocks."""
        found = _IN_BLOCK.match(self.module)
        return found[1] if found else ""

    @property
    def part(self) -> str:
        """The part of the block, such as `audio_attn1`, or empty outside the blocks."""
        found = _IN_BLOCK.match(self.module)
        return found[2] if found else ""


@dataclass(frozen=True)
class LoraSummary:
    """What a LoRA file is, in numbers. `str()` says it in a line.

    Attributes:
        layout: how its keys are written: official, PEFT, diffusers, kohya, bare.
        targets: how many layers it changes.
        ranks: every rank that occurs, ascending.
        blocks: how many transformer blocks it changes.
        audio_targets, bridge_targets, video_targets: layers of the audio stream, between the streams, and of the
            video stream. Layers outside the blocks are in none of them.
        family: LTX-2 19B or LTX-2.3 22B, and by what it is known.
        notes: what cannot be seen from the numbers.
    """

    path: Path
    layout: str
    targets: int
    ranks: tuple[int, ...]
    blocks: int
    audio_targets: int
    bridge_targets: int
    video_targets: int
    dora: bool
    family: FamilyGuess
    notes: tuple[str, ...]

    def __str__(self) -> str:
        kind = "DoRA" if self.dora else "LoRA"
        counts = f"audio {self.audio_targets}, audio-video {self.bridge_targets}, video {self.video_targets}"
        ranks = "/".join(map(str, self.ranks))
        return (
            f"{kind} of {self.targets} targets in {self.blocks} blocks ({counts}), rank {ranks},"
            f" {self.layout} keys, {self.family}"
        )


@dataclass(frozen=True)
class LoraFile:
    """A LoRA file whose header has been read and understood."""

    summary: LoraSummary
    targets: tuple[LoraTarget, ...]


Names = dict[Role, tuple[str, TensorName]]
"""The tensors of one module: by role, the tensor's name in the file and that name taken apart."""


def read_lora(path: str | os.PathLike[str]) -> LoraFile:
    """Read a LoRA file's header, and the settings beside it when it is a PEFT adapter.

    Raises:
        ValueError: no safetensors file (see `read_header`), no LoRA, a LoRA with parts that would be lost, halves
            that do not fit each other, or settings that contradict it. One sentence that names the file.
    """
    header = read_header(path)
    modules = _modules(header)
    layouts = sorted({names[role][1].layout for names in modules.values() for role in names})
    beside = settings_beside(header.path) if "PEFT" in layouts else None
    settings = beside or settings_inside(header)
    alphas = _alphas(header, modules)
    targets = tuple(_target(header, module, modules[module], alphas, settings) for module in modules)
    notes = []
    if "PEFT" in layouts and settings is None and not alphas:
        notes.append(f"there is no {CONFIG_NAME} beside it, so alpha is taken to be the rank")
    return LoraFile(_summary(header, targets, "/".join(layouts), settings, notes), targets)


def fingerprint(path: str | os.PathLike[str]) -> str:
    """Changes when the file, or the settings beside it, change; empty when there is neither."""
    files = (Path(path), Path(path).with_name(CONFIG_NAME))
    stats = [file.stat() for file in files if file.is_file()]
    return ",".join(f"{stat.st_mtime_ns}:{stat.st_size}" for stat in stats)


def _refuse(header: Header, reason: str) -> NoReturn:
    raise ValueError(f"{shown(header.path.name)} {reason}.")


def _modules(header: Header) -> dict[str, Names]:
    """The file's tensors by the module that they change."""
    modules: dict[str, Names] = defaultdict(dict)
    strangers = []
    for key in header.tensors:
        name = tensor_name(key)
        if name is None:
            strangers.append(key)
        elif name.role in modules[name.module]:
            both = f"{shown(key)} and {shown(modules[name.module][name.role][0])}"
            _refuse(header, f"holds two LoRAs ({both}); choose a file with one")
        else:
            modules[name.module][name.role] = (key, name)
    if not any("down" in names or "up" in names for names in modules.values()):
        _refuse(header, "holds no LoRA (no lora_A and lora_B, or lora_down and lora_up); choose an ID-LoRA")
    if strangers:
        others = f"{shown(strangers[0])}" + (f" and {len(strangers) - 1} more" if len(strangers) > 1 else "")
        _refuse(
            header,
            f"holds more than a LoRA ({others}), which would be lost; choose a plain LoRA or DoRA file",
        )
    return modules


def _alphas(header: Header, modules: dict[str, Names]) -> dict[str, float]:
    """The `.alpha` numbers of a kohya file, read from the file, by their names."""
    keys = [names["alpha"][0] for names in modules.values() if "alpha" in names]
    for key in keys:
        if math.prod(header.tensors[key].shape) != 1:
            _refuse(header, f"has an alpha that is no single number ({shown(key)}); get the file again")
    if not keys:
        return {}
    with safe_open(header.path, framework="pt") as file:
        alphas = {key: float(file.get_tensor(key).item()) for key in keys}
    for key, alpha in alphas.items():
        if not math.isfinite(alpha) or alpha == 0:
            _refuse(
                header, f"has an alpha of {alpha} ({shown(key)}), which makes nothing or noise; get it again"
            )
    return alphas


def _target(
    header: Header, module: str, names: Names, alphas: dict[str, float], settings: PeftSettings | None
) -> LoraTarget:
    """One module's tensors as a target, once they fit each other and the settings."""
    for role in ("down", "up"):
        if role not in names:
            _refuse(header, f"has half a LoRA ({shown(module)} has no {role} part); get it again")
    (down, name), (up, _) = names["down"], names["up"]
    magnitude = names["magnitude"][0] if "magnitude" in names else None
    rank, shape = _rank_and_shape(header, down, up)
    if magnitude and not magnitude_fits(header.tensors[magnitude].shape, *shape):
        _refuse(header, f"has a DoRA magnitude of the wrong shape ({shown(magnitude)}); get the file again")
    alpha = None
    if settings:
        _check_settings(header, settings, name.trained_as, rank, magnitude is not None)
        alpha = settings.alpha_of(name.trained_as)
    if "alpha" in names:
        alpha = alphas[names["alpha"][0]]
    return LoraTarget(module, down, up, magnitude, rank, shape, alpha)


def _rank_and_shape(header: Header, down: str, up: str) -> tuple[int, LinearShape]:
    """The rank and (out, in) of a pair of matrices (rank, in) and (out, rank)."""
    infos = header.tensors[down], header.tensors[up]
    for key, info in zip((down, up), infos, strict=True):
        if len(info.shape) != 2 or 0 in info.shape:
            _refuse(
                header,
                f"has a LoRA part that is no matrix ({shown(key)} is {list(info.shape)}); get it again",
            )
        if info.dtype not in FLOAT_DTYPES:
            _refuse(header, f"is stored as {info.dtype} ({shown(key)}); get it in bf16, fp16 or fp32")
    (rank, in_features), (out_features, up_rank) = infos[0].shape, infos[1].shape
    if rank != up_rank:
        _refuse(header, f"has halves of rank {rank} and {up_rank} ({shown(down)}); get the file again")
    return rank, (out_features, in_features)


def _check_settings(header: Header, settings: PeftSettings, module: str, rank: int, dora: bool) -> None:
    """PEFT's settings must be those of this file."""
    if settings.rank_of(module) != rank:
        said = (
            f"{settings.source} says rank {settings.rank_of(module)} for {shown(module)}, the file has {rank}"
        )
        raise ValueError(f"{said}; keep each adapter in a folder of its own with its own settings.")
    if settings.use_dora != dora:
        said = f"{settings.source} says use_dora={str(settings.use_dora).lower()}"
        has = "has" if dora else "lacks"
        raise ValueError(
            f"{said}, and the file {has} a magnitude for {shown(module)}; put its own settings beside it."
        )


def _summary(
    header: Header,
    targets: tuple[LoraTarget, ...],
    layout: str,
    settings: PeftSettings | None,
    notes: list[str],
) -> LoraSummary:
    def count(parts: tuple[str, ...]) -> int:
        return sum(target.part in parts for target in targets)

    metadata = dict(header.metadata)
    if settings and settings.base_model:
        metadata["base_model_name_or_path"] = settings.base_model
    shapes = {target.module: target.shape for target in targets}
    return LoraSummary(
        path=header.path,
        layout=layout,
        targets=len(targets),
        ranks=tuple(sorted({target.rank for target in targets})),
        blocks=len({target.block for target in targets if target.block}),
        audio_targets=count(AUDIO_PARTS),
        bridge_targets=count(BRIDGE_PARTS),
        video_targets=count(VIDEO_PARTS),
        dora=any(target.magnitude for target in targets),
        family=file_family(shapes, metadata, header.path.name),
        notes=tuple(notes),
    )
