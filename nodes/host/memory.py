"""What the host says of memory."""

from typing import cast

import comfy.model_management
import torch


def free_bytes(device: torch.device) -> float:
    """Memory that the host could give to a computation on a device."""
    return cast(float, comfy.model_management.get_free_memory(device))
