"""What the host tells while a graph runs, over its websocket: the node, the sampler's steps, a node's status line."""

import asyncio
import json
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import aiohttp

from .host_client import ApiGraph, HostClient

TEXT, BINARY = aiohttp.WSMsgType.TEXT.value, aiohttp.WSMsgType.BINARY.value
STATUS_TEXT = 3
SECONDS_TO_ANSWER = 10


@contextmanager
def listening(client: HostClient, hear: Callable[[int, bytes], None]) -> Iterator[None]:
    """Hand each message about what `client` queues to `hear`, as opcode and payload, from a thread.

    Raises:
        aiohttp.ClientError: the host refuses a websocket. What `hear` raises, at the end.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)

    def wait_for(coroutine) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(SECONDS_TO_ANSWER)

    with ExitStack() as stack:
        stack.callback(loop.close)
        thread.start()
        stack.callback(thread.join, SECONDS_TO_ANSWER)
        stack.callback(loop.call_soon_threadsafe, loop.stop)
        session = wait_for(_session())
        stack.callback(lambda: wait_for(session.close()))
        websocket = wait_for(
            session.ws_connect(f"{client.url}/ws?clientId={client.client_id}", max_msg_size=0)
        )
        heard = asyncio.run_coroutine_threadsafe(_hear_all(websocket, hear), loop)
        stack.callback(heard.result, SECONDS_TO_ANSWER)
        stack.callback(lambda: wait_for(websocket.close()))
        yield


async def _session() -> aiohttp.ClientSession:
    """Made inside the loop, as aiohttp asks."""
    return aiohttp.ClientSession()


async def _hear_all(websocket: aiohttp.ClientWebSocketResponse, hear: Callable[[int, bytes], None]) -> None:
    async for message in websocket:
        payload = message.data.encode() if isinstance(message.data, str) else message.data
        hear(message.type.value, payload)


def status_text(opcode: int, payload: bytes) -> tuple[str, str] | None:
    """Node id and text of a message that shows a status line on a node; None for any other."""
    if opcode != BINARY or struct.unpack(">I", payload[:4])[0] != STATUS_TEXT:
        return None
    (length,) = struct.unpack(">I", payload[4:8])
    return payload[8 : 8 + length].decode(), payload[8 + length :].decode()


@contextmanager
def progress(client: HostClient, graph: ApiGraph) -> Iterator[None]:
    """Print what `client` queues as it goes, as long as the context is open."""
    lines = _Lines(graph)

    def hear(opcode: int, payload: bytes) -> None:
        message = json.loads(payload) if opcode == TEXT else {}
        kind, data = message.get("type"), message.get("data") or {}
        if kind == "executing" and data.get("node"):
            lines.print(data["node"], "")
        elif kind == "progress" and data.get("max", 0) > 1:
            lines.print(data.get("node"), f" {data['value']}/{data['max']}")

    with listening(client, hear):
        yield
    lines.begin(None)


class _Lines:
    """A line per message; on a terminal a line per node, rewritten."""

    def __init__(self, graph: ApiGraph):
        self.graph = graph
        self._open: Any = None
        self._started = time.monotonic()

    def print(self, node_id: Any, steps: str) -> None:
        node = self.graph.get(str(node_id), {})
        title = (node.get("_meta") or {}).get("title") or node.get("class_type") or f"node {node_id}"
        line = f"  {time.monotonic() - self._started:6.1f} s  {title}{steps}"
        if not sys.stdout.isatty():
            print(line, flush=True)
            return
        self.begin(node_id)
        print(f"\r{line}", end="", flush=True)

    def begin(self, node_id: Any) -> None:
        if self._open is not None and self._open != node_id:
            print(flush=True)
        self._open = node_id
