"""DoRA: a weight taken apart into directions and magnitudes (arXiv 2402.09353).

Differences from the host's own `weight_decompose`: the norm is that of the changed weight, as in the paper and
in PEFT; the host divides by the norm of the unchanged one when the magnitude is per output row.
"""

import torch
from torch import Tensor


def dora_weight(weight: Tensor, delta: Tensor, magnitude: Tensor, strength: float = 1.0) -> Tensor:
    """The weight that a DoRA adapter makes.

        V  = W + delta
        W' = m * V / |V|            |V| per row, or per column when m is
        W + strength * (W' - W)

    Args:
        weight: W, (out, in). After another LoRA it is the weight that this one made.
        delta: scale * B A, the same shape.
        magnitude: m: (out,) or (out, 1) for rows, (1, in) for columns.
        strength: 1 is the adapter as trained, 0 leaves the weight.

    Returns:
        (out, in), new, float32. A row of zeros stays a row of zeros.

    Source:
        arXiv 2402.09353, eq. 5; peft `DoraLinearVariant.merge_safe`.
    """
    weight, changed = weight.float(), weight.float() + delta.float()
    per_column = magnitude.ndim == 2 and magnitude.shape[0] == 1 and weight.shape[0] != 1
    norm = torch.linalg.norm(changed, dim=0 if per_column else 1)
    factor = magnitude.float().flatten() / torch.where(norm == 0, torch.ones_like(norm), norm)
    decomposed = (factor[None, :] if per_column else factor[:, None]) * changed
    return decomposed if strength == 1.0 else weight + strength * (decomposed - weight)


def magnitude_fits(shape: tuple[int, ...], out_features: int, in_features: int) -> bool:
    """Whether a magnitude of this shape belongs to a weight of (out, in)."""
    return shape in ((out_features,), (out_features, 1), (1, in_features))
