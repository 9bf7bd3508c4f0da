"""Shows what the host is doing while a graph runs: the node, and the sampler's steps.

ComfyUI tells it over a websocket only; the standard library has none, so here is as much of RFC 6455 as a
reader of text messages needs.
"""

import base64
import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from .host_client import ApiGraph, HostClient, HostError

BINARY, STATUS_TEXT = 0x2, 3
SECONDS_TO_END = 5

CONTINUATION, TEXT, CLOSE = 0x0, 0x1, 0x8
FINAL, OPCODE, LENGTH = 0x80, 0x0F, 0x7F


class Progress:
    """Prints the progress of what `client` queues, as long as the context is open."""

    def __init__(self, client: HostClient, graph: ApiGraph):
        self.graph = graph
        self._socket = connect(client)
        self._thread = threading.Thread(target=self._show, daemon=True)
        self._open_line: Any = None
        self._started = time.monotonic()

    def __enter__(self) -> "Progress":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._thread.join(5)
        self._begin_line(None)

    def _show(self) -> None:
        for text in self._socket.messages():
            message = json.loads(text)
            kind, data = message.get("type"), message.get("data") or {}
            if kind == "executing" and data.get("node"):
                self._print(data["node"], "")
            elif kind == "progress" and data.get("max", 0) > 1:
                self._print(data.get("node"), f" {data['value']}/{data['max']}")

    def _print(self, node_id: Any, steps: str) -> None:
        """A line per message; on a terminal a line per node, rewritten."""
        node = self.graph.get(str(node_id), {})
        title = (node.get("_meta") or {}).get("title") or node.get("class_type") or f"node {node_id}"
        line = f"  {time.monotonic() - self._started:6.1f} s  {title}{steps}"
        if not sys.stdout.isatty():
            print(line, flush=True)
            return
        self._begin_line(node_id)
        print(f"\r{line}", end="", flush=True)

    def _begin_line(self, node_id: Any) -> None:
        if self._open_line is not None and self._open_line != node_id:
            print(flush=True)
        self._open_line = node_id


class WebSocket:
    """The reading end of a websocket connection."""

    def __init__(self, connection: socket.socket, stream: BinaryIO):
        self._connection = connection
        self._stream = stream

    def messages(self) -> Iterator[str]:
        """Text messages until the connection ends; previews (binary) and pings are read over."""
        kind, parts = TEXT, []
        for is_final, opcode, payload in self.frames():
            if opcode >= CLOSE:
                continue
            if opcode != CONTINUATION:
                kind, parts = opcode, []
            parts.append(payload)
            if is_final and kind == TEXT:
                yield b"".join(parts).decode()

    def close(self) -> None:
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the host closed it first

    def frames(self) -> Iterator[tuple[bool, int, bytes]]:
        """All frames as (is final, opcode, payload) until the connection ends."""
        while head := self._read(2):
            opcode, length = head[0] & OPCODE, head[1] & LENGTH
            if length >= 126:
                form = ">H" if length == 126 else ">Q"
                (length,) = struct.unpack(form, self._read(struct.calcsize(form)))
            payload = self._read(length)
            yield bool(head[0] & FINAL), opcode, payload
            if opcode == CLOSE:
                return

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except OSError:
            return b""


def connect(client: HostClient) -> WebSocket:
    """A websocket that gets the messages about what `client` queues."""
    connection = socket.create_connection(("127.0.0.1", client.port))
    request = [
        f"GET /ws?clientId={client.client_id} HTTP/1.1",
        f"Host: 127.0.0.1:{client.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
    ]
    connection.sendall(("\r\n".join(request) + "\r\n\r\n").encode())
    stream = connection.makefile("rb")
    status = stream.readline().decode(errors="replace").strip()
    while stream.readline().strip():
        pass  # the answer's headers
    if " 101 " not in status:
        raise HostError(f"The host refused a websocket: {status}")
    return WebSocket(connection, stream)


@contextmanager
def listening(client: HostClient, hear: Callable[[int, bytes], None]) -> Iterator[None]:
    """Hand each message about what `client` queues to `hear`, as opcode and payload, from a thread."""
    websocket = connect(client)

    def listen() -> None:
        for _, opcode, payload in websocket.frames():
            hear(opcode, payload)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield
    finally:
        websocket.close()
        thread.join(SECONDS_TO_END)


def status_text(opcode: int, payload: bytes) -> tuple[str, str] | None:
    """Node id and text of a message that shows a status line on a node; None for any other."""
    if opcode != BINARY or struct.unpack(">I", payload[:4])[0] != STATUS_TEXT:
        return None
    (length,) = struct.unpack(">I", payload[4:8])
    return payload[8 : 8 + length].decode(), payload[8 + length :].decode()
