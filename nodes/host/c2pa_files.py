"""Signing and reading mp4 files with c2pa-python; the only file that imports it."""

from pathlib import Path
from typing import Any, BinaryIO

from ...idlora_core.credentials import report
from .certificates import MISSING, MissingLibrary
from .signing_identity import Identity

MP4 = "video/mp4"
OFFLINE = {"remote_manifest_fetch": False, "ocsp_fetch": False}
SIGNING = {
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {**OFFLINE, "verify_after_sign": False},  # what is on the disk is read back instead
}
ELSEWHERE = "the file names an address for its credentials, and nothing is fetched from the network"
FIRST_BOX = slice(4, 8)


def library() -> Any:
    """c2pa-python.

    Raises:
        MissingLibrary: it is not installed, or too old.
    """
    try:
        import c2pa
    except (ImportError, OSError):
        raise MissingLibrary(MISSING) from None
    if not hasattr(c2pa, "Context"):
        raise MissingLibrary(
            "This c2pa-python is too old: run pip install -U c2pa-python in ComfyUI's Python."
        )
    return c2pa


def sign(source: Path, target: Path, manifest: dict[str, Any], signer: Identity) -> None:
    """Write a signed copy of an mp4, and read it back.

    Args:
        source: the finished mp4; nothing may be written to it afterwards.
        target: a new file; what is there after an error is to be deleted.
        manifest: a definition as `idlora_core.credentials.manifest` makes it.

    Raises:
        RuntimeError: c2pa refused, the time authority gave no stamp, or what was written does not verify.
        OSError: the disk is full.
    """
    c2pa = library()
    context = c2pa.Context.from_dict(SIGNING)
    stamp = signer.time_authority or None
    try:
        info = c2pa.C2paSignerInfo(signer.algorithm, signer.certificates, signer.key, stamp)
        with (
            c2pa.Signer.from_info(info) as key,
            c2pa.Builder(manifest, context) as builder,
            open(source, "rb") as unsigned,
            open(target, "w+b") as signed,
        ):
            builder.sign(key, MP4, unsigned, signed)
    except c2pa.C2paError as error:
        asked = f" It asked the time authority {stamp} of your settings." if stamp else ""
        raise RuntimeError(f"The clip could not be signed: {error}.{asked}") from None
    found = read_file(target)
    if found.state not in ("valid", "trusted"):
        raise RuntimeError(
            f"The clip was signed, but does not verify: {'; '.join(found.reasons)}. If the certificate is your own,"
            " check that it is for signing content and has not expired."
        )


def read_file(source: Path | BinaryIO, roots: str = "") -> report.Credentials:
    """The credentials of a file; nothing is fetched, whatever the file asks for.

    Args:
        source: an mp4 or mov.
        roots: PEM of root certificates to trust.

    Raises:
        ValueError: the file is not an mp4 or mov, or its credentials are made to do harm.
        RuntimeError: `roots` is not PEM.
    """
    if not isinstance(source, Path):
        return _read(source, roots)
    with open(source, "rb") as file:
        return _read(file, roots)


def _read(file: BinaryIO, roots: str) -> report.Credentials:
    c2pa = library()
    file.seek(0)
    if file.read(8)[FIRST_BOX] != b"ftyp":
        raise ValueError("This is not an mp4 or mov file; only those can be checked here.")
    file.seek(0)
    settings: dict[str, Any] = {"verify": OFFLINE}
    if roots:
        settings["trust"] = {"user_anchors": roots}
    try:
        context = c2pa.Context.from_dict(settings)
    except c2pa.C2paError as error:
        raise RuntimeError(f"The trusted certificates of your settings cannot be used: {error}.") from None
    try:
        with c2pa.Reader(MP4, file, context=context) as reader:
            return report.read_store(reader.json())
    except c2pa.C2paError.ManifestNotFound:
        return report.NONE
    except c2pa.C2paError as error:
        if str(error).startswith("Remote"):
            return report.Credentials("none", (ELSEWHERE,))
        return report.damaged(str(error))
