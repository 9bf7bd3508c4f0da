"""The header of a safetensors file: names, types and shapes of its tensors, read by the library safetensors.

What is added here: a file that cannot be used is refused with one sentence that names it, and one that is larger
than any LoRA is refused before it costs anything.
"""

import os
from pathlib import Path
from typing import NamedTuple, NoReturn

from safetensors import SafetensorError, safe_open

LENGTH_BYTES = 8
MAX_HEADER_BYTES = 16_000_000
MAX_TENSORS = 20_000
MAX_NAME_LENGTH = 512
"""Of a LoRA on every layer of LTX-2.3 with DoRA: 0.8 MB, 5,000 tensors, names of 90 characters."""
PICKLE_SUFFIXES = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle")
PICKLE_MAGIC = (b"PK", b"\x80")


class TensorInfo(NamedTuple):
    """What the header says of one tensor."""

    dtype: str
    shape: tuple[int, ...]


class Header(NamedTuple):
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


def refuse(subject: object, reason: str) -> NoReturn:
    """A ValueError of one sentence about a file or what is in it."""
    raise ValueError(f"{shown(subject, limit=120)} {reason}.")


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read the header of a safetensors file; the tensors stay on the disk.

    Raises:
        ValueError: no such file, a pickle (by suffix or by its first bytes), empty, truncated, damaged, or with
            more or longer names than a LoRA has.
    """
    path = Path(path)
    _check_kind(path)
    try:
        with safe_open(path, framework="numpy") as file:  # unlike "pt" it does not map the whole file
            names = list(file.keys())
            _check_names(path, names)
            slices = ((name, file.get_slice(name)) for name in names)
            tensors = {name: TensorInfo(part.get_dtype(), tuple(part.get_shape())) for name, part in slices}
            return Header(path, tensors, file.metadata() or {})
    except (SafetensorError, OSError, RuntimeError) as error:
        reason = str(error).removeprefix("Error while deserializing header: ")
        refuse(path.name, f"is damaged or not a .safetensors file ({shown(reason)}); download it again")


def _check_kind(path: Path) -> None:
    """Refuse what is not a safetensors file by its name or its first bytes, and headers of absurd length."""
    suffix = path.suffix.lower()
    if suffix in PICKLE_SUFFIXES:
        refuse(
            path.name, "is a pickle file, and pickle files can run code; get the .safetensors of this LoRA"
        )
    if suffix not in (".safetensors", ".sft"):
        refuse(path.name, "is not a .safetensors file; choose the .safetensors of this LoRA")
    if not path.is_file():
        raise ValueError(f"There is no file {shown(path.name)}; choose a LoRA that is in models/loras.")
    if str(path).encode("utf-8", "replace").decode() != str(path):
        refuse(path.name, "has a name or a folder that is not UTF-8 text; rename it")
    try:
        with path.open("rb") as file:
            start, size = file.read(LENGTH_BYTES), os.fstat(file.fileno()).st_size
    except OSError as error:
        refuse(path.name, f"cannot be read ({shown(error.strerror)}); check its permissions")
    length = int.from_bytes(start, "little")
    if length > size - LENGTH_BYTES and start.startswith(
        PICKLE_MAGIC
    ):  # a real length may begin so, but fits
        refuse(path.name, "is a pickle file by its content; pickle files can run code: get the .safetensors")
    if length > size - LENGTH_BYTES or len(start) < LENGTH_BYTES:
        refuse(path.name, f"is truncated or empty ({size} bytes); download it again")
    if length > MAX_HEADER_BYTES:
        refuse(path.name, f"has a header of {length} bytes, more than any LoRA needs; choose an ID-LoRA")


def _check_names(path: Path, names: list[str]) -> None:
    longest = max(map(len, names), default=0)
    if len(names) > MAX_TENSORS or longest > MAX_NAME_LENGTH:
        size = f"{len(names)} tensors, names of up to {longest} characters"
        refuse(path.name, f"is not a LoRA for LTX-2 ({size}); choose an ID-LoRA")
