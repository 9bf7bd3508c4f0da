"""Who signs: the key and the certificates of this installation, or the user's own."""

import hashlib
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...idlora_core.credentials.fingerprint import SALT_BYTES
from ...idlora_core.whole_files import flush_to_disk, publish, temporary_file
from . import certificates
from .credential_settings import CredentialSettings, read_settings
from .private_files import made_once, private_folder, read_private

LONGEST_NAME = 64  # of an organisation or a common name, RFC 5280


@dataclass(frozen=True)
class Identity:
    """What a clip is signed with.

    Attributes:
        name: as verifiers show it.
        certificates: PEM, the signer's first.
        key: PEM, never shown.
        algorithm: of C2PA, "es256" and so on.
        is_self_made: nobody vouches for the name.
        time_authority: address, or "" for none.
    """

    name: str
    certificates: bytes
    key: bytes = field(repr=False)
    algorithm: str
    is_self_made: bool
    time_authority: str = ""


def identity(signer: str) -> Identity:
    """The identity that signs clips here; the installation's key is made on first use.

    Args:
        signer: the name for a self-made certificate; empty takes the settings' name, or says that none was given.

    Raises:
        MissingLibrary: c2pa-python is not installed.
        RuntimeError: a key or certificate cannot be used; the message never holds any of it.
        ValueError: the name is too long.
    """
    settings = read_settings()
    if settings.key:
        return _users_own(settings)
    name = (signer.strip() or settings.name.strip()) or certificates.NO_NAME
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(
            f"The signer's name must be one line of at most {LONGEST_NAME} characters; got {len(name)}."
        )
    return _self_made(name, settings)


def clip_secret() -> bytes:
    """What the salts of this installation's clips are made from."""
    secret = made_once(private_folder() / "salt.secret", lambda: secrets.token_bytes(SALT_BYTES))
    if len(secret) != SALT_BYTES:
        raise RuntimeError(
            f"{private_folder() / 'salt.secret'} has {len(secret)} bytes instead of {SALT_BYTES}: put it back from a"
            " backup, or delete it; faces and voices of clips made so far can then no longer be compared."
        )
    return secret


def own_roots() -> str:
    """PEM of the roots of this installation's self-made certificates, all that there ever were; may be empty."""
    chains = [path.read_text() for path in sorted(private_folder().glob("certificates-*.pem"))]
    begin = certificates.BEGIN
    return "".join(begin + chain.split(begin)[-1] for chain in chains)


def _self_made(name: str, settings: CredentialSettings) -> Identity:
    folder = private_folder()
    key_text, key = _own_key(folder / "key.pem")
    _, root_key = _own_key(folder / "root_key.pem")
    parts = name.encode() + certificates.public_part(key) + certificates.public_part(root_key)
    path = folder / f"certificates-{hashlib.sha256(parts).hexdigest()[:16]}.pem"
    if not path.exists():
        with temporary_file(folder) as part:
            part.write_bytes(certificates.chain(name, key, root_key))
            flush_to_disk(part)
            publish(part, path)
    return Identity(name, path.read_bytes(), key_text, "es256", True, settings.time_authority)


def _own_key(path: Path) -> tuple[bytes, Any]:
    """A key of this installation: PEM and key."""
    content = made_once(path, certificates.new_key)
    key = certificates.load_key(content, path)
    if certificates.algorithm(key) != "es256":
        raise RuntimeError(f"{path} is not of the kind that this pack makes (P-256): move it away.")
    return content, key


def _users_own(settings: CredentialSettings) -> Identity:
    path, key_path = Path(settings.certificates).expanduser(), Path(settings.key).expanduser()
    try:
        content = path.read_bytes()
        first = certificates.first_certificate(content)
    except OSError as error:
        raise RuntimeError(f"The certificates {path} cannot be read: {error.strerror}.") from None
    except (ValueError, IndexError):
        raise RuntimeError(f"{path} is not a chain of PEM certificates.") from None
    key_text = read_private(key_path)
    key = certificates.load_key(key_text, key_path)
    if certificates.public_part(key) != certificates.public_bytes(first.public_key()):
        raise RuntimeError(
            f"{key_path} is not the key of the first certificate in {path}; that must be the signer's."
        )
    name, algorithm = certificates.name_in(first), certificates.algorithm(key)
    return Identity(name, content, key_text, algorithm, False, settings.time_authority)
