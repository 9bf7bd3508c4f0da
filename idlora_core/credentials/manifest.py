"""What a signed clip says about itself: a C2PA manifest definition, as data."""

from dataclasses import dataclass
from typing import Any

CLAIM_GENERATOR = "ID-LoRA for LTX-2"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CONSENT_LABEL = "org.idlora.consent"
TRAINING_LABEL = "cawg.training-mining"
TRAINING_USES = (
    "cawg.ai_inference",
    "cawg.ai_generative_training",
    "cawg.ai_training",
    "cawg.data_mining",
)
NO_CONSENT = "none given"
LONGEST_CONSENT = 4000


@dataclass(frozen=True)
class Origin:
    """What is known of a clip when it is saved.

    Attributes:
        software, software_version: the program that made it.
        created: ISO 8601, as the machine's clock says.
        nonce: hexadecimal, see `fingerprint.salt_of_clip`.
        salt_id: see `fingerprint.salt_id`.
        face, voice: fingerprints; None = none was given.
        consent: what the signer states; "" = nothing, which the manifest then says.
        allows_training: False says "not allowed" for mining, training and inference.
    """

    software: str
    software_version: str
    created: str
    nonce: str
    salt_id: str
    face: str | None = None
    voice: str | None = None
    consent: str = ""
    allows_training: bool = False


def checked_consent(text: str) -> str:
    """The statement without blank ends.

    Raises:
        ValueError: it is longer than 4000 characters.
    """
    text = text.strip()
    if len(text) > LONGEST_CONSENT:
        raise ValueError(
            f"The consent statement has {len(text)} characters; at most {LONGEST_CONSENT} fit."
            " Say who agreed to what and when, and keep the document itself elsewhere."
        )
    return text


def manifest(origin: Origin, title: str) -> dict[str, Any]:
    """The manifest definition of a clip that a model made.

    No ingredients: c2pa embeds a thumbnail of each, which would publish the face that only its fingerprint stands for.

    Args:
        origin: what is known of the clip.
        title: the file's name.

    Source:
        C2PA 2.2, c2pa.actions.v2; CAWG 1.1, training and data mining; IPTC digital source types.
    """
    created = {
        "action": "c2pa.created",
        "when": origin.created,
        "digitalSourceType": SOURCE_TYPE,
        "softwareAgent": {"name": origin.software, "version": origin.software_version},
    }
    return {
        "claim_generator_info": [{"name": CLAIM_GENERATOR}],
        "title": title,
        "format": "video/mp4",
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [created]}},
            {"label": TRAINING_LABEL, "data": _training(origin.allows_training)},
            {"label": CONSENT_LABEL, "data": _consent(origin)},
        ],
    }


def _training(is_allowed: bool) -> dict[str, Any]:
    use = "allowed" if is_allowed else "notAllowed"
    return {"entries": {name: {"use": use} for name in TRAINING_USES}}


def _consent(origin: Origin) -> dict[str, Any]:
    prints = {"face": origin.face, "voice": origin.voice}
    return {
        "version": 1,
        "method": "hmac-sha256",
        "nonce": origin.nonce,
        "salt_id": origin.salt_id,
        **{name: value for name, value in prints.items() if value is not None},
        "consent": origin.consent or NO_CONSENT,
    }
