"""LoRA files: what is in one, by its header alone.

Nothing but the header is read, and the `.alpha` numbers of a file that has some. What cannot be merged exactly as
its trainer would is refused with one sentence: what it is, and what to choose.
"""

import math
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from ..families import FileFamily, LinearShape, file_family
from ..variant import distilled_by_ranks
from .convert import Role, TensorName, tensor_name
from .dora import magnitude_fits
from .peft import CONFIG_NAME, PeftSettings, settings_beside, settings_inside
from .safetensors_header import Header, read_header, refuse, shown

AUDIO_ATTENTIONS = ("audio_attn1", "audio_attn2")
AUDIO_PARTS = (*AUDIO_ATTENTIONS, "audio_ff")
BRIDGE_PARTS = ("audio_to_video_attn", "video_to_audio_attn")
VIDEO_PARTS = ("attn1", "attn2", "ff")
VIDEO_SELF_ATTENTION = "attn1"
FLOAT_DTYPES = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")


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
        return self._in_block()[0]

    @property
    def part(self) -> str:
        """The part of the block, such as `audio_attn1`, or empty outside the blocks."""
        return self._in_block()[1]

    @property
    def tensors(self) -> list[str]:
        """Names of its tensors in the file."""
        return [name for name in (self.down, self.up, self.magnitude) if name]

    def _in_block(self) -> tuple[str, str]:
        blocks, _, rest = self.module.partition(".")
        number, _, rest = rest.partition(".")
        return (number, rest.partition(".")[0]) if blocks == "transformer_blocks" else ("", "")


@dataclass(frozen=True)
class LoraFile:
    """A LoRA file whose header has been read and understood. `str()` says in a line what it is.

    Attributes:
        layout: how its keys are written: official, PEFT, diffusers, kohya, bare.
        family: the model family that it is for, and what tells.
        notes: what cannot be seen from the numbers, a sentence each.
    """

    path: Path
    layout: str
    targets: tuple[LoraTarget, ...]
    family: FileFamily
    notes: tuple[str, ...] = ()

    @property
    def blocks(self) -> int:
        """How many transformer blocks it changes."""
        return len({target.block for target in self.targets if target.block})

    @property
    def ranks(self) -> tuple[int, ...]:
        """Every rank that occurs, ascending."""
        return tuple(sorted({target.rank for target in self.targets}))

    @property
    def is_dora(self) -> bool:
        return any(target.magnitude for target in self.targets)

    def count(self, parts: tuple[str, ...]) -> int:
        """How many of its targets are in these parts of a block."""
        return sum(target.part in parts for target in self.targets)

    def __str__(self) -> str:
        audio, bridge, video = map(self.count, (AUDIO_PARTS, BRIDGE_PARTS, VIDEO_PARTS))
        return (
            f"{'DoRA' if self.is_dora else 'LoRA'} of {_plural(len(self.targets), 'target')} in"
            f" {_plural(self.blocks, 'block')} (audio {audio}, audio-video {bridge}, video {video}),"
            f" rank {'/'.join(map(str, self.ranks))}, {self.layout} keys, {self.family}"
        )


Names = dict[Role, tuple[str, TensorName]]
"""The tensors of one module: by role, the tensor's name in the file and that name taken apart."""


def read_lora(path: str | os.PathLike[str]) -> LoraFile:
    """Read a LoRA file's header, and the settings beside it when it is a PEFT adapter.

    Raises:
        ValueError: not a safetensors file (see `read_header`), not a LoRA, a LoRA with parts that would be lost,
            halves that do not fit each other, or settings that contradict it.
    """
    header = read_header(path)
    modules = _modules(header)
    layouts = sorted({names[role][1].layout for names in modules.values() for role in names})
    settings = (settings_beside(header.path) if "PEFT" in layouts else None) or settings_inside(header)
    alphas = _alphas(header, modules)
    targets = tuple(_target(header, module, modules[module], alphas, settings) for module in modules)
    metadata = dict(header.metadata)
    if settings and settings.base_model:
        metadata["base_model_name_or_path"] = settings.base_model
    family = file_family({target.module: target.shape for target in targets}, metadata, header.path.name)
    lora = LoraFile(header.path, "/".join(layouts), targets, family)
    is_scale_unknown = "PEFT" in layouts and settings is None and not alphas
    return replace(lora, notes=_notes(lora, is_scale_unknown))


def fingerprint(path: str | os.PathLike[str]) -> str:
    """Changes when the file, or the settings beside it, change; empty when there is neither."""
    files = (Path(path), Path(path).with_name(CONFIG_NAME))
    stats = [file.stat() for file in files if file.is_file()]
    return ",".join(f"{stat.st_mtime_ns}:{stat.st_size}" for stat in stats)


def check_finite(lora: LoraFile, tensors: Mapping[str, torch.Tensor]) -> None:
    """Refuse weights that are not numbers, before a render is spent on them.

    Args:
        tensors: the file's, by name; half a second for the 1.2 GB of an ID-LoRA.

    Raises:
        ValueError: a weight is NaN or infinite; the message names the tensor.
    """
    for name in (name for target in lora.targets for name in target.tensors):
        tensor = tensors[name]
        if tensor.dtype.itemsize == 1:  # fp8 has no minimum of its own
            tensor = tensor.half()
        lowest, highest = tensor.aminmax()  # without a copy; NaN comes through
        if not (lowest.isfinite() and highest.isfinite()):
            refuse(
                lora.path.name, f"has a weight that is not a finite number ({shown(name)}); download it again"
            )


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _notes(lora: LoraFile, is_scale_unknown: bool) -> tuple[str, ...]:
    notes = []
    if video_ranks := [target.rank for target in lora.targets if target.part == VIDEO_SELF_ATTENTION]:
        kind = "a distilled LoRA" if distilled_by_ranks(video_ranks) else "a LoRA of another kind"
        notes.append(
            f"Probably {kind}, not an ID-LoRA: it changes video self-attention, which ID-LoRAs leave alone."
        )
    if is_scale_unknown:
        notes.append(f"There is no {CONFIG_NAME} beside it, so alpha is taken to be the rank.")
    return tuple(notes)


def _modules(header: Header) -> dict[str, Names]:
    """The file's tensors by the module that they change."""
    modules: dict[str, Names] = defaultdict(dict)
    strangers, name = [], header.path.name
    for key in header.tensors:
        parts = tensor_name(key)
        if parts is None:
            strangers.append(key)
        elif parts.role in modules[parts.module]:
            both = f"{shown(key)} and {shown(modules[parts.module][parts.role][0])}"
            refuse(name, f"holds two LoRAs ({both}); choose a file with one")
        else:
            modules[parts.module][parts.role] = (key, parts)
    if not any("down" in names or "up" in names for names in modules.values()):
        refuse(name, "holds no LoRA (no lora_A and lora_B, or lora_down and lora_up); choose an ID-LoRA")
    if strangers:
        others = f"{shown(strangers[0])}" + (f" and {len(strangers) - 1} more" if len(strangers) > 1 else "")
        refuse(
            name, f"holds more than a LoRA ({others}), which would be lost; choose a plain LoRA or DoRA file"
        )
    return modules


def _alphas(header: Header, modules: dict[str, Names]) -> dict[str, float]:
    """The `.alpha` numbers of a kohya file, read from the file, by their names."""
    keys = [names["alpha"][0] for names in modules.values() if "alpha" in names]
    for key in keys:
        dtype, shape = header.tensors[key]
        if math.prod(shape) != 1 or dtype not in FLOAT_DTYPES:
            said = f"{shown(key)} is {dtype} {list(shape)}"
            refuse(header.path.name, f"has an alpha that is not a single number ({said}); get the file again")
    if not keys:
        return {}
    try:
        with safe_open(header.path, framework="pt") as file:
            alphas = {key: float(file.get_tensor(key).item()) for key in keys}
    except (SafetensorError, OSError, RuntimeError) as error:
        refuse(header.path.name, f"cannot be read ({shown(error)}); download it again")
    for key, alpha in alphas.items():
        if not math.isfinite(alpha) or alpha == 0:
            refuse(header.path.name, f"has an alpha of {alpha} ({shown(key)}); get the file again")
    return alphas


def _target(
    header: Header, module: str, names: Names, alphas: dict[str, float], settings: PeftSettings | None
) -> LoraTarget:
    """One module's tensors as a target, once they fit each other and the settings."""
    for role in ("down", "up"):
        if role not in names:
            refuse(header.path.name, f"has half a LoRA ({shown(module)} has no {role} part); get it again")
    (down, name), (up, _) = names["down"], names["up"]
    magnitude = names["magnitude"][0] if "magnitude" in names else None
    for key in filter(None, (down, up, magnitude)):
        if (dtype := header.tensors[key].dtype) not in FLOAT_DTYPES:
            refuse(header.path.name, f"is stored as {dtype} ({shown(key)}); get it in bf16, fp16 or fp32")
    rank, shape = _rank_and_shape(header, down, up)
    if magnitude and not magnitude_fits(header.tensors[magnitude].shape, *shape):
        refuse(
            header.path.name, f"has a DoRA magnitude of the wrong shape ({shown(magnitude)}); get it again"
        )
    alpha = None
    if settings:
        _check_settings(settings, name.trained_as, rank, magnitude is not None)
        alpha = settings.alpha_of(name.trained_as)
    if "alpha" in names:
        alpha = alphas[names["alpha"][0]]
    return LoraTarget(module, down, up, magnitude, rank, shape, alpha)


def _rank_and_shape(header: Header, down: str, up: str) -> tuple[int, LinearShape]:
    """The rank and (out, in) of a pair of matrices (rank, in) and (out, rank)."""
    shapes = header.tensors[down].shape, header.tensors[up].shape
    for key, shape in zip((down, up), shapes, strict=True):
        if len(shape) != 2 or 0 in shape:
            said = f"{shown(key)} is {list(shape)}"
            refuse(header.path.name, f"has a LoRA part that is not a matrix ({said}); get it again")
    (rank, in_features), (out_features, up_rank) = shapes
    if rank != up_rank:
        refuse(
            header.path.name, f"has halves of rank {rank} and {up_rank} ({shown(down)}); get the file again"
        )
    return rank, (out_features, in_features)


def _check_settings(settings: PeftSettings, module: str, rank: int, is_dora: bool) -> None:
    """PEFT's settings must be those of this file."""
    own = "put its own settings beside it"
    if (said := settings.rank_of(module)) != rank:
        refuse(settings.source, f"says rank {said} for {shown(module)}, the file has {rank}; {own}")
    if settings.use_dora != is_dora:
        has = "has" if is_dora else "lacks"
        said = f"says use_dora={str(settings.use_dora).lower()}"
        refuse(settings.source, f"{said}, and the file {has} a magnitude for {shown(module)}; {own}")
