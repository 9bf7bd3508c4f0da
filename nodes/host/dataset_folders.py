"""Where ID-LoRA Dataset reads and writes: the host's input and output folders."""

from collections.abc import Iterator
from pathlib import Path

import folder_paths

from ...idlora_core.options import shown

FOLDER = "idlora_datasets"


def source(widget: str, text: str) -> Path:
    """An existing folder, by its full path or below the input folder.

    Raises:
        ValueError: there is none; the message names the widget.
    """
    given = text.strip().strip('"')
    try:
        path = _below_input(given)
        if given and path.is_dir():
            return path
    except (OSError, ValueError, RuntimeError):  # too long, a null byte, or ~ of nobody
        pass
    raise ValueError(
        f"{widget} is '{shown(text)}', which is not a folder; give its full path, or its path below ComfyUI's input"
        " folder."
    )


def target(name: str) -> Path:
    """The dataset's folder, by a name that is one on every system.

    Raises:
        ValueError: the name is not plain.
    """
    plain = name.strip()
    if not plain or len(plain) > 80 or not all(c.isalnum() or c in "-_ " for c in plain):
        raise ValueError(
            f"name is '{shown(name)}'; use up to 80 letters, digits, spaces, - and _: it becomes a folder's name."
        )
    return Path(folder_paths.get_output_directory()) / FOLDER / plain


def content(text: str) -> Iterator[tuple[str, int, int]]:
    """Path, size and time of every file in a folder and in those inside it."""
    folder = _below_input(text.strip().strip('"'))
    for path in sorted((*folder.glob("*"), *folder.glob("*/*"))):
        facts = path.stat()
        yield str(path), facts.st_size, facts.st_mtime_ns


def _below_input(path: str) -> Path:
    return Path(folder_paths.get_input_directory()) / Path(path).expanduser()
