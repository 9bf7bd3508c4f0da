"""Which weights made a result: a digest that is the same after a restart, and another for another file or LoRA."""

import hashlib
from collections.abc import Iterator

import torch
from comfy.model_patcher import ModelPatcher

SAMPLES = 64  # of each tensor, evenly spread


def weights_digest(patcher: ModelPatcher) -> str:
    """sha256 over names, shapes, types and 64 values of each weight and of each patch on it.

    Enough to tell checkpoints apart; a change of a few values in one tensor may go unseen.
    """
    digest = hashlib.sha256()
    for name, weight in sorted(patcher.model.state_dict().items()):
        _add(digest, name, weight)
    for name, patches in sorted(patcher.patches.items(), key=lambda item: str(item[0])):
        for strength, patch, strength_of_model, *_ in patches:
            digest.update(f"{name} {strength} {strength_of_model} {type(patch).__name__}".encode())
            for tensor in _tensors(getattr(patch, "weights", patch)):
                _add(digest, "", tensor)
    return digest.hexdigest()


def _add(digest, name: str, weight: torch.Tensor) -> None:
    digest.update(f"{name} {tuple(weight.shape)} {weight.dtype}".encode())
    flat = weight.detach().reshape(-1)
    values = flat[:: max(flat.numel() // SAMPLES, 1)][:SAMPLES]
    digest.update(values.float().cpu().numpy().tobytes())


def _tensors(patch: object) -> Iterator[torch.Tensor]:
    if isinstance(patch, torch.Tensor):
        yield patch
    elif isinstance(patch, tuple | list):
        for part in patch:
            yield from _tensors(part)
