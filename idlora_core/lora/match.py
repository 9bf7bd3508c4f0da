"""How a LoRA fits a model: which of its targets the model has, and when it is the wrong one."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..families import AUDIO_MODULE, UNKNOWN, FileFamily, LinearShape, ModelFamily, model_family
from .files import AUDIO_ATTENTIONS, VIDEO_PARTS, LoraFile, LoraTarget
from .safetensors_header import refuse, shown

MAX_STRENGTH = 10.0


@dataclass(frozen=True)
class LoraMatch:
    """A LoRA on a model that it fits.

    Attributes:
        matched: the targets that the model has, all of the right shape.
        missing: modules that the LoRA changes and the model lacks.
    """

    lora: LoraFile
    family: ModelFamily
    matched: tuple[LoraTarget, ...]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        fits = f"all match the model ({self.family})."
        if self.missing:
            others = f"the others ({shown(self.missing[0])}, ...) do nothing"
            fits = f"{len(self.matched)} match the model ({self.family}), {others}."
        return " ".join((f"{self.lora}; {fits}", *self.lora.notes))


def match(lora: LoraFile, layers: Mapping[str, LinearShape]) -> LoraMatch:
    """Fit a LoRA to a model, or say why it is the wrong one.

    Args:
        layers: the linear layers of the model's transformer, name to (out_features, in_features).

    Raises:
        ValueError: the model has no sound, nothing or less than half of the file matches, the file is for another
            family or another size, or it leaves the audio attention alone.
    """
    name, family = lora.path.name, model_family(layers)
    if family is None:
        found = f"is not an LTX-2 audio-video model (no {AUDIO_MODULE} in it)"
        refuse("The connected model", f"{found}; connect an LTX-2.3 model")
    way_out = "choose an ID-LoRA for this model" if family is UNKNOWN else f"choose an ID-LoRA for {family}"
    matched = tuple(target for target in lora.targets if target.module in layers)
    missing = tuple(target.module for target in lora.targets if target.module not in layers)
    if not matched:
        refuse(name, f"matches nothing on this model (it changes {shown(missing[0])}); {way_out}")
    if not lora.count(AUDIO_ATTENTIONS):
        video = lora.count(VIDEO_PARTS)
        kind = f"no audio-attention targets ({f'{video} video targets' if video else 'other targets only'})"
        refuse(
            name, f"has {kind}, so it carries no voice; load it with Load LoRA, and choose an ID-LoRA here"
        )
    _check_family(name, lora.family, family, way_out)
    wrong = [target for target in matched if target.shape != tuple(layers[target.module])]
    if wrong:
        sizes = f"{_size(wrong[0].shape)} in the file, {_size(layers[wrong[0].module])} in the model"
        differ = f"{len(wrong)} targets differ: {shown(wrong[0].module)} is {sizes}"
        refuse(name, f"is for a model of another size ({differ}); {way_out}")
    if len(missing) > len(matched):
        found = f"{len(matched)} of its {len(lora.targets)} targets, not {shown(missing[0])}"
        refuse(name, f"is for another model (this one has {found}); {way_out}")
    return LoraMatch(lora, family, matched, missing)


def checked_strength(strength: float) -> float:
    """The strength, once it is a finite number from -10 to 10.

    Raises:
        ValueError: otherwise.
    """
    if not -MAX_STRENGTH <= strength <= MAX_STRENGTH:
        given = f"is {strength}; use a number from -{MAX_STRENGTH:g} to {MAX_STRENGTH:g} (1 as trained)"
        refuse("Strength", given)
    return strength


def _check_family(name: str, file: FileFamily, model: ModelFamily, way_out: str) -> None:
    if file.family in (None, model) or model is UNKNOWN:
        return
    if file.evidence == "file name":
        way_out += ", or rename the file if its name is wrong"
    refuse(name, f"is {file}, and the model is {model}; {way_out}")


def _size(shape: LinearShape) -> str:
    """in -> out, as people write it."""
    return f"{shape[1]}->{shape[0]}"
