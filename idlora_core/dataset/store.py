"""What was encoded, kept by what it was made from: nothing is encoded twice, and no file is ever half there."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save
from torch import Tensor

from ..whole_files import flush_to_disk, temporary_file

VERSION = 1
HEADROOM_BYTES = 500 * 2**20  # left free on the disk
MEGABYTE = 2**20


def key_of(**parts: Any) -> str:
    """sha256 over all that decides a result, and the version of this code."""
    text = json.dumps({"version": VERSION, **parts}, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """sha256 of a file's content."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


class Store:
    """A folder of finished files, each named by its key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for left_over in folder.glob(".*.part*"):  # of a run that was killed
            left_over.unlink(missing_ok=True)

    def path(self, key: str, suffix: str = ".safetensors") -> Path:
        return self.folder / f"{key}{suffix}"

    def has(self, key: str, suffix: str = ".safetensors") -> bool:
        return self.path(key, suffix).exists()

    def tensors(self, key: str) -> dict[str, Tensor]:
        return load_file(self.path(key))

    def keep_tensors(self, key: str, tensors: dict[str, Tensor]) -> None:
        # Not save_file, which writes a temporary file of its own that a killed run leaves behind.
        content = save({name: tensor.cpu().contiguous() for name, tensor in tensors.items()})
        self.keep_file(key, ".safetensors", lambda part: part.write_bytes(content))

    def keep_file(self, key: str, suffix: str, write: Callable[[Path], object]) -> None:
        """What `write` puts into the path it is given, under its name once it is whole and on the disk."""
        replace_whole(self.path(key, suffix), write)


def replace_whole(path: Path, write: Callable[[Path], object]) -> None:
    """A file in place of what has its name, in one step; what has its name stays where that fails."""
    with temporary_file(path.parent, path.suffix) as part:
        write(part)
        flush_to_disk(part)
        os.replace(part, path)


def check_space(folder: Path, needed_bytes: int) -> None:
    """Refuse before anything is written.

    Raises:
        ValueError: less is free than that and half a gigabyte more.
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + HEADROOM_BYTES:
        raise ValueError(
            f"The dataset needs about {needed_bytes / MEGABYTE:,.0f} MB more and the disk of {folder} has"
            f" {free / MEGABYTE:,.0f} MB free; make room, or set exports to none."
        )
