"""The cache outside the checkout: each thing in it is built once, by one process, and repaired when half-made.

    <cache>/python3.11-<pins>/   the environment
    <cache>/comfyui-<version>/   a ComfyUI release
    <cache>/models-<key>/        the small models
    <cache>/speech-<version>/    recorded speech
    <cache>/playwright/          Chromium, where apt-get could not install it
    <cache>/locks/, logs/

The cache is IDLORA_CACHE, else XDG_CACHE_HOME/idlora-ltx2, else ~/.cache/idlora-ltx2.
"""

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from .console import say

NAME = "idlora-ltx2"
STAMP = ".complete"
SECONDS_BETWEEN_TRIES = 0.5

Inventory = dict[str, int]


def root() -> Path:
    chosen = os.environ.get("IDLORA_CACHE")
    if chosen:
        return Path(chosen).expanduser().resolve()
    parent = os.environ.get("XDG_CACHE_HOME")
    return (Path(parent) if parent else Path.home() / ".cache") / NAME


def log_file(name: str) -> Path:
    return root() / "logs" / f"{name}.log"


def built_once(
    name: str,
    build: Callable[[Path], None],
    *,
    is_sound: Callable[[Path], bool] | None = None,
    inventory: Callable[[Path], Inventory] | None = None,
) -> Path:
    """The folder `name` of the cache, made by `build(folder)` where it is missing, half-made or damaged.

    A stamp, written last, tells a whole folder from one whose making was cut short, and holds the inventory. Builders
    get the final path, because a virtual environment cannot be moved.

    Args:
        inventory: what to look for each time: names and sizes of files, by default of all.
    """
    folder, inventory = root() / name, inventory or file_sizes
    if _is_whole(folder, is_sound, inventory):
        return folder
    with locked(name):
        if not _is_whole(folder, is_sound, inventory):
            if (folder / STAMP).is_file():
                say(f"{folder} is damaged. It is made again.")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
            build(folder)
            (folder / STAMP).write_text(json.dumps(inventory(folder)), encoding="utf-8")
    return folder


def file_sizes(folder: Path) -> Inventory:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}


def _is_whole(
    folder: Path, is_sound: Callable[[Path], bool] | None, inventory: Callable[[Path], Inventory]
) -> bool:
    """Files that came later, such as byte code, do not count."""
    stamp = folder / STAMP
    if not stamp.is_file() or not (is_sound is None or is_sound(folder)):
        return False
    recorded = json.loads(stamp.read_text(encoding="utf-8") or "{}")
    return recorded.items() <= inventory(folder).items()


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock of one entry; the system lets go of it when the process ends, however it ends.

    The lock is SQLite's, on an empty database: Python brings it along for every system.
    """
    path = root() / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as database:
        if not _is_taken(database):
            say(f"Waiting for another dev.py that is making {name} ...")
            while not _is_taken(database):
                time.sleep(SECONDS_BETWEEN_TRIES)
        yield


def _is_taken(database: sqlite3.Connection) -> bool:
    try:
        database.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False
    return True
