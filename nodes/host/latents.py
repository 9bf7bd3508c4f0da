"""Joint audio-video latents: how the host holds them, what the pack makes and accepts."""

import comfy.model_management
import torch
from comfy.model_patcher import ModelPatcher
from comfy.nested_tensor import NestedTensor

from ...idlora_core.clean_start import num_held_latents
from ...idlora_core.frames import checked_frame_rate

FRAME_RATE = "frame_rate"
LEAD_IN_FRAMES = "lead_in_frames"
"""Keys of a LATENT beside the host's own; the host's nodes copy them along."""
HOSTS_FRAME_RATE = 25.0  # what the model takes where nothing says another


def joint_latent(
    video: torch.Tensor,
    audio: torch.Tensor,
    first_frame_strength: float | None,
    frame_rate: float,
    lead_in_frames: int = 0,
    num_silent_latents: int = 0,
) -> dict:
    """A LATENT that holds both streams.

    Args:
        video: (1, 128, F, H, W). audio: (1, 8, T, 16).
        first_frame_strength: 1 keeps the first latent frame, and those of a lead-in, as they are, 0 lets
            them go; None = no picture.
        frame_rate: frames per second, carried along under `frame_rate`.
        lead_in_frames: frames before the clip, carried along under `lead_in_frames` where there are any.
        num_silent_latents: audio latents at the start that stay as they are.
    """
    device = comfy.model_management.intermediate_device()
    video, audio = video.to(device), audio.to(device)
    latent = {"samples": NestedTensor((video, audio)), FRAME_RATE: frame_rate}
    if lead_in_frames:
        latent[LEAD_IN_FRAMES] = lead_in_frames
    if first_frame_strength is not None or num_silent_latents:
        video_mask = torch.ones((video.shape[0], 1, video.shape[2], 1, 1), device=device)
        video_mask[:, :, : num_held_latents(lead_in_frames)] = 1.0 - (first_frame_strength or 0.0)
        audio_mask = torch.ones_like(audio)
        audio_mask[:, :, :num_silent_latents] = 0.0
        latent["noise_mask"] = NestedTensor((video_mask, audio_mask))
    return latent


def streams(latent: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """Video and audio of a LATENT.

    Raises:
        ValueError: it holds only one stream, or one that is empty or not finite.
    """
    samples = latent["samples"]
    if not samples.is_nested or len(samples.unbind()) != 2:
        raise ValueError(_ONE_STREAM.format(shape=tuple(samples.shape)))
    video, audio = samples.unbind()
    for name, stream in (("video", video), ("audio", audio)):
        if 0 in stream.shape:
            raise ValueError(
                f"The {name} part of the latent is empty, of shape {tuple(stream.shape)}. {_MAKE_IT}"
            )
        if not stream.isfinite().all():
            raise ValueError(f"The {name} part of the latent holds values that are not numbers. {_MAKE_IT}")
    return video, audio


def frame_rate_of(latent: dict, frame_rate: float = 0.0) -> float:
    """At which a LATENT plays: the given rate, where that is 0 its own, else the model's 25.

    Raises:
        ValueError: not a frame rate.
    """
    return checked_frame_rate(frame_rate or latent.get(FRAME_RATE, HOSTS_FRAME_RATE))


def check_joint_latent(model: ModelPatcher, samples) -> None:
    """Refuse a latent that this model cannot denoise, with what to connect instead.

    Raises:
        ValueError: one stream only, wrong channels, or batches that differ.
    """
    video, audio = streams({"samples": samples})
    network = model.model.diffusion_model
    channels = model.model.latent_format.latent_channels
    if video.ndim != 5 or video.shape[1] != channels:
        raise ValueError(
            f"The video part of the latent has shape {tuple(video.shape)}; this model needs"
            f" (batch, {channels}, frames, height, width). Use First-Frame Condition to make it."
        )
    expected = (network.num_audio_channels, network.audio_frequency_bins)
    if audio.ndim != 4 or (audio.shape[1], audio.shape[3]) != expected:
        raise ValueError(
            f"The audio part of the latent has shape {tuple(audio.shape)}; this model needs"
            f" (batch, {expected[0]}, time, {expected[1]}). Use First-Frame Condition to make it."
        )
    if video.shape[0] != audio.shape[0]:
        raise ValueError(
            f"The latent's video batch is {video.shape[0]} and its audio batch is {audio.shape[0]}; they must match."
        )


_MAKE_IT = "Use First-Frame Condition to make one."
_ONE_STREAM = (
    "The latent holds only one stream, of shape {shape}; video and audio are needed together."
    " Use First-Frame Condition, or join two latents with LTXV Concat AV Latent."
)
