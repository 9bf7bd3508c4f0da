"""The folder of results: clips, and a record of each row that is over.

    clips/<key>.mp4      whole clips only: written beside it, flushed, then renamed
    records/<id>.jsonl   a line for each row that is over, appended and flushed after the clip, a file for each worker
    table.jsonl          the rows of the last run, with their keys
    .lock, .work/        one run at a time; what running hosts write

An object store (s3://, gs://, abfs://, by pyarrow) has neither renames nor appends: a clip is whole once it is put, and
each record is a file of its own.
"""

import errno
import hashlib
import json
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .requirements import required

FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
Record = dict[str, Any]


class DiskFull(RuntimeError):
    """The folder of results has no room; the run ends, and `--resume` goes on."""


class Store:
    """The results below a folder of this machine."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.clips, self.records_folder, self.work = folder / "clips", folder / "records", folder / ".work"
        self._own = self.records_folder / f"{uuid.uuid4().hex}.jsonl"
        self._index: dict[str, tuple[Path, int]] | None = None

    def __str__(self) -> str:
        return str(self.folder)

    def prepare(self) -> None:
        """Make the folders and sweep what an ended run left half-done; the lock must be held."""
        for folder in (self.clips, self.records_folder, self.work):
            folder.mkdir(parents=True, exist_ok=True)
        for part in [*self.clips.glob(".*.part"), *self.folder.glob(".*.part")]:
            part.unlink()

    def part(self, key: str) -> Path:
        """Where a clip is written until it is whole."""
        return self.clips / f".{key}.part"

    def clip(self, key: str) -> Path:
        return self.clips / f"{key}.mp4"

    def commit(self, record: Record, part: Path | None = None) -> Record:
        """Keep a row's clip, if it has one, then its record; the record as it was kept.

        Raises:
            DiskFull: no room; neither is there then.
        """
        with full_disk_told(self.folder):
            if part is not None:
                record = {**record, "clip": _clip_facts(part, f"clips/{record['key']}.mp4")}
                _flush(part)
                os.replace(part, self.clip(record["key"]))
                _flush(self.clips)
            self._append(record)
        return record

    def _append(self, record: Record) -> None:
        self._own.parent.mkdir(parents=True, exist_ok=True)
        with open(self._own, "ab") as file:
            before = file.tell()
            try:
                file.write(json.dumps(record).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):  # what cannot be cut off is a part of a line, and no record
                    os.truncate(self._own, before)
                raise

    def index(self) -> dict[str, tuple[Path, int]]:
        """Key -> where its last record is; the records themselves stay on disk."""
        found: dict[str, tuple[float, Path, int]] = {}
        for file in sorted(self.records_folder.glob("*.jsonl")):
            for offset, record in _lines(file):
                when = record.get("ended", 0.0)
                if record["key"] not in found or when >= found[record["key"]][0]:
                    found[record["key"]] = (when, file, offset)
        return {key: (file, offset) for key, (_, file, offset) in found.items()}

    def refresh(self) -> None:
        """Read again which rows are over."""
        self._index = self.index()

    def record(self, key: str) -> Record | None:
        if self._index is None:
            self.refresh()
        place = (self._index or {}).get(key)
        if place is None:
            return None
        with open(place[0], "rb") as file:
            file.seek(place[1])
            return json.loads(file.readline())

    def is_done(self, key: str, retry_failed: bool = False) -> bool:
        """A clip of the recorded size, or a failure that is not to be tried again."""
        record = self.record(key)
        if record is None:
            return False
        if record["status"] != "ok":
            return not retry_failed
        return self.size(key) == record["clip"]["bytes"]

    def size(self, key: str) -> int:
        """Of a clip, in bytes; -1 where there is none."""
        clip = self.clip(key)
        return clip.stat().st_size if clip.is_file() else -1

    def write(self, name: str, lines: Iterator[bytes]) -> Path:
        """A whole file of the folder, from its parts: seen by others only when it is whole."""
        part = self.folder / f".{name}.part"
        with full_disk_told(self.folder):
            with open(part, "wb") as file:
                for line in lines:
                    file.write(line)
            _flush(part)
            os.replace(part, self.folder / name)
        return self.folder / name

    def put_file(self, name: str, file: Path) -> None:
        """Move a file that lies beside its final place to it."""
        os.replace(file, self.folder / name)

    def table(self) -> Iterator[dict[str, Any]]:
        """The rows of the last run: number, variant, cells, name, key."""
        for _, row in _lines(self.folder / "table.jsonl"):
            yield row

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Raises: ValueError: another run has the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / ".lock", "a+b") as file:
            if not _try_lock(file):
                raise ValueError(
                    f"Another run is writing to {self.folder}. Wait for it, or name another --out."
                )
            yield


class ObjectStore(Store):
    """The same on a file system of pyarrow; what has to lie on this machine lies in a temporary folder."""

    def __init__(self, uri: str):
        self.uri = uri
        self.system, self.root = required("pyarrow.fs").FileSystem.from_uri(uri)
        local = Path(tempfile.gettempdir()) / f"idlora-batch-{hashlib.sha256(uri.encode()).hexdigest()[:12]}"
        super().__init__(local)

    def __str__(self) -> str:
        return self.uri

    def __reduce__(self):
        return ObjectStore, (self.uri,)

    def commit(self, record: Record, part: Path | None = None) -> Record:
        if part is not None:
            record = {**record, "clip": _clip_facts(part, f"clips/{record['key']}.mp4")}
            self._put(part, record["clip"]["file"])
            part.unlink()
        line = json.dumps(record).encode() + b"\n"
        with self._open(f"records/{record['key']}-{uuid.uuid4().hex[:8]}.jsonl") as target:
            target.write(line)
        return record

    def index(self) -> dict[str, tuple[Path, int]]:
        """The records are fetched, once, into a file of this machine."""
        fs = required("pyarrow.fs")
        self.records_folder.mkdir(parents=True, exist_ok=True)
        for old in self.records_folder.glob("*.jsonl"):
            old.unlink()
        found = self.system.get_file_info(fs.FileSelector(f"{self.root}/records", allow_not_found=True))
        with open(self.records_folder / "fetched.jsonl", "wb") as together:
            for info in found:
                with self.system.open_input_stream(info.path) as source:
                    together.write(source.read())
        return super().index()

    def size(self, key: str) -> int:
        info = self.system.get_file_info(f"{self.root}/clips/{key}.mp4")
        return info.size if info.is_file else -1

    def write(self, name: str, lines: Iterator[bytes]) -> Path:
        file = super().write(name, lines)
        self._put(file, name)
        return file

    def put_file(self, name: str, file: Path) -> None:
        self._put(file, name)
        super().put_file(name, file)

    def _put(self, file: Path, name: str) -> None:
        with open(file, "rb") as source, self._open(name) as target:
            while block := source.read(1 << 20):
                target.write(block)

    def _open(self, name: str):
        path = f"{self.root}/{name}"
        if self.system.type_name == "local":
            self.system.create_dir(path.rpartition("/")[0])
        return self.system.open_output_stream(path)


def opened(out: str) -> Store:
    """The store at a path or an address such as s3://bucket/folder."""
    return ObjectStore(out) if "://" in out else Store(Path(out).expanduser().resolve())


@contextmanager
def full_disk_told(folder: Path) -> Iterator[None]:
    """Raises: DiskFull: in place of the system's error."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DiskFull(
            f"There is no room in {folder}. Free some, then run the same command with --resume."
        ) from error


def _clip_facts(part: Path, name: str) -> dict[str, Any]:
    content = part.read_bytes()
    return {"file": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _flush(path: Path) -> None:
    """To the disk; a folder too, where the system lets one be opened."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # a folder, on Windows
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _lines(file: Path) -> Iterator[tuple[int, Any]]:
    """Offset and value of each whole line; a killed writer leaves a part of one."""
    if not file.is_file():
        return
    offset = 0
    with open(file, "rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield offset, json.loads(line)
            offset += len(line)


if os.name == "nt":
    import msvcrt

    def _try_lock(file) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
