"""Which weights made a result: a digest that is the same after a restart, and another for another file."""

import hashlib

import torch

SAMPLES = 64  # of each tensor, evenly spread


def weights_digest(model: torch.nn.Module) -> str:
    """sha256 over names, shapes, types and 64 values of each weight: enough to tell checkpoints apart."""
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(weight.shape)} {weight.dtype}".encode())
        flat = weight.detach().reshape(-1)
        values = flat[:: max(flat.numel() // SAMPLES, 1)][:SAMPLES]
        digest.update(values.float().cpu().numpy().tobytes())
    return digest.hexdigest()
