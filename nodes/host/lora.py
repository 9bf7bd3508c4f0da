"""Puts a LoRA on a MODEL through the host's own patches, so that it works on whatever the host can patch."""

from collections.abc import Mapping
from typing import Any

import comfy.model_management
import comfy.utils
import folder_paths
import torch
from comfy.model_patcher import ModelPatcher
from comfy.weight_adapter import LoRAAdapter, WeightAdapterBase

from ...idlora_core.lora.dora import dora_weight
from ...idlora_core.lora.files import LoraTarget, check_finite, fingerprint, read_lora
from ...idlora_core.lora.match import LoraMatch, checked_strength, match
from ...idlora_core.lora.safetensors_header import shown
from .variant import NETWORK, linear_shapes

FOLDER = "loras"


def lora_names() -> list[str]:
    """Files in models/loras, as the host lists them, but those named as ID-LoRAs first: the first is the default."""
    return sorted(folder_paths.get_filename_list(FOLDER), key=lambda name: "id-lora" not in name.lower())


def lora_path(lora_name: str) -> str:
    """Where a file of models/loras lies.

    Raises:
        ValueError: it is not there.
    """
    path = folder_paths.get_full_path(FOLDER, lora_name)
    if path is None:
        raise ValueError(
            f"There is no {shown(lora_name)} in models/loras; put it there or choose another file."
        )
    return path


def lora_fingerprint(lora_name: str) -> str:
    """Changes when the file or its settings change, so that the host runs the node again."""
    path = folder_paths.get_full_path(FOLDER, lora_name)
    return fingerprint(path) if path else ""


def fit_lora(model: ModelPatcher, lora_name: str) -> LoraMatch:
    """What is in a file and how it fits the model, by the file's header alone.

    Raises:
        ValueError: the file cannot do what an ID-LoRA does on this model; see `read_lora` and `match`.
    """
    return match(read_lora(lora_path(lora_name)), linear_shapes(model))


def apply_lora(model: ModelPatcher, fit: LoraMatch, strength: float) -> ModelPatcher:
    """A clone of the model with the LoRA on it.

    Args:
        strength: 1 as trained; at 0 nothing is put on the clone.

    Raises:
        ValueError: absurd strength, or weights that are not finite numbers.
        RuntimeError: the model has the layers, but the host cannot patch them.
    """
    patched = model.clone()
    if checked_strength(strength) != 0.0:
        _add(patched, fit, strength)
    return patched


def _add(model: ModelPatcher, fit: LoraMatch, strength: float) -> None:
    tensors: Any = comfy.utils.load_torch_file(str(fit.lora.path), safe_load=True)
    check_finite(fit.lora, tensors)
    patches = {f"{NETWORK}.{target.module}.weight": _adapter(target, tensors) for target in fit.matched}
    taken = model.add_patches(patches, strength)
    if len(taken) != len(patches):
        raise RuntimeError(
            f"ComfyUI could put only {len(taken)} of {len(patches)} LoRA patches on this model;"
            " load it with another loader node, or in another format."
        )


def _adapter(target: LoraTarget, tensors: Mapping[str, torch.Tensor]) -> WeightAdapterBase:
    """The patch of one layer: the host's own for a LoRA, ours for a DoRA."""
    up, down = tensors[target.up], tensors[target.down]
    if target.magnitude is None:
        return LoRAAdapter({target.up, target.down}, (up, down, target.alpha, None, None, None))
    keys = {target.up, target.down, target.magnitude}
    return DoRAAdapter(keys, (up, down, target.alpha, tensors[target.magnitude]))


class DoRAAdapter(WeightAdapterBase):
    """DoRA as PEFT merges it; see `idlora_core.lora.dora` for what the host's own does otherwise.

    The host makes copies as `type(adapter)(loaded_keys, weights)` with the tensors of `weights` on another
    device, so everything is in these two.
    """

    name = "idlora_dora"
    weights: tuple  # up, down, alpha or None, magnitude

    def __init__(self, loaded_keys: set[str], weights: tuple):
        self.loaded_keys = loaded_keys
        self.weights = weights

    def calculate_weight(
        self, weight, key, strength, strength_model, offset, function,
        intermediate_dtype=torch.float32, original_weight=None,
    ):  # fmt: skip
        """The weight, changed in place. Computed in float32 whatever the host asks for: norms need it."""
        up, down, alpha, magnitude = self.weights
        up, down, magnitude = (
            comfy.model_management.cast_to_device(tensor, weight.device, torch.float32)
            for tensor in (up, down, magnitude)
        )
        scale = 1.0 if alpha is None else alpha / down.shape[0]
        delta = function((up @ down) * scale)
        return weight.copy_(dora_weight(weight, delta, magnitude, strength))
