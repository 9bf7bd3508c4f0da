"""One row at a time on one ComfyUI, which stays warm between rows."""

import contextlib
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .comfy import site
from .comfy.client import Client, HostDied, RowFailed, cached_nodes, failure, saved_files
from .comfy.installation import Installation
from .comfy.listening import StatusLines
from .comfy.process import Host
from .scores import Scorer
from .store import DiskFull, Record, Store, full_disk_told

LONGEST_REASON = 2000
NO_ROOM = "No space left on device"
Answer = dict[str, Any]  # key, status: ok | failed | host_died | disk_full, and the record or the reason


class Running(Protocol):
    """A ComfyUI that was started, or was there."""

    client: Client

    def is_alive(self) -> bool: ...

    def done(self, file: dict[str, str]) -> None: ...

    def stop(self) -> None: ...


class OwnHost(Host):
    """A process of ours; what it saved is removed once it is kept."""

    def done(self, file: dict[str, str]) -> None:
        self.output(file).unlink(missing_ok=True)


@dataclass
class Server:
    """A ComfyUI of somebody else: nothing of it is removed or stopped."""

    client: Client

    def is_alive(self) -> bool:
        return True

    def done(self, file: dict[str, str]) -> None:
        pass

    def stop(self) -> None:
        pass


class Renderer:
    """Renders rows on the ComfyUI that `start` gives, starting another when it dies.

    timeout: seconds for one row, None for no limit.
    """

    def __init__(
        self,
        start: Callable[[], Running],
        store: Store,
        scorer: Scorer,
        timeout: float | None = None,
        name: str = "",
    ):
        self.start, self.store, self.scorer, self.timeout = start, store, scorer, timeout
        self.name = name or f"{os.uname().nodename if hasattr(os, 'uname') else 'host'}:{os.getpid()}"
        self._running: Running | None = None
        self._uploaded: set[str] = set()
        self._queued: str | None = None
        self._is_closed = False

    def facts(self, custom_nodes: Path | None) -> tuple[dict[str, Any], dict[str, str]]:
        """Schemas and versions of the ComfyUI."""
        client = self._warm().client
        nodes = site.schemas(client)
        return nodes, site.versions(client, nodes, custom_nodes)

    def identify(self, model: str) -> str:
        return site.identify(self._warm().client, model)

    def render(self, task: dict[str, Any], attempt: int) -> Answer:
        """Render a row and keep what came of it; a dead host or a full disk keep nothing."""
        started = time.time()
        record: Record = {"key": task["key"], "attempt": attempt, "worker": self.name}
        part = self.store.part(task["key"])
        try:
            try:
                record |= self._rendered(task, part)
                record |= {"status": "ok", "scores": self.scorer.scores(part, task["voice"], task["speech"])}
            except HostDied as error:
                self._drop()
                return {"key": task["key"], "status": "host_died", "why": str(error)[:LONGEST_REASON]}
            except TimeoutError as error:
                self._abandon()  # a host that hangs is not given another row
                record |= {"status": "failed", "why": str(error)}
            except RowFailed as error:
                if self._is_closed:  # cancelled by us: no result of the row
                    return {"key": task["key"], "status": "host_died", "why": "The run was ended."}
                if NO_ROOM in str(error):
                    raise DiskFull(f"ComfyUI says: {error}") from error
                record |= {"status": "failed", "why": str(error)[:LONGEST_REASON]}
            record |= {"ended": time.time(), "seconds": round(time.time() - started, 2)}
            record = self.store.commit(record, part if record["status"] == "ok" else None)
            return {"key": task["key"], "status": record["status"], "record": record}
        except DiskFull as error:
            self._drop()  # it would answer the row from its cache with a file that is gone
            return {"key": task["key"], "status": "disk_full", "why": str(error)}
        finally:
            part.unlink(missing_ok=True)

    def close(self) -> None:
        """Stop the host; what is running on a server of somebody else is cancelled, and nothing else there."""
        self._is_closed = True
        self._abandon()

    def _abandon(self) -> None:
        if self._running is not None and self._queued is not None:
            with contextlib.suppress(HostDied, RuntimeError):  # gone, and the row with it
                self._running.client.cancel(self._queued)
        self._drop()

    def _rendered(self, task: dict[str, Any], part: Path) -> Record:
        running = self._warm()
        for name, path in task["files"].items():
            if name not in self._uploaded:
                running.client.upload(name, _content(path))
                self._uploaded.add(name)
        with StatusLines(running.client) as lines:
            if self._is_closed:
                raise HostDied("The run was ended.")
            prompt_id = str(uuid.uuid4())
            self._queued = prompt_id  # before it is: it may be queued when we are closed
            self._queued = running.client.queue(task["graph"], prompt_id)
            entry = running.client.wait(self._queued, self.timeout)
            self._queued = None
        if reason := failure(entry):
            raise RowFailed(reason)
        videos = [file for file in saved_files(entry) if file["filename"].endswith(".mp4")]
        if not videos:
            raise RowFailed("The workflow ended without saving an mp4.")
        with full_disk_told(self.store.folder):
            running.client.fetch(videos[0], part)
        for file in videos:
            running.done(file)
        titles = {node_id: _title(node) for node_id, node in task["graph"].items()}
        lines_of_nodes = [[titles.get(node, node), text] for node, text in lines.by_node.items() if text]
        return {"lines": lines_of_nodes, "cached": cached_nodes(entry)}

    def _warm(self) -> Running:
        if self._running is None or not self._running.is_alive():
            self._drop()
            self._running = self.start()
        return self._running

    def _drop(self) -> None:
        running, self._running = self._running, None
        self._uploaded, self._queued = set(), None
        if running is not None:
            running.stop()


def own_host(installation: Installation, work: Path) -> Callable[[], Running]:
    """Starts processes of the user's ComfyUI, each in a folder of its own below `work`."""

    def start() -> Running:
        host = OwnHost(installation, work / uuid.uuid4().hex[:12])
        host.start()
        return host

    return start


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise RowFailed(f"{path} cannot be read: {error.strerror}") from error


def _title(node: dict[str, Any]) -> str:
    return (node.get("_meta") or {}).get("title") or node["class_type"]
