"""Reads off a MODEL of the host which variant it is."""

from typing import Any

import torch
from comfy.model_patcher import ModelPatcher

from ...idlora_core.families import UNKNOWN, LinearShape, ModelFamily, model_family
from ...idlora_core.variant import Variant, distilled_by_name, distilled_by_ranks

NETWORK = "diffusion_model"
VIDEO_SELF_ATTENTION = ".attn1."


def variant_of(model: ModelPatcher) -> Variant:
    """Family by architecture; distilled by the LoRAs on it, else by the checkpoint's file name."""
    distilled, evidence = _distilled(model)
    sampling: Any = model.get_model_object("model_sampling")
    probe = torch.tensor([0.5])
    return Variant(
        family_of(model), distilled, evidence, bool(torch.allclose(sampling.timestep(probe), probe))
    )


def family_of(model: ModelPatcher) -> ModelFamily:
    """The model's family; `UNKNOWN` where it is of none that the pack knows."""
    return model_family(linear_shapes(model)) or UNKNOWN


def linear_shapes(model: ModelPatcher) -> dict[str, LinearShape]:
    """Every linear layer of the diffusion model: name to (out_features, in_features).

    Asked of the layers, for a quantised weight (GGUF, NVFP4) has a packed shape of its own.
    """
    layers = model.model.get_submodule(NETWORK).named_modules()
    return {name: (layer.out_features, layer.in_features) for name, layer in layers if _is_linear(layer)}


def _is_linear(layer: torch.nn.Module) -> bool:
    return hasattr(layer, "in_features") and hasattr(layer, "out_features")


def _distilled(model: ModelPatcher) -> tuple[bool | None, str]:
    """Whether the model is distilled, and what says so."""
    if distilled_by_ranks(_video_lora_ranks(model)):
        return True, "a LoRA of high rank on the video stream"
    name = _checkpoint_name(model)
    return distilled_by_name(name), name


def _video_lora_ranks(model: ModelPatcher) -> list[int]:
    """Ranks of the LoRAs on video self-attention that act at all."""
    ranks = []
    for key, patches in model.patches.items():
        if VIDEO_SELF_ATTENTION in key:
            ranks += [_rank(adapter) for strength, adapter, *_ in patches if strength]
    return ranks


def _rank(adapter) -> int:
    """Rank of a LoRA adapter of the host; 0 for patches of other kinds."""
    weights = getattr(adapter, "weights", None)
    if not isinstance(weights, tuple) or not isinstance(weights[0], torch.Tensor):
        return 0
    return weights[0].shape[1]  # up: (out_features, rank)


def _checkpoint_name(model: ModelPatcher) -> str:
    """File name of the checkpoint where the host remembers it (0.27 and newer), else empty."""
    init = getattr(model, "cached_patcher_init", None)
    arguments = init[1] if init else ()
    paths = [a for a in arguments if isinstance(a, str)]
    return paths[0].replace("\\", "/").rsplit("/", 1)[-1] if paths else ""
