"""How far two results are apart."""

import torch
from torch import Tensor


def relative_l2(value: Tensor, expected: Tensor) -> float:
    """||value - expected|| / ||expected||, the measure that docs/parity.md quotes."""
    difference = torch.linalg.vector_norm(value.double() - expected.double())
    return (difference / torch.linalg.vector_norm(expected.double())).item()
