"""The model families that ID-LoRAs exist for: one table, asked for models, LoRA files and audio VAEs alike.

    family     layers that only it has                          adaln_single   vocoder of its audio VAE
    LTX-2      caption projections inside the transformer       6 x its input  plain, 24 kHz
    LTX-2.3    to_gate_logits in attention, prompt_adaln        9 x its input  with bandwidth extension, 48 kHz

The widths of their blocks are the same (video 4096, audio 2048, text context likewise), so that most targets of a
LoRA do not tell them apart. What fits no row is `UNKNOWN` and named so: it is never taken for the nearest one.

Source: the configurations and modules of ltx-core and of ComfyUI's `ldm/lightricks`.
"""

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

LinearShape = tuple[int, int]
"""(out_features, in_features)."""

BLOCK_ATTENTIONS = (
    "attn1", "attn2", "audio_attn1", "audio_attn2", "audio_to_video_attn", "video_to_audio_attn",
)  # fmt: skip
BLOCK_FORWARDS = ("ff", "audio_ff")
AUDIO_MODULE = "transformer_blocks.0.audio_attn1.to_q"
MODULATIONS = ("adaln_single.linear", "audio_adaln_single.linear")
"""Linear layers that make the scales, shifts and gates of a block from the timestep."""


@dataclass(frozen=True)
class ModelFamily:
    """What the pack knows of one model family.

    Attributes:
        name: as it is shown.
        marks: modules outside the blocks, and linear layers of an attention, that only this family has; a model of
            it has them all.
        modulation_rows: rows of `adaln_single.linear` as a multiple of its columns.
        vocoder_mark: a part of its audio VAE's vocoder that no other family's has.
        attention_linears: of each attention of a block. feed_forward_linears: of each feed-forward.
        spelled: how people and trainers write it, a regular expression.
        version: as trainers write it in metadata.
        video_channels, audio_channels, audio_bins: of the latents.
    """

    name: str
    marks: frozenset[str] = frozenset()
    modulation_rows: int = 0
    vocoder_mark: str = ""
    attention_linears: tuple[str, ...] = ("to_q", "to_k", "to_v", "to_out.0")
    feed_forward_linears: tuple[str, ...] = ("net.0.proj", "net.2")
    spelled: str = ""
    version: str = ""
    video_channels: int = 128
    audio_channels: int = 8
    audio_bins: int = 16

    def __str__(self) -> str:
        return self.name

    @property
    def block_linears(self) -> tuple[str, ...]:
        """Every linear layer of one block, named from the block: what a LoRA can target in it."""
        attentions = [f"{part}.{linear}" for part in BLOCK_ATTENTIONS for linear in self.attention_linears]
        forwards = [f"{part}.{linear}" for part in BLOCK_FORWARDS for linear in self.feed_forward_linears]
        return (*attentions, *forwards)


LTX_2 = ModelFamily(
    name="LTX-2",
    marks=frozenset(("caption_projection", "audio_caption_projection")),
    modulation_rows=6,
    vocoder_mark="conv_pre",
    spelled=r"ltx[-_ ]?(?:av|v)?[-_ ]?2[._]0(?![0-9a-z])|(?<![0-9a-z])19b(?![0-9a-z])",  # `LTX-2` alone may be both
    version="2.0",
)
LTX_2_3 = ModelFamily(
    name="LTX-2.3",
    marks=frozenset(("to_gate_logits", "prompt_adaln_single", "audio_prompt_adaln_single")),
    modulation_rows=9,
    vocoder_mark="bwe_generator",
    attention_linears=("to_q", "to_k", "to_v", "to_out.0", "to_gate_logits"),
    spelled=r"ltx[-_ ]?(?:av|v)?[-_ ]?2[._]?3(?![0-9a-z])|(?<![0-9a-z])22b(?![0-9a-z])",
    version="2.3",
)
FAMILIES = (LTX_2, LTX_2_3)
UNKNOWN = ModelFamily("an unknown LTX family")

BLOCK_LINEARS = tuple(dict.fromkeys(name for family in FAMILIES for name in family.block_linears))

METADATA_KEYS = (
    "modelspec.architecture", "modelspec.implementation", "ss_base_model_version", "ss_sd_model_name",
    "ss_ltx_version", "ltx_version", "base_model", "base_model_name_or_path",
)  # fmt: skip
"""Where trainers write the model that they trained."""
VERSION_KEYS = ("ss_ltx_version", "ltx_version")


def model_family(layers: Mapping[str, LinearShape]) -> ModelFamily | None:
    """The family of a model by its linear layers: `UNKNOWN` where they are of no row, None without audio.

    Args:
        layers: of the transformer, name to (out_features, in_features).
    """
    if AUDIO_MODULE not in layers:
        return None
    marks = {mark for name in layers if (mark := _mark(name))}
    rows = {out_features / in_features for out_features, in_features in _modulations(layers)}
    fitting = [each for each in FAMILIES if each.marks == marks and rows == {each.modulation_rows}]
    return fitting[0] if fitting else UNKNOWN


def audio_vae_family(vocoder_parts: Container[str]) -> ModelFamily:
    """The family of an audio VAE by the names of its vocoder's parts; `UNKNOWN` where they are of no row."""
    fitting = [family for family in FAMILIES if family.vocoder_mark in vocoder_parts]
    return fitting[0] if len(fitting) == 1 else UNKNOWN


def audio_vae_mismatch(vae: ModelFamily, model: ModelFamily) -> str:
    """A sentence where a reference's audio VAE is of another family than the model; else empty."""
    if UNKNOWN in (vae, model) or vae == model:
        return ""
    return (
        f"The reference was encoded by an audio VAE of {vae}, and the model is {model}: load the audio VAE from"
        " the model's own checkpoint."
    )


@dataclass(frozen=True)
class FileFamily:
    """The family that a LoRA file is for, and what tells; both None where nothing does."""

    family: ModelFamily | None = None
    evidence: Literal["shapes", "metadata", "file name"] | None = None

    def __str__(self) -> str:
        if self.family is None:
            return f"for {' or '.join(map(str, FAMILIES))} (their shapes are the same)"
        return f"for {self.family} by its {self.evidence}"


def file_family(shapes: Mapping[str, LinearShape], metadata: Mapping[str, str], file_name: str) -> FileFamily:
    """The family of a LoRA: by its shapes where they tell, else by its metadata, else by its file name.

    Args:
        shapes: targets of the LoRA, module name to the shape of the weight that it changes.
        metadata: of the file; `base_model_name_or_path` may be added from PEFT's settings.
        file_name: without its folder.
    """
    if family := _by_layers(shapes):
        return FileFamily(family, "shapes")
    if family := _only(_by_metadata(key, metadata.get(key, "")) for key in METADATA_KEYS):
        return FileFamily(family, "metadata")
    if family := _by_text(file_name):
        return FileFamily(family, "file name")
    return FileFamily()


def _mark(name: str) -> str:
    """What in a layer's name only one family has, or empty."""
    marks = {mark for family in FAMILIES for mark in family.marks}
    return next((part for part in (name.partition(".")[0], name.rpartition(".")[2]) if part in marks), "")


def _modulations(layers: Mapping[str, LinearShape]) -> list[LinearShape]:
    return [layers[name] for name in MODULATIONS if name in layers]


def _only(families: Iterable[ModelFamily | None]) -> ModelFamily | None:
    """The one family that was found; None when there was none, or several."""
    found = {family for family in families if family}
    return found.pop() if len(found) == 1 else None


def _by_layers(shapes: Mapping[str, LinearShape]) -> ModelFamily | None:
    marks = {_mark(name) for name in shapes}
    rows = {out_features / in_features for out_features, in_features in _modulations(shapes)}
    return _only(each for each in FAMILIES if each.marks & marks or each.modulation_rows in rows)


def _by_metadata(key: str, value: str) -> ModelFamily | None:
    if key in VERSION_KEYS and (named := [each for each in FAMILIES if each.version == value.strip()]):
        return named[0]
    return _by_text(value)


def _by_text(text: str) -> ModelFamily | None:
    """The family that a text names; None where it names none, or several."""
    return _only(each for each in FAMILIES if re.search(each.spelled, text, re.IGNORECASE))
