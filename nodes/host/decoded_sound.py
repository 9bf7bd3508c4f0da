"""The sound of a joint latent, decoded once: Pick Take hears every take, and AV Decode need not decode the best again."""

from dataclasses import dataclass
from typing import Any
from weakref import ReferenceType, ref

import torch
from comfy.sd import VAE

from ...idlora_core.clean_start import without_lead_in
from ...idlora_core.frames import FRAMES_PER_LATENT
from ...idlora_core.sound import fitted_to_frames
from .latents import LEAD_IN_FRAMES, frame_rate_of, streams
from .vae import audio_model, decode_audio

KEY = "decoded_sound"
"""Of a LATENT beside the host's own; nodes that change the latent may copy it along, so it is checked before use."""


@dataclass(frozen=True)
class DecodedSound:
    """What a network made of an audio latent."""

    latent: torch.Tensor
    network: ReferenceType
    waveform: torch.Tensor
    sample_rate: int

    def is_of(self, latent: torch.Tensor, vae: VAE) -> bool:
        """Whether decoding that latent with that VAE would give this sound."""
        return self.network() is audio_model(vae) and torch.equal(self.latent, latent)


def decoded_sound(latent: dict[str, Any], vae: VAE) -> tuple[torch.Tensor, int]:
    """Waveform (1, 2, N) and rate of a LATENT's audio, as `decode_audio`; decoded unless that was done already."""
    _, audio = streams(latent)
    known = latent.get(KEY)
    if isinstance(known, DecodedSound) and known.is_of(audio, vae):
        return known.waveform, known.sample_rate
    return decode_audio(vae, audio)


def with_decoded_sound(latent: dict[str, Any], vae: VAE) -> dict[str, Any]:
    """The LATENT with its sound beside it."""
    _, audio = streams(latent)
    return {**latent, KEY: DecodedSound(audio, ref(audio_model(vae)), *decoded_sound(latent, vae))}


def heard_sound(latent: dict[str, Any], vae: VAE, frame_rate: float) -> tuple[torch.Tensor, int]:
    """The sound as AV Decode gives it: without a lead-in, and as long as the picture.

    Args:
        frame_rate: see `latents.frame_rate_of`.
    """
    video, _ = streams(latent)
    waveform, sample_rate = decoded_sound(latent, vae)
    frame_rate = frame_rate_of(latent, frame_rate)
    num_frames = (video.shape[2] - 1) * FRAMES_PER_LATENT + 1
    frames = torch.empty(num_frames, 0)  # of the picture only their number counts
    lead_in = latent.get(LEAD_IN_FRAMES, 0)
    frames, waveform = without_lead_in(frames, waveform, sample_rate, lead_in, frame_rate)
    return fitted_to_frames(waveform, sample_rate, frames.shape[0], frame_rate), sample_rate
