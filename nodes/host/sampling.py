"""Runs a guider as the host's own sampler nodes do: same noise, preview, progress and interruption."""

import comfy.model_management
import comfy.sample
import comfy.utils
import latent_preview
import torch

from .guider import IdentityGuider
from .res2s import sampler_object


def sample(guider: IdentityGuider, latent: dict, sigmas: torch.Tensor, sampler_name: str, seed: int) -> dict:
    """Denoise a LATENT; keys such as the frame rate and the mask are carried along."""
    samples = latent["samples"]
    noise = comfy.sample.prepare_noise(samples, seed, latent.get("batch_index"))
    callback = latent_preview.prepare_callback(guider.model_patcher, sigmas.shape[-1] - 1)
    denoised = guider.sample(
        noise,
        samples,
        sampler_object(sampler_name),
        sigmas,
        denoise_mask=latent.get("noise_mask"),
        callback=callback,
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
        seed=seed,
    )
    return {**latent, "samples": denoised.to(comfy.model_management.intermediate_device())}
