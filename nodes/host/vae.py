"""The host's two VAEs: what they encode and decode for us, and whether the right one is connected."""

from fractions import Fraction
from typing import cast

import comfy.model_management
import torch
from comfy.ldm.lightricks.vae.audio_vae import AudioVAE
from comfy.ldm.lightricks.vae.causal_video_autoencoder import VideoVAE
from comfy.sd import VAE
from comfy_api.latest import InputImpl, Types

from ...idlora_core.families import FAMILIES, ModelFamily, audio_vae_family
from ...idlora_core.frames import PIXELS_PER_LATENT
from ...idlora_core.positions import AudioGrid
from ...idlora_core.voice.waveform import CHANNELS

TILE_PIXELS, TILE_OVERLAP_PIXELS = 512, 64
TILE_LATENT_FRAMES, TILE_OVERLAP_LATENT_FRAMES = 8, 1
FRAME_RATE_DENOMINATOR = 1001
VIDEO_CHANNELS = {family.video_channels for family in FAMILIES}


def audio_model(vae: VAE) -> AudioVAE:
    """The network of an LTX-2 audio VAE.

    Raises:
        ValueError: another VAE is connected.
    """
    model = getattr(vae, "first_stage_model", None)
    if not isinstance(model, AudioVAE):
        raise ValueError(
            f"The audio VAE socket got {type(model).__name__}; connect LTXV Audio VAE Loader"
            " with an LTX-2 checkpoint."
        )
    return model


def check_video_vae(vae: VAE) -> None:
    """Refuse anything but an LTX-2 video VAE."""
    model = getattr(vae, "first_stage_model", None)
    if not isinstance(model, VideoVAE) or vae.latent_channels not in VIDEO_CHANNELS:
        raise ValueError(
            f"The video VAE socket got {type(model).__name__}; connect the VAE output of the"
            " checkpoint loader that loads LTX-2."
        )


def audio_grid(vae: VAE) -> AudioGrid:
    """Time grid of an audio VAE."""
    model = audio_model(vae)
    patchifier = model.normalizer.patchifier
    return AudioGrid(model.sample_rate, model.mel_hop_length, patchifier.audio_latent_downsample_factor)


def audio_family(vae: VAE) -> ModelFamily:
    """The family of an audio VAE, by the parts of its vocoder."""
    return audio_vae_family({name for name, _ in audio_model(vae).vocoder.named_children()})


def encode_reference(vae: VAE, waveform: torch.Tensor) -> torch.Tensor:
    """Audio latent of a waveform that is already at the VAE's rate.

    `VAE.encode` would take it for 44.1 kHz and crop it to a multiple of 4096 samples, which loses up
    to 93 ms; the network is called directly, loaded by the host as `VAE.encode` loads it.

    Args:
        waveform: (1, 2, N) float32 at `audio_grid(vae).sample_rate`.

    Returns:
        (1, 8, T, 16) float32 on the host's intermediate device.
    """
    model = audio_model(vae)
    memory = vae.memory_used_encode(waveform.shape, vae.vae_dtype)
    comfy.model_management.load_models_gpu(
        [vae.patcher], memory_required=memory, force_full_load=vae.disable_offload
    )
    with torch.no_grad():
        latent = model.encode(waveform.to(vae.device, vae.vae_dtype), sample_rate=model.sample_rate)
    return latent.to(comfy.model_management.intermediate_device(), torch.float32)


def empty_audio(vae: VAE, num_latents: int) -> torch.Tensor:
    """(1, 8, T, 16) zeros."""
    model = audio_model(vae)
    return torch.zeros(1, model.latent_channels, num_latents, model.latent_frequency_bins)


def encode_silence(vae: VAE, num_latents: int) -> torch.Tensor:
    """(1, 8, T, 16): what the VAE makes of digital silence, which is not zeros."""
    grid = audio_grid(vae)
    samples = num_latents * grid.mel_frames_per_latent * grid.hop_length
    # One latent more than wanted comes back: the VAE is causal, so that the last does not change the others.
    return encode_reference(vae, torch.zeros(1, CHANNELS, samples))[:, :, :num_latents]


def encode_picture(vae: VAE, image: torch.Tensor, num_frames: int = 1) -> torch.Tensor:
    """A still clip of one picture: (1, H, W, 3) in [0, 1] -> (1, 128, F, H / 32, W / 32).

    Args:
        num_frames: 8n + 1, which makes n + 1 latent frames.
    """
    check_video_vae(vae)
    return vae.encode(image.expand(num_frames, -1, -1, -1))


def encode_frames(vae: VAE, frames: torch.Tensor) -> torch.Tensor:
    """A moving clip: (8n + 1, H, W, 3) in [0, 1] -> (1, 128, n + 1, H / 32, W / 32)."""
    check_video_vae(vae)
    return vae.encode(frames)


def decode_video(vae: VAE, latent: torch.Tensor, tiling: str) -> torch.Tensor:
    """(1, 128, F, H, W) -> frames (8F - 7, 32H, 32W, 3) in [0, 1].

    Args:
        tiling: `on`, `off`, or `auto`: tiled when a whole decode would not fit in free memory.
    """
    check_video_vae(vae)
    tiled = tiling == "on" or (tiling == "auto" and not _fits_in_memory(vae, latent))
    if not tiled:
        frames = vae.decode(latent)
    else:
        frames = vae.decode_tiled(
            latent,
            tile_x=TILE_PIXELS // PIXELS_PER_LATENT,
            tile_y=TILE_PIXELS // PIXELS_PER_LATENT,
            overlap=TILE_OVERLAP_PIXELS // PIXELS_PER_LATENT,
            tile_t=TILE_LATENT_FRAMES,
            overlap_t=TILE_OVERLAP_LATENT_FRAMES,
        )
    return frames.reshape(-1, *frames.shape[-3:])  # BFHWC -> (BF)HWC


def _fits_in_memory(vae: VAE, latent: torch.Tensor) -> bool:
    """Whether the host expects a whole decode to fit beside what is loaded."""
    needed = vae.memory_used_decode(latent.shape, vae.vae_dtype)
    return needed <= cast(int, comfy.model_management.get_free_memory(vae.device))


def decode_audio(vae: VAE, latent: torch.Tensor) -> tuple[torch.Tensor, int]:
    """(1, 8, T, 16) -> waveform (1, 2, N) and its sample rate in Hz."""
    model = audio_model(vae)
    return vae.decode(latent).movedim(-1, 1), int(model.output_sample_rate)


def video_with_sound(frames: torch.Tensor, waveform: torch.Tensor, sample_rate: int, frame_rate: float):
    """A VIDEO of the host from frames (F, H, W, 3) and a waveform (1, C, N)."""
    components = Types.VideoComponents(
        images=frames,
        audio={"waveform": waveform, "sample_rate": sample_rate},
        frame_rate=Fraction(frame_rate).limit_denominator(FRAME_RATE_DENOMINATOR),
    )
    return InputImpl.VideoFromComponents(components)
