"""From a voice file to a reference that the connected VAE would have made."""

import os
from dataclasses import replace
from datetime import date
from typing import Any

import comfy.model_management
import folder_paths
from comfy.sd import VAE

from ...idlora_core.consent import Consent
from ...idlora_core.reference import Reference
from ...idlora_core.voice.waveform import prepare_waveform
from ...idlora_core.voice_file import SUFFIX, Voice
from .flac import MAX_SECONDS, decode_flac
from .vae import audio_family, audio_grid, encode_reference
from .vae_fingerprint import vae_fingerprint
from .voice_folder import FOLDER, register_folders

Audio = dict[str, Any]
LENGTH_TOLERANCE_SECONDS = 0.1


def fingerprint(name: str) -> str:
    """Changes when the voice's file changes, and with the day: consent ends at midnight."""
    register_folders()
    path = folder_paths.get_full_path(FOLDER, f"{name}{SUFFIX}")
    if path is None:
        return ""
    state = os.stat(path)
    return f"{state.st_size} {state.st_mtime_ns} {date.today()}"


def check_consent(name: str, consent: Consent, today: date) -> None:
    """Refuse a voice whose consent has ended.

    Raises:
        ValueError: with who gave it, and when it ended.
    """
    if consent.has_ended(today):
        by = f" that {consent.by} gave" if consent.by else ""
        raise ValueError(
            f"The consent{by} for the voice {name!r} ended on {consent.until}. Ask for a new one and save the"
            " voice again, or choose another voice."
        )


def matching_recording(reference: Reference, audio: Audio) -> tuple:
    """Waveform and rate of the recording that a reference was made of.

    Raises:
        ValueError: a recording of another length.
    """
    waveform, sample_rate = audio["waveform"], audio["sample_rate"]
    seconds = waveform.shape[-1] / sample_rate
    encoded = reference.num_tokens * reference.grid.seconds_per_latent
    if sample_rate != reference.grid.sample_rate or abs(seconds - encoded) > LENGTH_TOLERANCE_SECONDS:
        raise ValueError(
            f"The audio has {seconds:.1f} s at {sample_rate} Hz, and the voice was encoded from {encoded:.1f} s at"
            f" {reference.grid.sample_rate} Hz. Connect the audio output of the Encode Reference Audio that made it."
        )
    return waveform, sample_rate


def recording(voice: Voice) -> Audio | None:
    """The recording in a voice file as an AUDIO of the host; None where there is none.

    Raises:
        ValueError: not FLAC, or too long.
    """
    if not voice.flac:
        return None
    waveform, sample_rate = decode_flac(voice.flac)
    return {"waveform": waveform.expand(-1, 2, -1).contiguous(), "sample_rate": sample_rate}


def reference_for(name: str, voice: Voice, audio: Audio | None, vae: VAE | None) -> tuple[Reference, str]:
    """The reference of a saved voice, encoded again where the connected VAE is not the one that made it.

    Returns:
        The reference, and what to tell the user; its latent is that of the file, bit for bit, unless it was encoded
        again.

    Raises:
        ValueError: another VAE is connected and there is no recording in the file, or no VAE and no latent.
    """
    saved = voice.reference
    connected = None if vae is None else vae_fingerprint(vae)
    if saved is not None and connected in (None, saved.vae_fingerprint):
        device = comfy.model_management.intermediate_device()
        latent = saved.latent.to(device)
        return replace(saved, latent=latent), ""
    if vae is None:
        raise ValueError(
            f"The voice {name!r} is a recording that is not encoded yet: connect audio_vae"
            " (LTXV Audio VAE Loader with the LTX-2 checkpoint)."
        )
    if audio is None:
        made_with = saved.vae_fingerprint if saved is not None else ""
        raise ValueError(
            f"The voice {name!r} was encoded with another audio VAE ({made_with or 'unknown'}; connected is"
            f" {connected}) and has no recording inside. Use the checkpoint that it was made with, or save it again"
            " from the recording."
        )
    reference = _encoded_again(audio, vae, connected or "", None if saved is None else saved.gap_seconds)
    remark = "Encoded from the recording in the file, with the connected VAE."
    return replace(reference, embedding=voice.embedding), remark


def _encoded_again(audio: Audio, vae: VAE, fingerprint: str, gap_seconds: float | None) -> Reference:
    """All of a recording as the connected VAE encodes it."""
    grid = audio_grid(vae)
    waveform, sample_rate = audio["waveform"], audio["sample_rate"]
    spans = [(0, waveform.shape[-1])]
    waveform = prepare_waveform(waveform, sample_rate, grid.sample_rate, MAX_SECONDS, spans)
    latent = encode_reference(vae, waveform)
    return Reference(latent, grid, gap_seconds, audio_family(vae), fingerprint)
