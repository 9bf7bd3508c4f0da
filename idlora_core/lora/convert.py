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
from dataclasses import dataclass
from typing import Literal

Role = Literal["down", "up", "alpha", "magnitude"]
Layout = Literal["official", "PEFT", "diffusers", "kohya", "bare"]

PEFT_PREFIX = "base_model.model."
OFFICIAL_PREFIX = "diffusion_model."
DIFFUSERS_PREFIX = "transformer."
KOHYA_PREFIXES = ("lora_unet_", "lora_transformer_", "lycoris_")
INNER_PREFIXES = (PEFT_PREFIX, OFFICIAL_PREFIX, DIFFUSERS_PREFIX, "model.", "velocity_model.")

_ADAPTER = r"(?:\.(?!weight\b)(?P<adapter>[^.]+)(?=\.weight$))?(?:\.weight)?$"
ROLES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("down", re.compile(r"\.lora_A" + _ADAPTER)),
    ("up", re.compile(r"\.lora_B" + _ADAPTER)),
    ("magnitude", re.compile(r"\.lora_magnitude_vector(?:\.(?!weight$)(?P<adapter>[^.]+))?(?:\.weight)?$")),
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

ATTENTIONS = ("attn1", "attn2", "audio_attn1", "audio_attn2", "audio_to_video_attn", "video_to_audio_attn")
ATTENTION_LINEARS = ("to_q", "to_k", "to_v", "to_out.0", "to_gate_logits")
FEED_FORWARDS = ("ff", "audio_ff")
FEED_FORWARD_LINEARS = ("net.0.proj", "net.2")
BLOCK_LINEARS = tuple(f"{part}.{linear}" for part in ATTENTIONS for linear in ATTENTION_LINEARS) + tuple(
    f"{part}.{linear}" for part in FEED_FORWARDS for linear in FEED_FORWARD_LINEARS
)
"""Every linear layer of one audio-video block: what a LoRA can target in it."""
_BLOCK_LINEAR_OF = {name.replace(".", "_"): name for name in BLOCK_LINEARS}
_KOHYA_BLOCK = re.compile(
    rf"(?:{'|'.join(KOHYA_PREFIXES)})(?:(?:diffusion_model|velocity_model|model|transformer)_)?"
    r"transformer_blocks_(\d{1,4})_(\w+)"
)


@dataclass(frozen=True)
class TensorName:
    """A LoRA tensor's name, taken apart.

    Attributes:
        module: the module that it changes, named as in the checkpoint.
        role: what it is.
        layout: how its prefix is written.
        trained_as: the module's name in the model that was trained, which PEFT's patterns are matched against.
        adapter: PEFT's adapter name where the file holds it, or "".
    """

    module: str
    role: Role
    layout: Layout
    trained_as: str
    adapter: str


def tensor_name(name: str) -> TensorName | None:
    """Take a tensor's name apart; None when it is no part of a LoRA."""
    for role, pattern in ROLES:
        if match := pattern.search(name):
            stem = name[: match.start()]
            layout, trained_as = _layout(stem)
            adapter = match.groupdict().get("adapter") or ""
            return TensorName(module_name(stem), role, layout, trained_as, adapter)
    return None


def module_name(stem: str) -> str:
    """The checkpoint's name of a module that a trainer's prefixes, underscores or names hide."""
    while prefix := next((prefix for prefix in INNER_PREFIXES if stem.startswith(prefix)), ""):
        stem = stem.removeprefix(prefix)
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
