"""Which audio VAE made a latent: a latent of one is noise to another."""

import hashlib

import torch
from comfy.sd import VAE

from .vae import audio_model

DIGITS = 12
# Few and small, and different in any two VAEs that were trained apart: the encoder's two ends, and the statistics
# by which its latent is normalised.
PARTS = ("encoder.conv_in.", "encoder.conv_out.", "per_channel_statistics.")


def vae_fingerprint(vae: VAE) -> str:
    """A name for the weights of an LTX-2 audio VAE: `48000 Hz, 1a2b3c4d5e6f`.

    The rate is that of the sound it decodes to, which tells LTX-2's from newer ones at a glance. Weights count as
    bfloat16, in which the checkpoints have them, whatever precision the host loaded them in.

    Raises:
        ValueError: another kind of VAE is connected.
    """
    model = audio_model(vae)
    weights = model.autoencoder.state_dict()
    digest = hashlib.sha256()
    for name in sorted(key for key in weights if key.startswith(PARTS)):
        values = weights[name].detach().to("cpu", torch.bfloat16).contiguous()
        digest.update(f"{name} {tuple(values.shape)}".encode() + values.view(torch.int16).numpy().tobytes())
    return f"{model.output_sample_rate} Hz, {digest.hexdigest()[:DIGITS]}"
