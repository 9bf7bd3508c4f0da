"""The host's latent upscaler, and the joint latent that a second stage starts from."""

import comfy.model_management
import torch
from comfy.ldm.lightricks.latent_upsampler import LatentUpsampler
from comfy.nested_tensor import NestedTensor
from comfy.sd import VAE
from comfy_extras.nodes_lt_upsampler import LTXVLatentUpsampler

from ...idlora_core.clean_start import num_held_latents
from .latents import LEAD_IN_FRAMES, streams

VIDEO_SCALE = 2


def check_upscale_model(upscale_model) -> None:
    """Refuse anything but a spatial x2 upscaler of LTX-2 latents.

    Raises:
        ValueError: another object, a temporal upscaler, or one of another scale.
    """
    network = getattr(upscale_model, "model", upscale_model)  # hosts from 0.30.0 wrap it in a ModelPatcher
    if not isinstance(network, LatentUpsampler):
        raise ValueError(
            f"The upscale model socket got {type(network).__name__}; connect Load Latent Upscale Model"
            " with an LTX-2 spatial upscaler x2."
        )
    kind = "temporal" if network.temporal_upsample else f"spatial x{network.spatial_scale:g}"
    if kind != f"spatial x{VIDEO_SCALE}" or network.in_channels != 128:
        raise ValueError(
            f"The upscale model is {kind} for {network.in_channels} channels; Second Stage needs spatial"
            f" x{VIDEO_SCALE} for 128, such as ltx-2.3-spatial-upscaler-x2-1.1.safetensors."
        )


def upscaled_video(upscale_model, vae: VAE, video: torch.Tensor) -> torch.Tensor:
    """(B, 128, F, H, W) -> (B, 128, F, 2H, 2W), by the code of the host's own node.

    It takes the VAE's channel statistics out, runs the model in memory made free for it, puts them back.
    """
    run = getattr(LTXVLatentUpsampler, "execute", None)  # a V3 node in newer hosts only
    run = run or LTXVLatentUpsampler().upsample_latent
    with torch.no_grad():
        return run({"samples": video}, upscale_model, vae)[0]["samples"]


def second_stage_latent(latent: dict, video: torch.Tensor, first_frame_strength: float) -> dict:
    """The LATENT with another video, its audio frozen.

    Args:
        latent: of the first stage; its audio and all keys but the mask are carried along.
        video: (B, 128, F, H, W).
        first_frame_strength: 1 keeps the first latent frame, and those of a lead-in, as they are, 0 lets
            them go.
    """
    audio = streams(latent)[1]
    video = video.to(comfy.model_management.intermediate_device())
    video_mask = torch.ones((video.shape[0], 1, video.shape[2], 1, 1), device=video.device)
    video_mask[:, :, : num_held_latents(latent.get(LEAD_IN_FRAMES, 0))] = 1.0 - first_frame_strength
    masks = NestedTensor((video_mask, torch.zeros_like(audio)))
    return {**latent, "samples": NestedTensor((video, audio)), "noise_mask": masks}
