"""One ComfyUI server over HTTP: upload, queue, wait, fetch, cancel."""

import http.client
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

Graph = dict[str, dict[str, Any]]
SECONDS_BETWEEN_LOOKS = 0.2
CHUNK = 1 << 20


class HostDied(RuntimeError):
    """The ComfyUI gives no answer any more: what it had in hand must be done again."""


class RowFailed(RuntimeError):
    """ComfyUI refused the graph, or a node raised; the same row would fail again."""


class Client:
    """A ComfyUI server, e.g. `Client("http://127.0.0.1:8188")`.

    is_alive: asked when the server is silent; False ends the waiting at once. Where nobody knows, silence for
        `patience` seconds does.
    """

    def __init__(self, url: str, is_alive: Callable[[], bool] = lambda: True, patience: float = 60):
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url} is not the address of a server, such as http://127.0.0.1:8188.")
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self.host, self.port, self.path = parts.hostname, parts.port, parts.path.rstrip("/")
        self.is_secure = parts.scheme == "https"
        self.id = uuid.uuid4().hex
        self.is_alive, self.patience = is_alive, patience

    @contextmanager
    def exchange(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        kind: str = "application/json",
        timeout: float = 60,
    ) -> Iterator[http.client.HTTPResponse]:
        """One request on a connection of its own, never through a proxy.

        Raises:
            HostDied: no answer.
        """
        connect = http.client.HTTPSConnection if self.is_secure else http.client.HTTPConnection
        connection = connect(self.host, self.port, timeout=timeout)
        headers = {"Content-Type": kind} if body is not None else {}
        try:
            with self._heard():
                connection.request(method, self.path + path, body, headers)
                answer = connection.getresponse()
            yield answer
        finally:
            connection.close()

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Errors of the network as HostDied; those of the disk stay what they are."""
        try:
            yield
        except (OSError, http.client.HTTPException) as error:
            raise HostDied(f"{self.url} gave no answer: {error!r}") from error

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON (or None) of one request."""
        data = None if body is None else json.dumps(body).encode()
        with self.exchange(method, path, data) as answer, self._heard():
            content = answer.read()
        try:
            return answer.status, json.loads(content) if content.strip() else None
        except json.JSONDecodeError:
            return answer.status, None

    def get(self, path: str) -> Any:
        """Raises: RuntimeError: answered with an error."""
        status, content = self.ask("GET", path)
        if status != http.client.OK:
            raise RuntimeError(f"{self.url}{path} was answered with {status}. Is this a ComfyUI?")
        return content

    def upload(self, name: str, content: bytes) -> None:
        """Put a file into the input folder; the same name always means the same content, so overwriting is safe.

        Raises:
            RowFailed: refused, such as for its size.
        """
        mark = uuid.uuid4().hex
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="overwrite"\r\n\r\ntrue\r\n'
            f'--{mark}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{mark}--\r\n".encode()
        with self.exchange(
            "POST", "/upload/image", body, f"multipart/form-data; boundary={mark}", 600
        ) as answer:
            if answer.status != http.client.OK:
                raise RowFailed(
                    f"ComfyUI refused the file {name} of {len(content)} bytes (status {answer.status})."
                )

    def queue(self, graph: Graph, prompt_id: str) -> str:
        """Queue a graph; an old ComfyUI gives another id than asked for.

        Raises:
            RowFailed: refused by the host's validation, with its reasons.
        """
        status, answer = self.ask(
            "POST", "/prompt", {"prompt": graph, "client_id": self.id, "prompt_id": prompt_id}
        )
        if status != http.client.OK or (answer or {}).get("node_errors"):
            raise RowFailed(_refusal(answer or {}, graph) or f"ComfyUI refused the graph (status {status}).")
        return answer["prompt_id"]

    def wait(self, prompt_id: str, timeout: float | None = None) -> dict[str, Any]:
        """The history entry of a queued graph, once it is over.

        Raises:
            HostDied: the host ended, is silent for too long, or forgot the graph (it was started again).
            TimeoutError
        """
        started = heard = checked = time.monotonic()
        while True:
            now = time.monotonic()
            try:
                entry = self._entry(prompt_id)
                heard = now
                if entry is not None:
                    return entry
            except HostDied:
                if not self.is_alive() or now - heard > self.patience:
                    raise
            if heard == now and now - checked > self.patience:
                checked = now
                self._require_known(prompt_id)
            if timeout is not None and now - started > timeout:
                raise TimeoutError(f"It was not done after {timeout:g} s.")
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _entry(self, prompt_id: str) -> dict[str, Any] | None:
        return self.get(f"/history/{prompt_id}").get(prompt_id)

    def _require_known(self, prompt_id: str) -> None:
        """Raises: HostDied: the server answers, but was started again since, and has forgotten the graph."""
        if (
            not self.is_queued(prompt_id) and self._entry(prompt_id) is None
        ):  # it may have ended between the two
            raise HostDied(f"{self.url} has forgotten the row; was it started again?")

    def is_queued(self, prompt_id: str) -> bool:
        """Running, or waiting to."""
        queue = self.get("/queue")
        return any(entry[1] == prompt_id for entry in queue["queue_running"] + queue["queue_pending"])

    def cancel(self, prompt_id: str) -> None:
        """Take one graph off the queue, or stop it where it runs; nobody else's, ever."""
        status, _ = self.ask("POST", f"/api/jobs/{prompt_id}/cancel")
        if status == http.client.OK:
            return
        self.ask("POST", "/queue", {"delete": [prompt_id]})
        running = self.get("/queue")["queue_running"]
        if any(entry[1] == prompt_id for entry in running):
            self.ask("POST", "/interrupt", {"prompt_id": prompt_id})

    def fetch(self, file: dict[str, str], into: Path) -> None:
        """Stream a result into a file that this call makes.

        Raises:
            HostDied: it is not there any more, as after its folder was emptied while the host remembers the run.
        """
        query = urlencode(
            {key: file.get(key, "") for key in ("filename", "subfolder", "type")}, quote_via=quote
        )
        with self.exchange("GET", f"/view?{query}", timeout=600) as answer:
            if answer.status != http.client.OK:
                raise HostDied(
                    f"{self.url} does not have {file['filename']} any more (status {answer.status})."
                )
            with open(into, "wb") as target:
                while part := self._part(answer):
                    target.write(part)

    def _part(self, answer: http.client.HTTPResponse) -> bytes:
        with self._heard():
            return answer.read(CHUNK)


def failure(entry: dict[str, Any]) -> str | None:
    """Why a run did not succeed, from its history entry; None where it did."""
    status = entry.get("status") or {}
    for event, details in status.get("messages") or []:
        if event == "execution_error":
            message = (details.get("exception_message") or details.get("exception_type") or "").strip()
            return f"{details.get('node_type')} (node {details.get('node_id')}): {message}"
        if event == "execution_interrupted":
            return f"Interrupted in {details.get('node_type')} (node {details.get('node_id')})."
    return None if status.get("completed", True) else "The run did not complete."


def cached_nodes(entry: dict[str, Any]) -> list[str]:
    """Ids of the nodes whose results the host still had: a warm host's loaders are among them."""
    messages = (entry.get("status") or {}).get("messages") or []
    return sorted(
        {node for event, details in messages if event == "execution_cached" for node in details["nodes"]}
    )


def saved_files(entry: dict[str, Any]) -> list[dict[str, str]]:
    """What a run put into the output folder: filename, subfolder, type."""
    found = [
        item
        for output in (entry.get("outputs") or {}).values()
        for items in output.values()
        if isinstance(items, list)
        for item in items
    ]
    return [
        item
        for item in found
        if isinstance(item, dict) and item.get("type") == "output" and "filename" in item
    ]


def _refusal(answer: dict[str, Any], graph: Graph) -> str:
    lines = [
        f"{found.get('class_type') or graph.get(node, {}).get('class_type')} (node {node}): "
        f"{error.get('message')}: {error.get('details')}"
        for node, found in (answer.get("node_errors") or {}).items()
        for error in found.get("errors") or []
    ]
    error = answer.get("error")
    if not lines and isinstance(error, dict):
        lines = [" ".join(filter(None, (error.get("message"), error.get("details"))))]
    return "ComfyUI refused the graph: " + "; ".join(lines) if lines else ""
