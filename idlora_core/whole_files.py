"""Files that nobody ever sees half written, and that never take the place of another."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def temporary_file(folder: Path, suffix: str = "") -> Iterator[Path]:
    """A path for a new hidden file in `folder`; whatever is there at the end is deleted."""
    part = folder / f".{uuid.uuid4().hex}.part{suffix}"
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def flush_to_disk(path: Path) -> None:
    """Return when the file would outlive a power failure."""
    with open(path, "r+b") as file:
        os.fsync(file.fileno())


def publish(part: Path, target: Path) -> bool:
    """Give a complete file its name, in one step.

    Args:
        part: a file in the folder of `target`; it may stay where it is, under its own name.

    Returns:
        False where a file of that name is there already, which is left as it is.

    Raises:
        OSError: the folder cannot be written.
    """
    try:
        os.link(part, target)
    except FileExistsError:
        return False
    except OSError:  # no hard links, as on FAT and some network drives
        return _publish_by_name(part, target)
    return True


def _publish_by_name(part: Path, target: Path) -> bool:
    if os.name == "nt":
        return _renamed(part, target)
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    os.replace(part, target)
    return True


def _renamed(part: Path, target: Path) -> bool:
    """Windows renames nothing onto a file that is there."""
    try:
        os.rename(part, target)
    except FileExistsError:
        return False
    return True
