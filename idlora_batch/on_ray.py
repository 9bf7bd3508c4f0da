"""Workers that are Ray actors: each owns one GPU and one ComfyUI of the user's installation."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from .comfy.installation import Installation
from .renderer import Answer, Renderer, own_host
from .requirements import required
from .scores import Scorer
from .store import Store

ROOT = Path(__file__).resolve().parents[1]
OBJECT_STORE_BYTES = 100 << 20  # clips never go through Ray
SECONDS_TO_CLOSE = 20
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # else Ray tells its makers that it was started
    "RAY_prestart_worker_first_driver": "0",  # workers that nobody uses
}
STARTS = 5  # on a busy computer Ray gives up on itself after half a minute
PORTS = (
    "Ray listens on all network interfaces of this computer while it runs; it asks for a token. Its dashboard is off."
    " On a cluster, keep its ports in a private network: whoever reaches them can run programs."
)


class Actor:
    """What runs in a worker's process: a renderer, and a folder of its own for its hosts."""

    def __init__(
        self, installation: Installation, store: Store, scorer: Scorer, timeout: float | None, work: str
    ):
        work_folder = Path(work) if work else Path(tempfile.gettempdir()) / "idlora-batch"
        self.installation = installation
        self.renderer = Renderer(own_host(installation, work_folder), store, scorer, timeout)

    def facts(self) -> tuple[dict[str, Any], dict[str, str]]:
        return self.renderer.facts(self.installation.base / "custom_nodes")

    def identify(self, model: str) -> str:
        return self.renderer.identify(model)

    def render(self, task: dict[str, Any], attempt: int) -> Answer:
        return self.renderer.render(task, attempt)

    def close(self) -> None:
        self.renderer.close()
        self.renderer.scorer.close()


class RayWorkers:
    """`with RayWorkers(make_actor, size) as workers`; leaving it ends the actors, and Ray where we started it.

    Args:
        arguments: of the actor.
        size: how many; 0 takes as many as Ray counts GPUs.
        gpus: of each actor.
        address: of a running cluster; None starts Ray on this computer.
        resources: custom resources of each actor, for clusters that name theirs.
        actor: the class; anything with `render` and `close`.
    """

    def __init__(
        self,
        arguments: tuple,
        size: int,
        gpus: float,
        address: str | None = None,
        resources: dict[str, float] | None = None,
        actor: type = Actor,
    ):
        self.ray = required("ray")
        self._start(address)
        self.is_local = address is None
        try:
            self.size = size or int(self.ray.cluster_resources().get("GPU", 0) // gpus)
            if self.size < 1:
                raise ValueError(
                    "Ray sees no GPU here. Name how many ComfyUIs to start with --workers N --cpu."
                )
            self._class = self.ray.remote(actor).options(
                num_gpus=gpus,
                num_cpus=1 if gpus else 0,
                resources=resources or {},
                max_restarts=0,
                max_task_retries=0,
            )
            self._arguments = arguments
            self._actors = [self._class.remote(*arguments) for _ in range(self.size)]
        except BaseException:
            self.ray.shutdown()
            raise
        self._busy: dict[Any, int] = {}

    def _start(self, address: str | None) -> None:
        quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "error"}
        import_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        if address:
            modules = [str(ROOT / "idlora_batch")]
            self.ray.init(address=address, runtime_env={"py_modules": modules}, log_to_driver=False)
            return
        settings = {
            "object_store_memory": OBJECT_STORE_BYTES,
            "runtime_env": {"env_vars": {"PYTHONPATH": import_path}},
            # Else Ray gives its workers, and so ComfyUI, only what other programs leave of the processor.
            "_system_config": {"worker_niceness": 0},
        }
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        for attempt in range(1, STARTS + 1):
            try:
                self.ray.init(**settings, **quiet)
                return
            except Exception as error:  # Ray's own, of no class of its own
                self.ray.shutdown()
                if attempt == STARTS:
                    raise RuntimeError(
                        f"Ray did not start in {STARTS} tries: {_first_line(error)}"
                    ) from error

    def __enter__(self) -> "RayWorkers":
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        """Ask the actors to close their hosts, at once where the run was broken off; what hangs is killed."""
        is_orderly = kind is None
        asked = []
        for worker, actor in enumerate(self._actors):
            is_idle = worker not in self._busy.values()
            if is_orderly and is_idle:
                asked.append(actor.close.remote())
        with suppress(Exception):  # an actor that died has nothing left to close
            self.ray.wait(asked, num_returns=len(asked), timeout=SECONDS_TO_CLOSE) if asked else None
        for actor in self._actors:
            self.ray.kill(actor)
        self.ray.shutdown()

    def facts(self) -> tuple[dict[str, Any], dict[str, str]]:
        return self._asked(lambda actor: actor.facts.remote())

    def identify(self, model: str) -> str:
        return self._asked(lambda actor: actor.identify.remote(model))

    def give(self, worker: int, task: dict[str, Any], attempt: int) -> None:
        self._busy[self._actors[worker].render.remote(task, attempt)] = worker

    def answers(self) -> Iterator[tuple[int, Answer]]:
        ready, _ = self.ray.wait(list(self._busy), num_returns=1, timeout=1.0)
        for reference in ready:
            worker = self._busy.pop(reference)
            try:
                yield worker, self.ray.get(reference)
            except self.ray.exceptions.RayActorError as error:
                self._actors[worker] = self._class.remote(*self._arguments)
                yield worker, {"key": "", "status": "worker_died", "why": _first_line(error)}
            except self.ray.exceptions.RayTaskError as error:
                yield worker, {"key": "", "status": "broken", "why": _first_line(error.cause)}

    def _asked(self, question) -> Any:
        """The first actor's answer; one that died is replaced, once."""
        try:
            return self.ray.get(question(self._actors[0]))
        except self.ray.exceptions.RayActorError:
            self._actors[0] = self._class.remote(*self._arguments)
            return self.ray.get(question(self._actors[0]))
        except self.ray.exceptions.RayTaskError as error:
            raise error.cause from None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def wait_until_gone(work: Path, seconds: float = SECONDS_TO_CLOSE) -> None:
    """Wait until the guards have ended the hosts that ran below a folder; they remove each one's folder last."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(_is_running(folder) for folder in work.glob("*/")):
        time.sleep(0.05)


def _is_running(folder: Path) -> bool:
    pid_file = folder / "host.pid"
    with suppress(OSError, ValueError):
        os.kill(int(pid_file.read_text()), 0)
        return sys.platform != "win32"
    return False
