"""What the credentials of a file say, in sentences. The file may come from anybody: nothing in it is taken on trust."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .fingerprint import NONCE_BYTES, salt_id
from .manifest import CONSENT_LABEL, NO_CONSENT, SOURCE_TYPE, TRAINING_LABEL

State = Literal["trusted", "valid", "changed", "invalid", "none"]
LONGEST_STORE = 4_000_000  # characters of JSON; those of this pack have 5,000
LONGEST_TEXT = 1000
UNTRUSTED = "signingCredential.untrusted"
CHANGES = {
    "assertion.bmffHash.mismatch": "picture, sound or tags are not what was signed",
    "assertion.dataHash.mismatch": "the file's content is not what was signed",
    "assertion.hashedURI.mismatch": "a statement in the credentials is not what was signed",
    "claimSignature.mismatch": "the signature does not fit the credentials",
    "assertion.missing": "a statement is missing from the credentials",
}
DAMAGED = "the credentials are damaged and cannot be read"


@dataclass(frozen=True)
class Claims:
    """What the signer says. True only as far as the signer is believed, and as the state is trusted or valid.

    Attributes:
        consent: the statement; None where the file says nothing of it in this pack's form.
        nonce, salt_id, face, voice: see `manifest.Origin`; None where not recorded.
    """

    signer: str = ""
    created: str = ""
    time_stamp: str = ""
    source_type: str = ""
    software: str = ""
    training: str = ""
    consent: str | None = None
    nonce: str | None = None
    salt_id: str | None = None
    face: str | None = None
    voice: str | None = None


@dataclass(frozen=True)
class Credentials:
    state: State
    reasons: tuple[str, ...] = ()
    claims: Claims = Claims()


NONE = Credentials("none")


def damaged(reason: str) -> Credentials:
    """Credentials that are there and cannot be read."""
    return Credentials("changed", (f"{DAMAGED} ({_text(reason)})",))


def read_store(text: str) -> Credentials:
    """Credentials from the JSON of a manifest store, as c2pa's reader gives it.

    Args:
        text: JSON with `validation_state`, `validation_results`, `active_manifest`, `manifests`.

    Raises:
        ValueError: the credentials are larger than 4 MB or nested too deeply, as no honest file's are.
    """
    if len(text) > LONGEST_STORE:
        raise ValueError(
            f"The file's credentials hold {len(text) / 1e6:.0f} MB of text; at most {LONGEST_STORE / 1e6:.0f} MB are read."
            " Such a file was not made by a camera or an editor: do not use it."
        )
    try:
        store = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(
            "The file's credentials are nested too deeply, or are not JSON: do not use it."
        ) from None
    codes = _failures(store)
    active = _map(_map(store).get("manifests")).get(_text(_map(store).get("active_manifest")))
    return Credentials(*_state(_map(store).get("validation_state"), codes), _claims(_map(active)))


def _state(validated: Any, codes: list[str]) -> tuple[State, tuple[str, ...]]:
    if validated == "Trusted":
        return "trusted", ()
    if validated == "Valid":
        return "valid", ()
    reasons = tuple(dict.fromkeys(CHANGES.get(code, code) for code in codes if code != UNTRUSTED))
    return "changed" if any(code in CHANGES for code in codes) else "invalid", reasons


def _failures(store: Any) -> list[str]:
    active = _map(_map(_map(store).get("validation_results")).get("activeManifest"))
    return [_text(_map(entry).get("code")) for entry in _list(active.get("failure"))]


def _claims(active: Mapping[str, Any]) -> Claims:
    signature = _map(active.get("signature_info"))
    action = _created_action(active)
    agent = _map(action.get("softwareAgent"))
    ours = _assertion(active, CONSENT_LABEL)
    names = (signature.get("common_name"), signature.get("issuer"))
    return Claims(
        signer=next(filter(None, map(_text, names)), ""),
        created=_text(action.get("when")),
        time_stamp=_text(signature.get("time")),
        source_type=_text(action.get("digitalSourceType")),
        software=" ".join(filter(None, (_text(agent.get("name")), _text(agent.get("version"))))),
        training=_training(_assertion(active, TRAINING_LABEL)),
        consent=_text(ours.get("consent")) or None,
        **{name: _hexadecimal(ours.get(name)) for name in ("nonce", "salt_id", "face", "voice")},
    )


def _created_action(active: Mapping[str, Any]) -> Mapping[str, Any]:
    for label in ("c2pa.actions.v2", "c2pa.actions"):
        for action in map(_map, _list(_assertion(active, label).get("actions"))):
            if action.get("action") == "c2pa.created":
                return action
    return {}


def _assertion(active: Mapping[str, Any], label: str) -> Mapping[str, Any]:
    for assertion in map(_map, _list(active.get("assertions"))):
        if assertion.get("label") == label:
            return _map(assertion.get("data"))
    return {}


def _training(data: Mapping[str, Any]) -> str:
    uses = {_text(_map(entry).get("use")) for entry in _map(data.get("entries")).values()} - {""}
    if not uses:
        return ""
    return {frozenset({"notAllowed"}): "not allowed", frozenset({"allowed"}): "allowed"}.get(
        frozenset(uses), "in part"
    )


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    """A line of a stranger's text, printable and of a length to read; "" for anything else."""
    if not isinstance(value, str):
        return ""
    line = "".join(character if character.isprintable() else " " for character in value[: LONGEST_TEXT + 1])
    return line[:LONGEST_TEXT].strip() + (" ..." if len(line) > LONGEST_TEXT else "")


def _hexadecimal(value: Any) -> str | None:
    text = _text(value)
    return text if text and set(text) <= set("0123456789abcdef") else None


def recorded_nonce(claims: Claims) -> bytes | None:
    """The clip's nonce; None where there is none of this pack's length."""
    is_ours = claims.nonce is not None and len(claims.nonce) == 2 * NONCE_BYTES
    return bytes.fromhex(claims.nonce) if is_ours and claims.nonce else None


def match_sentence(
    what: str, recorded: str | None, computed: str | None, claims: Claims, salt: bytes | None
) -> str:
    """Whether a given face or voice is the recorded one; "" where none was given.

    Args:
        what: "face" or "voice".
        recorded: the fingerprint in the file.
        computed: that of the given picture or recording, with `salt`.
        salt: of the clip, if known.
    """
    if computed is None:
        return ""
    if recorded is None:
        return f"The file records no {what}: there is nothing to compare with."
    if salt is None or claims.salt_id != salt_id(salt):
        return (
            f"The {what} cannot be compared: the salt is not this clip's. Ask whoever signed the clip for it."
        )
    if hmac.compare_digest(recorded, computed):
        return f"The {what} is the recorded one."
    return f"The {what} is NOT the recorded one, or was compressed or edited since."


def state_sentence(credentials: Credentials, is_own: bool) -> str:
    """The state, the signer and what that is worth, in a sentence or two."""
    signer, reasons = credentials.claims.signer or "a signer without a name", "; ".join(credentials.reasons)
    if credentials.state == "trusted" and is_own:
        return f"Unchanged since {signer} signed it with this installation's key."
    sentences = {
        "trusted": f"Unchanged since {signer} signed it, and the signer is on your list of trusted ones.",
        "valid": (
            f"Unchanged since it was signed, but the signer is unknown: it calls itself {signer},"
            " and nobody vouches for that."
        ),
        "changed": f"CHANGED since it was signed: {reasons}. Do not rely on what its credentials say.",
        "invalid": f"The signature is NOT valid: {reasons or 'no reason given'}. Do not rely on its credentials.",
        "none": (
            "No content credentials: never signed, or lost since. Editors, converters and most sites drop them."
            + (f" Note: {reasons}." if reasons else "")
        ),
    }
    return sentences[credentials.state]


def report_lines(claims: Claims) -> list[str]:
    """What the signer says, a line for each thing that the file has."""
    made_by_model = claims.source_type == SOURCE_TYPE
    source = "made by a trained model" if made_by_model else claims.source_type
    if claims.consent == NO_CONSENT:
        consent = "none given"
    else:
        consent = f'"{claims.consent}" (a statement of the signer)' if claims.consent else ""
    stamp = f"{claims.time_stamp} (time stamp of an authority)" if claims.time_stamp else ""
    lines = {
        "Signer": claims.signer,
        "Signed": stamp or (f"{claims.created} (by the signer's own clock)" if claims.created else ""),
        "Source": source,
        "Software": claims.software,
        "Training and data mining": claims.training,
        "Consent": consent,
        "Recorded": " and ".join(name for name in ("face", "voice") if getattr(claims, name)),
    }
    return [f"{name}: {text}" for name, text in lines.items() if text]
