"""The header of a safetensors file, read and checked without touching its tensors.

    file = uint64 little-endian n | n bytes of JSON | tensor data
    JSON = {"name": {"dtype", "shape", "data_offsets": [begin, end]}, ..., "__metadata__": {str: str}}

Source: the safetensors format description. Offsets count from the end of the header, leave no gap, and the
last one is the end of the file; a header is at most 100 MB.
"""

import json
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeGuard

MAX_HEADER_BYTES = 100_000_000
LENGTH_BYTES = 8
BITS = {
    "F64": 64, "I64": 64, "U64": 64, "C64": 64,
    "F32": 32, "I32": 32, "U32": 32,
    "F16": 16, "BF16": 16, "I16": 16, "U16": 16,
    "I8": 8, "U8": 8, "BOOL": 8,
    "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip
SAFETENSORS_SUFFIXES = (".safetensors", ".sft")
PICKLE_SUFFIXES = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle")
ZIP_MAGIC = b"PK"
PICKLE_MAGIC = b"\x80"
MAX_DIMENSIONS = 16
MAX_COUNT = 2**63


@dataclass(frozen=True)
class TensorInfo:
    """What the header says of one tensor."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Header:
    """Names, types and shapes of a file's tensors, and its metadata."""

    path: Path
    tensors: dict[str, TensorInfo]
    metadata: dict[str, str]


def shown(text: object, limit: int = 80) -> str:
    """Text from a file, made fit to be shown: one line, printable, not too long."""
    line = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text)[: limit + 1]
    )
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read and check the header of a safetensors file; the tensors stay on the disk.

    Args:
        path: a `.safetensors` or `.sft` file of any size; only its header is read.

    Raises:
        ValueError: no such file, a pickle (by suffix or by its first bytes), empty, truncated, a header length
            that cannot be, no JSON, or offsets that do not fit the file. One sentence that names the file.
    """
    path = Path(path)
    if path.suffix.lower() in PICKLE_SUFFIXES:
        _refuse(path, "a pickle file, and pickle files can run code; get the .safetensors of this LoRA")
    if path.suffix.lower() not in SAFETENSORS_SUFFIXES:
        _refuse(path, "no .safetensors file; choose the .safetensors of this LoRA")
    text, data_bytes = _header_text(path)
    entries = _parsed(path, text)
    metadata = entries.pop("__metadata__", None) or {}
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        _refuse_damaged(path, "its metadata is not text")
    tensors, regions = {}, []
    for name, entry in entries.items():
        tensors[name], region = _tensor(path, name, entry)
        regions.append(region)
    _check_regions(path, regions, data_bytes)
    return Header(path, tensors, metadata)


def _refuse(path: Path, reason: str) -> NoReturn:
    raise ValueError(f"{shown(path.name)} is {reason}.")


def _refuse_damaged(path: Path, reason: str) -> NoReturn:
    _refuse(path, f"damaged or no safetensors file ({reason}); get it again")


def _header_text(path: Path) -> tuple[bytes, int]:
    """The JSON bytes and the number of bytes after them."""
    if not path.is_file():
        raise ValueError(f"There is no file {shown(path.name)}; choose a LoRA that is in models/loras.")
    try:
        with path.open("rb") as file:
            return _header_bytes(path, file.read, os.fstat(file.fileno()).st_size)
    except OSError as error:
        raise ValueError(f"{shown(path.name)} cannot be read ({shown(error.strerror)}).") from error


def _header_bytes(path: Path, read: Any, size: int) -> tuple[bytes, int]:
    start = read(LENGTH_BYTES)
    if not start:
        _refuse(path, "empty (0 bytes); download it again")
    if start.startswith((ZIP_MAGIC, PICKLE_MAGIC)):
        length = int.from_bytes(start, "little")
        if length > size - LENGTH_BYTES:  # a real header length may begin with these bytes, but fits the file
            _refuse(path, "a pickle file by its content, and pickle files can run code; get the .safetensors")
    if len(start) < LENGTH_BYTES:
        _refuse(path, f"truncated ({len(start)} bytes); download it again")
    length = int.from_bytes(start, "little")
    if length > MAX_HEADER_BYTES:
        _refuse_damaged(path, f"it claims a header of {length} bytes, the most allowed is {MAX_HEADER_BYTES}")
    if length > size - LENGTH_BYTES:
        _refuse(path, f"truncated (a header of {length} bytes in a file of {size}); download it again")
    return read(length), size - LENGTH_BYTES - length


def _parsed(path: Path, text: bytes) -> dict[str, Any]:
    """The JSON object; doubled keys, NaN and text that is no object are refused."""
    try:
        entries = json.loads(text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        _refuse_damaged(path, f"its header is no JSON: {shown(error)}")
    if not isinstance(entries, dict):
        _refuse_damaged(path, "its header is no JSON object")
    return entries


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    unique: dict[str, Any] = {}
    for key, value in pairs:
        if key in unique:
            raise ValueError(f"{shown(key)} is there twice")
        unique[key] = value
    return unique


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _tensor(path: Path, name: str, entry: Any) -> tuple[TensorInfo, tuple[int, int]]:
    """One entry and the region of the data that it claims."""
    fields = entry if isinstance(entry, dict) else {}
    dtype, shape, offsets = fields.get("dtype"), fields.get("shape"), fields.get("data_offsets")
    if not isinstance(dtype, str) or not _counts(shape) or not _counts(offsets) or len(offsets) != 2:
        _refuse_damaged(path, f"the header entry of {shown(name)} is malformed")
    if dtype not in BITS:
        _refuse(
            path, f"of a tensor type not known here ({shown(dtype)} in {shown(name)}); get it in bf16 or fp16"
        )
    begin, end = offsets
    if (end - begin) * 8 != math.prod(shape) * BITS[dtype]:
        _refuse_damaged(path, f"shape and size of {shown(name)} disagree")
    return TensorInfo(dtype, tuple(shape)), (begin, end)


def _counts(values: Any) -> TypeGuard[list[int]]:
    """A short list of whole numbers from 0 up. bool is an int in Python, not in JSON."""
    if not isinstance(values, list) or len(values) > MAX_DIMENSIONS:
        return False
    return all(type(value) is int and 0 <= value < MAX_COUNT for value in values)


def _check_regions(path: Path, regions: list[tuple[int, int]], data_bytes: int) -> None:
    """Regions must follow each other from 0 to the end of the file without a gap."""
    position = 0
    for begin, end in sorted(regions):
        if begin != position:
            _refuse_damaged(path, f"its tensors overlap or leave a gap at byte {position}")
        position = end
    if position > data_bytes:
        _refuse(
            path, f"truncated (its tensors need {position} bytes, {data_bytes} are there); download it again"
        )
    if position < data_bytes:
        _refuse_damaged(path, f"{data_bytes - position} bytes follow its last tensor")
