"""The status lines that nodes show, heard over ComfyUI's websocket.

The standard library has no websocket: here is as much of RFC 6455 as a reader needs. A ComfyUI behind a proxy that
refuses websockets renders all the same, without the lines.
"""

import base64
import os
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress

from .client import Client

CONTINUATION, BINARY, CLOSE = 0x0, 0x2, 0x8
FINAL, OPCODE, LENGTH = 0x80, 0x0F, 0x7F
STATUS_TEXT = 3  # ComfyUI's own type of a binary message: text for a node
SECONDS_TO_CONNECT = 10
LARGEST_FRAME = 64 << 20


class StatusLines:
    """What the nodes say while a graph of `client` runs: `with StatusLines(client) as lines: ...; lines.by_node`."""

    def __init__(self, client: Client):
        self.client = client
        self.by_node: dict[str, str] = {}
        self._connection: socket.socket | None = None

    def __enter__(self) -> "StatusLines":
        with suppress(OSError):
            self._connection = _connected(self.client)
            stream = self._connection.makefile("rb")
            if b" 101 " in stream.readline():
                while stream.readline().strip():
                    pass  # the answer's headers
                self._connection.settimeout(None)
                threading.Thread(target=self._listen, args=(stream,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            self._connection.close()

    def _listen(self, stream) -> None:
        with suppress(OSError, ValueError, struct.error):  # the connection was closed, by either side
            for payload in _binary_messages(stream):
                kind, length = struct.unpack(">II", payload[:8])
                if kind == STATUS_TEXT:
                    node = payload[8 : 8 + length].decode(errors="replace")
                    self.by_node[node] = payload[8 + length :].decode(errors="replace")


def _connected(client: Client) -> socket.socket:
    port = client.port or (443 if client.is_secure else 80)
    connection = socket.create_connection((client.host, port), timeout=SECONDS_TO_CONNECT)
    if client.is_secure:
        connection = ssl.create_default_context().wrap_socket(connection, server_hostname=client.host)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {client.path}/ws?clientId={client.id} HTTP/1.1",
        f"Host: {client.host}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    ]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return connection


def _binary_messages(stream) -> Iterator[bytes]:
    message, is_binary = b"", False
    while len(head := stream.read(2)) == 2:
        opcode, length = head[0] & OPCODE, head[1] & LENGTH
        if length >= 126:
            form = ">H" if length == 126 else ">Q"
            (length,) = struct.unpack(form, stream.read(struct.calcsize(form)))
        if length > LARGEST_FRAME:
            return
        payload = stream.read(length)
        if opcode == CLOSE:
            return
        if opcode >= CLOSE:
            continue  # ping, pong
        is_binary = opcode == BINARY if opcode != CONTINUATION else is_binary
        message += payload
        if head[0] & FINAL:
            if is_binary:
                yield message
            message = b""
