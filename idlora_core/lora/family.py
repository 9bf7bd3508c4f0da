"""Which LTX-2 a LoRA or a model belongs to, and by what it is known.

The blocks of LTX-2 19B and LTX-2.3 22B have the same widths (video 4096, audio 2048, text context likewise), so
the 18 targets of an ID-LoRA have the same shapes in both. What differs, and tells the family where it is there:

    LTX-2.3 only   to_gate_logits in every attention; prompt_adaln_single; adaln_single 9 times its input
    LTX-2 only     caption_projection inside the transformer; adaln_single 6 times its input

Source: the configurations and modules of ltx-core and of ComfyUI's `ldm/lightricks`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Family = Literal["LTX-2 19B", "LTX-2.3 22B"]
Evidence = Literal["shapes", "metadata", "file name"]
LTX2: Family = "LTX-2 19B"
LTX23: Family = "LTX-2.3 22B"

LinearShape = tuple[int, int]
"""(out_features, in_features)."""
ADALN_ROWS: dict[int, Family] = {6: LTX2, 9: LTX23}
ADALN_MODULES = ("adaln_single.linear", "audio_adaln_single.linear")
GATED_MODULE = "transformer_blocks.0.audio_attn1.to_gate_logits"
AUDIO_MODULE = "transformer_blocks.0.audio_attn1.to_q"

METADATA_KEYS = (
    "modelspec.architecture",
    "modelspec.implementation",
    "ss_base_model_version",
    "ss_sd_model_name",
    "ss_ltx_version",
    "ltx_version",
    "base_model",
    "base_model_name_or_path",
)
"""Where trainers write the model that they trained."""
SAYS_LTX23 = re.compile(
    r"ltx[-_ ]?(?:av|v)?[-_ ]?2[._]?3(?![0-9a-z])|(?<![0-9a-z])22b(?![0-9a-z])", re.IGNORECASE
)
SAYS_LTX2 = re.compile(
    r"ltx[-_ ]?(?:av|v)?[-_ ]?2[._]0(?![0-9a-z])|(?<![0-9a-z])19b(?![0-9a-z])", re.IGNORECASE
)
"""`LTX-2` alone says nothing: people call both so."""
VERSION_KEYS = ("ss_ltx_version", "ltx_version")
VERSIONS: dict[str, Family] = {"2.0": LTX2, "2.3": LTX23}


@dataclass(frozen=True)
class FamilyGuess:
    """A family and by what it is known; both None when nothing tells."""

    family: Family | None = None
    evidence: Evidence | None = None

    def __str__(self) -> str:
        if self.family is None:
            return "for LTX-2 or LTX-2.3 (their shapes are the same)"
        return f"for {self.family} by its {self.evidence}"


def model_family(layers: Mapping[str, LinearShape]) -> Family | None:
    """The family of a model by its linear layers; None when it is no audio-video LTX-2."""
    if AUDIO_MODULE not in layers:
        return None
    return LTX23 if GATED_MODULE in layers else LTX2


def file_family(
    shapes: Mapping[str, LinearShape], metadata: Mapping[str, str], file_name: str
) -> FamilyGuess:
    """The family of a LoRA: by its shapes where they tell, else by its metadata, else by its file name.

    Args:
        shapes: targets of the LoRA, module name to the shape of the weight that it changes.
        metadata: of the file; `base_model_name_or_path` may be added from PEFT's settings.
        file_name: without its folder.
    """
    if family := _only(_by_shape(module, shape) for module, shape in shapes.items()):
        return FamilyGuess(family, "shapes")
    if family := _only(_by_metadata(key, metadata.get(key, "")) for key in METADATA_KEYS):
        return FamilyGuess(family, "metadata")
    if family := _by_text(file_name):
        return FamilyGuess(family, "file name")
    return FamilyGuess()


def _only(families: Iterable[Family | None]) -> Family | None:
    """The one family that was found; None when there was none, or both."""
    found: set[Family] = {family for family in families if family}
    return found.pop() if len(found) == 1 else None


def _by_shape(module: str, shape: LinearShape) -> Family | None:
    top, last = module.partition(".")[0], module.rpartition(".")[2]
    if last == "to_gate_logits" or top in ("prompt_adaln_single", "audio_prompt_adaln_single"):
        return LTX23
    if top in ("caption_projection", "audio_caption_projection"):
        return LTX2
    out_features, in_features = shape
    if module in ADALN_MODULES and out_features % in_features == 0:
        return ADALN_ROWS.get(out_features // in_features)
    return None


def _by_metadata(key: str, value: str) -> Family | None:
    return (VERSIONS.get(value.strip()) if key in VERSION_KEYS else None) or _by_text(value)


def _by_text(text: str) -> Family | None:
    ltx23, ltx2 = SAYS_LTX23.search(text), SAYS_LTX2.search(text)
    if bool(ltx23) == bool(ltx2):
        return None
    return LTX23 if ltx23 else LTX2
