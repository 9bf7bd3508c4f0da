"""Faces and voices on disk: what they are, by their first bytes, and what is in them, by hash."""

import functools
import hashlib
from pathlib import Path

LARGEST = 100 << 20  # what ComfyUI takes in one upload
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
SOUNDS = (b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xf1", b"\x1aE\xdf\xa3")
BOXES = {"picture": (b"avif", b"heic"), "sound": (b"M4A ", b"isom", b"mp42", b"mp41", b"iso2", b"qt  ")}
RIFF = {"picture": b"WEBP", "sound": b"WAVE"}
ACCEPTED = {
    "picture": "a picture (PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF)",
    "sound": "a recording (WAV, FLAC, MP3, Ogg, M4A, MP4, MKV, WebM)",
}


def require(path: Path, kind: str) -> None:
    """The file is there and is a "picture" or a "sound", whatever its name says.

    Raises:
        ValueError: it is not.
    """
    if not path.is_file():
        raise ValueError(f"{path} is not there.")
    if path.stat().st_size > LARGEST:
        raise ValueError(
            f"{path.name} has {path.stat().st_size >> 20} MiB; at most {LARGEST >> 20} are taken."
        )
    with open(path, "rb") as file:
        start = file.read(16)
    starts = PICTURES if kind == "picture" else SOUNDS
    is_boxed = start[4:8] == b"ftyp" and start[8:12] in BOXES[kind]
    is_riff = start[:4] == b"RIFF" and start[8:12] == RIFF[kind]
    if not (start.startswith(starts) or is_boxed or is_riff):
        raise ValueError(f"{path.name} is not {ACCEPTED[kind]}.")


def content_hash(path: Path) -> str:
    """SHA-256 of a file, computed again only when it has changed."""
    state = path.stat()
    return _content_hash(path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=10_000)
def _content_hash(path: Path, size: int, changed: int) -> str:
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()
