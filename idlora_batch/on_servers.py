"""Workers that are ComfyUI servers which run already: threads of this process, no Ray, two rows in flight each."""

import queue
import threading
from collections.abc import Iterator
from typing import Any

from .comfy.client import Client
from .renderer import Answer, Renderer, Server
from .scores import Scorer
from .store import Store

ROWS_IN_FLIGHT = 2  # one waits while the other runs, so that the server never does
PATIENCE = 60.0  # seconds of silence after which a server counts as gone


class ServerWorkers:
    """`with ServerWorkers(urls, store, scorer) as workers`; leaving it cancels what is queued, by its id."""

    def __init__(self, urls: list[str], store: Store, scorer: Scorer, timeout: float | None = None):
        self._clients = [Client(url, patience=PATIENCE) for url in urls for _ in range(ROWS_IN_FLIGHT)]
        self.size = len(self._clients)
        self.renderers = [
            Renderer(lambda client=client: Server(client), store, scorer, timeout, client.url)
            for client in self._clients
        ]
        self._tasks: list[queue.Queue] = [queue.Queue() for _ in self._clients]
        self._answers: queue.Queue[tuple[int, Answer]] = queue.Queue()

    def __enter__(self) -> "ServerWorkers":
        for worker in range(self.size):
            threading.Thread(target=self._work, args=(worker,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for renderer in self.renderers:
            renderer.close()

    def facts(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Schemas and versions of the first server.

        Raises:
            ValueError: the servers differ in what their clips depend on, so that rows would too.
        """
        found = [renderer.facts(None) for renderer in self.renderers[::ROWS_IN_FLIGHT]]
        for renderer, (_, versions) in zip(self.renderers[::ROWS_IN_FLIGHT], found, strict=True):
            if versions != found[0][1]:
                differing = sorted(
                    name for name in {*versions, *found[0][1]} if versions.get(name) != found[0][1].get(name)
                )
                first = self.renderers[0].name
                raise ValueError(
                    f"{renderer.name} and {first} differ in {', '.join(differing)}; clips would too."
                )
        return found[0]

    def identify(self, model: str) -> str:
        return self.renderers[0].identify(model)

    def give(self, worker: int, task: dict[str, Any], attempt: int) -> None:
        self._tasks[worker].put((task, attempt))

    def answers(self) -> Iterator[tuple[int, Answer]]:
        try:
            yield self._answers.get(timeout=1)
            while True:
                yield self._answers.get_nowait()
        except queue.Empty:
            return

    def _work(self, worker: int) -> None:
        while True:
            task, attempt = self._tasks[worker].get()
            try:
                answer = self.renderers[worker].render(task, attempt)
            except Exception as error:  # a thread has nobody else to tell
                answer = {"key": task["key"], "status": "broken", "why": f"{type(error).__name__}: {error}"}
            self._answers.put((worker, answer))
