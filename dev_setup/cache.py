"""The cache outside the checkout: each thing in it is built once, by one process, and repaired when half-made.

    <cache>/python3.11-<pins>/   the environment
    <cache>/comfyui-<version>/   a ComfyUI release
    <cache>/models-<key>/        the small models
    <cache>/speech-<version>/    recorded speech
    <cache>/playwright/          Chromium, where apt-get could not install it
    <cache>/locks/, logs/

The cache is IDLORA_CACHE, else XDG_CACHE_HOME/idlora-ltx2, else ~/.cache/idlora-ltx2.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .console import say

NAME = "idlora-ltx2"
STAMP = ".complete"
SECONDS_BETWEEN_TRIES = 0.5


def root() -> Path:
    chosen = os.environ.get("IDLORA_CACHE")
    if chosen:
        return Path(chosen).expanduser().resolve()
    parent = os.environ.get("XDG_CACHE_HOME")
    return (Path(parent) if parent else Path.home() / ".cache") / NAME


def log_file(name: str) -> Path:
    return root() / "logs" / f"{name}.log"


def built_once(
    name: str, build: Callable[[Path], None], is_sound: Callable[[Path], bool] | None = None
) -> Path:
    """The folder `name` of the cache, made by `build(folder)` where it is missing, half-made or unsound.

    A stamp, written last, tells a whole folder from one whose making was cut short. Builders get the final
    path, because a virtual environment cannot be moved.
    """
    folder = root() / name
    if _is_whole(folder, is_sound):
        return folder
    with locked(name):
        if not _is_whole(folder, is_sound):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
            build(folder)
            (folder / STAMP).touch()
    return folder


def _is_whole(folder: Path, is_sound: Callable[[Path], bool] | None) -> bool:
    return (folder / STAMP).is_file() and (is_sound is None or is_sound(folder))


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock of one entry; the system lets go of it when the process ends, however it ends."""
    path = root() / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b") as file:
        if not _try_lock(file):
            say(f"Waiting for another dev.py that is making {name} ...")
            while not _try_lock(file):
                time.sleep(SECONDS_BETWEEN_TRIES)
        yield


if os.name == "nt":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
