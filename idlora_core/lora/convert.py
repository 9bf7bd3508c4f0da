"""Names of LoRA tensors, in the layouts that trainers write, and the module of the model that each means.

    official    diffusion_model.transformer_blocks.0.audio_attn1.to_k.lora_A.weight
    PEFT        base_model.model.transformer_blocks.0.audio_attn1.to_k.lora_A.weight   (or lora_A.NAME.weight)
    diffusers   transformer.transformer_blocks.0.audio_attn1.to_k.lora_A.weight        (or lora_down / lora_up)
    kohya       lora_unet_transformer_blocks_0_audio_attn1_to_k.lora_down.weight       and .alpha, .dora_scale
    bare        transformer_blocks.0.audio_attn1.to_k.lora_A.weight

A module is named as in the checkpoint, `transformer_blocks.0.audio_attn1.to_k`, whatever the layout.

Source: the files of ID-LoRA and of ltx-trainer; PEFT's and diffusers' saved files; diffusers' names of the
LTX-2 transformer's modules.
"""

import re
from typing import Literal, NamedTuple

from ..families import BLOCK_LINEARS

Role = Literal["down", "up", "alpha", "magnitude"]
Layout = Literal["official", "PEFT", "diffusers", "kohya", "bare"]

PEFT_PREFIX = "base_model.model."
OFFICIAL_PREFIX = "diffusion_model."
DIFFUSERS_PREFIX = "transformer."
KOHYA_PREFIXES = ("lora_unet_", "lora_transformer_", "lycoris_")
INNER_PREFIXES = re.compile(r"^(?:(?:base_model|model|diffusion_model|transformer|velocity_model)\.)*")

_ADAPTER = r"(?:\.(?!weight\b)[^.]+(?=\.weight$))?(?:\.weight)?$"
ROLES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("down", re.compile(r"\.lora_A" + _ADAPTER)),
    ("up", re.compile(r"\.lora_B" + _ADAPTER)),
    ("magnitude", re.compile(r"\.lora_magnitude_vector(?:\.(?!weight$)[^.]+)?(?:\.weight)?$")),
    ("down", re.compile(r"(?:\.lora_down|[._]lora\.down|\.lora_linear_layer\.down)\.weight$")),
    ("up", re.compile(r"(?:\.lora_up|[._]lora\.up|\.lora_linear_layer\.up)\.weight$")),
    ("magnitude", re.compile(r"\.dora_scale$")),
    ("alpha", re.compile(r"\.alpha$")),
)
"""What a tensor is, by the end of its name; the rest is the module with its prefixes."""

FROM_DIFFUSERS = {
    "proj_in": "patchify_proj",
    "audio_proj_in": "audio_patchify_proj",
    "time_embed": "adaln_single",
    "audio_time_embed": "audio_adaln_single",
    "prompt_adaln": "prompt_adaln_single",
    "audio_prompt_adaln": "audio_prompt_adaln_single",
    "av_cross_attn_video_scale_shift": "av_ca_video_scale_shift_adaln_single",
    "av_cross_attn_audio_scale_shift": "av_ca_audio_scale_shift_adaln_single",
    "av_cross_attn_video_a2v_gate": "av_ca_a2v_gate_adaln_single",
    "av_cross_attn_audio_v2a_gate": "av_ca_v2a_gate_adaln_single",
}
"""Top-level modules that diffusers calls otherwise. Inside a block all names of LoRA targets are the same."""

_BLOCK_LINEAR_OF = {name.replace(".", "_"): name for name in BLOCK_LINEARS}
_KOHYA_BLOCK = re.compile(
    rf"(?:{'|'.join(KOHYA_PREFIXES)})(?:(?:diffusion_model|velocity_model|model|transformer)_)?"
    r"transformer_blocks_(\d{1,4})_(\w+)"
)


class TensorName(NamedTuple):
    """A LoRA tensor's name, taken apart.

    Attributes:
        module: the module that it changes, named as in the checkpoint.
        role: what it is.
        layout: how its prefix is written.
        trained_as: the module's name in the model that was trained, which PEFT's patterns are matched against.
    """

    module: str
    role: Role
    layout: Layout
    trained_as: str


def tensor_name(name: str) -> TensorName | None:
    """Take a tensor's name apart; None when it is not part of a LoRA."""
    for role, pattern in ROLES:
        if match := pattern.search(name):
            stem = name[: match.start()]
            return TensorName(module_name(stem), role, *_layout(stem))
    return None


def module_name(stem: str) -> str:
    """The checkpoint's name of a module that a trainer's prefixes, underscores or names hide."""
    stem = INNER_PREFIXES.sub("", stem)
    if stem.startswith(KOHYA_PREFIXES):
        return _from_underscores(stem)
    top, dot, rest = stem.partition(".")
    return FROM_DIFFUSERS.get(top, top) + dot + rest


def _layout(stem: str) -> tuple[Layout, str]:
    """The layout, and the name that the module had in the model that was trained."""
    if stem.startswith(PEFT_PREFIX):
        return "PEFT", stem.removeprefix(PEFT_PREFIX)
    if stem.startswith(DIFFUSERS_PREFIX):
        return "diffusers", stem.removeprefix(DIFFUSERS_PREFIX)
    if stem.startswith(OFFICIAL_PREFIX):
        return "official", stem
    return ("kohya" if stem.startswith(KOHYA_PREFIXES) else "bare"), stem


def _from_underscores(stem: str) -> str:
    """Dots back into a kohya name; outside the blocks, where they cannot be told, the name stays as it is."""
    match = _KOHYA_BLOCK.fullmatch(stem)
    if match is None or match[2] not in _BLOCK_LINEAR_OF:
        return stem
    return f"transformer_blocks.{int(match[1])}.{_BLOCK_LINEAR_OF[match[2]]}"
