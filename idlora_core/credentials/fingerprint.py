"""Fingerprints of a face and a voice that only somebody who was given the salt can compare."""

import hashlib
import hmac

import torch
from torch import Tensor

NONCE_BYTES, SALT_BYTES = 16, 32
RGB = 3


def salt_of_clip(secret: bytes, nonce: bytes) -> bytes:
    """The salt of one clip, from the installation's secret and the number that stands in the clip.

        salt = HMAC-SHA256(secret, nonce)

    The installation can compute it again from the file; it can be given away for one clip without the secret.

    Args:
        secret: 32 random bytes that stay on the machine.
        nonce: 16 random bytes, public, new for each clip.

    Returns:
        32 bytes.
    """
    return hmac.digest(secret, nonce, "sha256")


def salt_id(salt: bytes) -> str:
    """A name of the salt that says nothing about it: tells a wrong salt from a wrong face."""
    return hashlib.sha256(b"idlora salt" + salt).hexdigest()[:32]


def picture_fingerprint(images: Tensor, salt: bytes) -> str:
    """Salted hash of the pictures as they are seen, whatever file they came from.

        HMAC-SHA256(salt, size + pixels)      pixels 8 bit RGB, alpha left out

    Args:
        images: (B, H, W, C) in [0, 1], C of 3 or more.
        salt: 32 bytes.

    Returns:
        64 hexadecimal digits. One changed pixel changes all: a picture that was compressed again does not match.
    """
    pixels = (images[..., :RGB].float().clamp(0, 1) * 255).round().to(torch.uint8)
    return _keyed(salt, f"picture {tuple(pixels.shape)}", pixels)


def recording_fingerprint(waveform: Tensor, sample_rate: int, salt: bytes) -> str:
    """The same for a recording: samples of 16 bit, with their rate.

    Args:
        waveform: (B, C, N), full scale = 1.
        sample_rate: Hz.
        salt: 32 bytes.
    """
    samples = (waveform.float().clamp(-1, 1) * 32767).round().to(torch.int16)
    return _keyed(salt, f"recording {sample_rate} {tuple(samples.shape)}", samples)


def _keyed(salt: bytes, header: str, content: Tensor) -> str:
    mac = hmac.new(salt, header.encode(), "sha256")
    mac.update(content.cpu().contiguous().numpy().tobytes())
    return mac.hexdigest()
