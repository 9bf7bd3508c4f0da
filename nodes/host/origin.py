"""What is known of a clip when it is saved, and whether a given face and voice are those of a file."""

import datetime
import secrets
from typing import Any

import comfyui_version
from torch import Tensor

from ...idlora_core.credentials import fingerprint
from ...idlora_core.credentials.manifest import Origin
from ...idlora_core.credentials.report import Claims, match_sentence, recorded_nonce
from .signing_identity import clip_secret

Audio = dict[str, Any]


def new_origin(face: Tensor | None, voice: Audio | None, consent: str, allows_training: bool) -> Origin:
    """The origin of a clip that is made now, with a salt of its own.

    Raises:
        RuntimeError: the installation's secret cannot be used.
    """
    nonce = secrets.token_bytes(fingerprint.NONCE_BYTES)
    salt = fingerprint.salt_of_clip(clip_secret(), nonce)
    return Origin(
        software="ComfyUI",
        software_version=comfyui_version.__version__,
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        nonce=nonce.hex(),
        salt_id=fingerprint.salt_id(salt),
        face=_face_print(face, salt),
        voice=_voice_print(voice, salt),
        consent=consent,
        allows_training=allows_training,
    )


def salt_of(claims: Claims, given: str) -> bytes | None:
    """The salt of a clip: as given, or this installation's; None where the file has no nonce.

    Raises:
        ValueError: what was given is not a salt.
        RuntimeError: the installation's secret cannot be used.
    """
    given = given.strip()
    if given:
        try:
            salt = bytes.fromhex(given)
        except ValueError:
            salt = b""
        if len(salt) != fingerprint.SALT_BYTES:
            raise ValueError(
                f"The salt must be {2 * fingerprint.SALT_BYTES} digits of 0-9 and a-f, as whoever signed the clip reads"
                " it at Check Credentials; leave it empty for clips that were signed here."
            )
        return salt
    nonce = recorded_nonce(claims)
    return None if nonce is None else fingerprint.salt_of_clip(clip_secret(), nonce)


def salt_to_give(claims: Claims, salt: bytes | None) -> str:
    """The salt in hexadecimal where it is this clip's; a file made by somebody else gets nothing out of it."""
    return salt.hex() if salt and fingerprint.salt_id(salt) == claims.salt_id else ""


def match_sentences(
    claims: Claims, face: Tensor | None, voice: Audio | None, salt: bytes | None
) -> list[str]:
    """Whether the face and the voice are those of the file, a sentence for each that is given."""
    with_any = salt or b""
    prints = {"face": _face_print(face, with_any), "voice": _voice_print(voice, with_any)}
    sentences = (
        match_sentence(what, getattr(claims, what), found, claims, salt) for what, found in prints.items()
    )
    return [sentence for sentence in sentences if sentence]


def _face_print(face: Tensor | None, salt: bytes) -> str | None:
    return None if face is None else fingerprint.picture_fingerprint(face, salt)


def _voice_print(voice: Audio | None, salt: bytes) -> str | None:
    if voice is None:
        return None
    return fingerprint.recording_fingerprint(voice["waveform"], voice["sample_rate"], salt)
