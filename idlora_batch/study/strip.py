"""Clips for listeners: the same picture and sound, without what the file says of how it was made.

ComfyUI writes the whole graph into an mp4's metadata boxes, and a signed clip carries a manifest. The boxes become free
space of the same size, so that nothing else in the file moves.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"moof", b"traf", b"mvex")
TELLING = (b"udta", b"meta", b"uuid", b"ilst", b"XMP_", b"jumb")
FREE = b"free"


def stripped(content: bytes) -> bytes:
    """The file, with its metadata, user data and manifests zeroed.

    Raises:
        ValueError: not an mp4.
    """
    if content[4:8] != b"ftyp":
        raise ValueError(
            "The clip is not an mp4; only those can be shown to listeners without their settings."
        )
    result = bytearray(content)
    for start, header, end in list(_telling(content, 0, len(content))):
        result[start + 4 : start + 8] = FREE
        result[start + header : end] = bytes(end - start - header)
    return bytes(result)


def strip_file(source: Path, target: Path) -> None:
    target.write_bytes(stripped(source.read_bytes()))


def _telling(content: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Start, length of header and end of each telling box."""
    while start + 8 <= end:
        size, kind = struct.unpack(">I4s", content[start : start + 8])
        header = 8
        if size == 1:
            (size,) = struct.unpack(">Q", content[start + 8 : start + 16])
            header = 16
        size = size or end - start  # 0: to the end
        if size < header or start + size > end:
            raise ValueError("The clip's boxes do not fit together; is the file whole?")
        if kind in TELLING:
            yield start, header, start + size
        elif kind in CONTAINERS:
            yield from _telling(content, start + header, start + size)
        start += size
