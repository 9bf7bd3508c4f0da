"""What a mask keeps, kept exactly."""

import comfy.sampler_helpers
import torch
from comfy.nested_tensor import NestedTensor


def with_kept_parts(denoised: NestedTensor, given: NestedTensor, denoise_mask) -> NestedTensor:
    """The denoised latent, with what the mask forbids to denoise exactly as it was given.

    Samplers leave rounding there: in float32, x + (x - d) / s * (0 - s) is not d. A second stage
    that keeps the first one's sound keeps it bit for bit only so.

    Args:
        denoise_mask: mask of each stream, or of the first one; None keeps nothing. 0 = keep.
    """
    if denoise_mask is None:
        return denoised
    masks = denoise_mask.unbind() if denoise_mask.is_nested else [denoise_mask]
    parts = list(denoised.unbind())
    for index, (mask, part) in enumerate(zip(masks, given.unbind(), strict=False)):
        mask = comfy.sampler_helpers.prepare_mask(mask, part.shape, parts[index].device)
        parts[index] = torch.where(mask == 0, part.to(parts[index]), parts[index])
    return NestedTensor(parts)
