"""How a LoRA fits a model: which of its targets the model has, and when it is the wrong one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from .family import AUDIO_MODULE, Family, FamilyGuess, LinearShape, model_family
from .files import AUDIO_ATTENTIONS, LoraFile, LoraTarget
from .safetensors_header import shown

MAX_STRENGTH = 10.0
HOST_LOADER = "Load LoRA (LoraLoaderModelOnly)"


@dataclass(frozen=True)
class LoraMatch:
    """A LoRA on a model that it fits.

    Attributes:
        matched: the targets that the model has, all of the right shape.
        missing: modules that the LoRA changes and the model lacks.
    """

    lora: LoraFile
    family: Family
    matched: tuple[LoraTarget, ...]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        summary = self.lora.summary
        fits = f"all match the {self.family} model"
        if self.missing:
            others = f"the others ({shown(self.missing[0])}, ...) do nothing"
            fits = f"{len(self.matched)} match the {self.family} model, {others}"
        return "; ".join((f"{summary}; {fits}", *summary.notes))


def match(lora: LoraFile, layers: Mapping[str, LinearShape]) -> LoraMatch:
    """Fit a LoRA to a model, or say why it is the wrong one.

    Args:
        layers: the linear layers of the model's transformer, name to (out_features, in_features).

    Raises:
        ValueError: the model has no sound, nothing or less than half of the file matches, the file is for the
            other family or another size, or it leaves the audio attention alone. One sentence that names the file.
    """
    name, family = shown(lora.summary.path.name), model_family(layers)
    if family is None:
        _refuse(
            f"The connected model is no LTX-2 with sound (no {AUDIO_MODULE} in it); connect an LTX-2.3 model"
        )
    matched = tuple(target for target in lora.targets if target.module in layers)
    missing = tuple(target.module for target in lora.targets if target.module not in layers)
    if not matched:
        change = f"it changes {shown(missing[0])}"
        _refuse(f"{name} matches nothing on this model ({change}); choose an ID-LoRA for {family}")
    _check_audio(name, lora)
    _check_family(name, lora.summary.family, family)
    _check_shapes(name, matched, layers)
    if len(missing) > len(matched):
        found = f"{len(matched)} of its {len(lora.targets)} targets, not {shown(missing[0])}"
        _refuse(f"{name} is for another model (this one has {found}); choose an ID-LoRA for {family}")
    return LoraMatch(lora, family, matched, missing)


def checked_strength(strength: float) -> float:
    """The strength, once it is a finite number from -10 to 10.

    Raises:
        ValueError: otherwise.
    """
    if not -MAX_STRENGTH <= strength <= MAX_STRENGTH:
        _refuse(
            f"Strength is {strength}; use a number from -{MAX_STRENGTH:g} to {MAX_STRENGTH:g} (1 as trained)"
        )
    return strength


def _refuse(sentence: str) -> NoReturn:
    raise ValueError(f"{sentence}.")


def _check_audio(name: str, lora: LoraFile) -> None:
    if not any(target.part in AUDIO_ATTENTIONS for target in lora.targets):
        kind = (
            f"{lora.summary.video_targets} video targets"
            if lora.summary.video_targets
            else "other targets only"
        )
        _refuse(
            f"{name} has no audio-attention targets ({kind}), so it carries no voice;"
            f" load it with {HOST_LOADER}, and choose an ID-LoRA here"
        )


def _check_family(name: str, guess: FamilyGuess, family: Family) -> None:
    if guess.family in (None, family):
        return
    way_out = f"choose an ID-LoRA for {family}"
    if guess.evidence == "file name":
        way_out += ", or rename the file if its name is wrong"
    _refuse(f"{name} is for {guess.family} by its {guess.evidence}, and the model is {family}; {way_out}")


def _check_shapes(name: str, matched: tuple[LoraTarget, ...], layers: Mapping[str, LinearShape]) -> None:
    wrong = [target for target in matched if target.shape != tuple(layers[target.module])]
    if wrong:
        first = wrong[0]
        sizes = f"{_size(first.shape)} in the file, {_size(layers[first.module])} in the model"
        _refuse(
            f"{name} is for a model of another size ({len(wrong)} targets differ: {shown(first.module)} is {sizes});"
            " choose an ID-LoRA for this model"
        )


def _size(shape: LinearShape) -> str:
    """in -> out, as people write it."""
    return f"{shape[1]}->{shape[0]}"
