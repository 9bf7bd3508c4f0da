"""Paths that a table names: beside it, and never outside its folder."""

import re
from pathlib import Path

# Names that every system takes, also as a part of a longer one; Windows refuses the devices.
NAME = re.compile(r"[\w][\w .,()+=@-]{0,99}")
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def inside(root: Path, value: str) -> Path:
    """The file that a cell names, relative to the root or absolute, once it is below the root.

    Raises:
        ValueError: it leads out of the root, also through a link.
    """
    if "\0" in value:
        raise ValueError("holds a null character.")
    root = root.resolve()
    path = (root / value).resolve()
    if not path.is_relative_to(root):
        raise ValueError(
            f"{value} leads out of {root}. Put the file there, or name another folder with --root."
        )
    return path


def checked_name(value: str) -> str:
    """An output name that is one file name on every system.

    Raises:
        ValueError: a folder in it, or a character that some system refuses.
    """
    if not NAME.fullmatch(value) or value.endswith((".", " ")) or DEVICES.fullmatch(value):
        raise ValueError(
            f"{value!r} cannot be a file's name; use letters, digits, spaces and - _ . ( ) + = @."
        )
    return value
