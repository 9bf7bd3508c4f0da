"""Secrets of an installation: made once, readable by their owner alone, never served by the host."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import folder_paths

from ...idlora_core.whole_files import flush_to_disk, publish, temporary_file

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_folder() -> Path:
    """user/__idlora/credentials: of the folders below `user`, the host serves none that begins with two underscores.

    Raises:
        RuntimeError: it cannot be made.
    """
    folder = Path(folder_paths.get_system_user_directory("idlora")) / "credentials"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise RuntimeError(
            f"The folder for the signing key, {folder}, cannot be made: {_reason(error)}."
        ) from None
    return folder


def made_once(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of a secret file, made first where there is none.

    Where two ComfyUIs make it at once, the first one's is taken by both.

    Raises:
        RuntimeError: see `read_private`, or it cannot be written.
    """
    if not os.path.lexists(path):
        try:
            with temporary_file(path.parent) as part:
                _write_private(part, make())
                publish(part, path)
        except OSError as error:
            raise RuntimeError(f"{path} cannot be written: {_reason(error)}.") from None
    return read_private(path)


def _write_private(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
    flush_to_disk(path)


def read_private(path: Path) -> bytes:
    """The content of a secret file.

    Raises:
        RuntimeError: it cannot be read, or others than its owner may.
    """
    try:
        mode = path.stat().st_mode
        if os.name != "nt" and mode & OTHERS:
            raise RuntimeError(
                f"{path} may be used by other users of this machine (mode {stat.S_IMODE(mode):04o}), so it is not"
                f" used: run chmod 600 {path}. If others have had it, make a new one."
            )
        return path.read_bytes()
    except OSError as error:
        raise RuntimeError(f"{path} cannot be read: {_reason(error)}.") from None


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
