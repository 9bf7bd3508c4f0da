"""What a user settles outside the graph: a certificate of one's own, a time authority, whom to trust."""

import json
from dataclasses import dataclass, fields
from pathlib import Path

from .private_files import private_folder

FILE_NAME = "settings.json"


@dataclass(frozen=True)
class CredentialSettings:
    """The entries of user/__idlora/credentials/settings.json; all may be left out.

    Attributes:
        name: goes into the certificate where the node's `signer` is empty.
        certificates: PEM file with a certificate chain, the signer's first; with `key`.
        key: PEM file with the private key of the first certificate.
        time_authority: address of an RFC 3161 time-stamp authority, which each signing then asks.
        trusted: PEM file with root certificates that Check Credentials trusts.
    """

    name: str = ""
    certificates: str = ""
    key: str = ""
    time_authority: str = ""
    trusted: str = ""


def read_settings() -> CredentialSettings:
    """The user's settings; the defaults where there is no file.

    Raises:
        RuntimeError: the file cannot be read, or has an entry that is not one of these.
    """
    path = private_folder() / FILE_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return CredentialSettings()
    except (OSError, ValueError, RecursionError) as error:
        raise RuntimeError(f"{path} cannot be read as JSON: {error}") from None
    return _checked(path, content)


def _checked(path: Path, content: object) -> CredentialSettings:
    known = [field.name for field in fields(CredentialSettings)]
    if not isinstance(content, dict):
        raise RuntimeError(f'{path} must hold one JSON object, such as {{"name": "Jane Doe"}}.')
    for name, value in content.items():
        if name not in known or not isinstance(value, str):
            raise RuntimeError(f"{path}: {name!r} is not an entry with a text; those are {', '.join(known)}.")
    settings = CredentialSettings(**content)
    if bool(settings.certificates) != bool(settings.key):
        raise RuntimeError(f"{path} must name both 'certificates' and 'key', or neither.")
    if settings.time_authority and not settings.time_authority.startswith(("http://", "https://")):
        raise RuntimeError(
            f"{path}: time_authority is {settings.time_authority!r}; give an address that begins with http."
        )
    return settings
