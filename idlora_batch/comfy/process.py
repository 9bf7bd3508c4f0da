"""A ComfyUI process of one worker: its own port, folders and database, the user's models and packs."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from . import guard
from .client import Client, HostDied
from .installation import Installation

SECONDS_TO_START = 600  # a cold disk, many packs
STARTS = 3  # another program may take the port between our look and the host's start
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PORT_IS_TAKEN = re.compile(
    r"address already in use|already in use|only one usage of each socket", re.IGNORECASE
)
TAIL_LINES = 15


class Host:
    """A started ComfyUI, behind a guard that ends it when this process is gone.

    Args:
        installation: the user's.
        work_folder: made here; what the host writes. Removed by `stop`, or by the guard.
    """

    def __init__(self, installation: Installation, work_folder: Path):
        self.installation, self.work_folder = installation, work_folder
        self.log_file = work_folder / "comfyui.log"
        self._guard: subprocess.Popen | None = None
        self.client = Client("http://127.0.0.1:1")

    def start(self) -> "Host":
        """Raises: HostDied: it ended or did not answer in time; with the end of its log."""
        for attempt in range(1, STARTS + 1):
            self._launch()
            try:
                self._wait_until_up()
                return self
            except HostDied:
                is_race = PORT_IS_TAKEN.search(self.log())
                self.stop()
                if not is_race or attempt == STARTS:
                    raise
            except BaseException:
                self.stop()
                raise
        raise AssertionError("unreachable")

    def is_alive(self) -> bool:
        return self._guard is not None and self._guard.poll() is None

    def output(self, file: dict[str, str]) -> Path:
        """Where a saved file is."""
        return self.work_folder / "output" / file.get("subfolder", "") / file["filename"]

    def log(self) -> str:
        if not self.log_file.exists():
            return ""
        return COLOUR.sub("", self.log_file.read_text(encoding="utf-8", errors="replace"))

    def log_tail(self) -> str:
        return "\n".join(self.log().rstrip().splitlines()[-TAIL_LINES:])

    def stop(self) -> None:
        """End the host and remove its folder; harmless when it has ended already."""
        process, self._guard = self._guard, None
        if process is not None and process.stdin is not None:
            process.stdin.close()  # what the guard waits for
            try:
                process.wait(guard.SECONDS_TO_END + 5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.work_folder, ignore_errors=True)

    def _launch(self) -> None:
        for folder in ("models", "input", "output", "temp", "user", "custom_nodes"):
            (self.work_folder / folder).mkdir(parents=True, exist_ok=True)
        # Loading a model keeps ComfyUI from answering for minutes: only its process says whether it lives.
        self.client = Client(f"http://127.0.0.1:{_free_port()}", self.is_alive, patience=float("inf"))
        command = [
            sys.executable,
            str(Path(guard.__file__).resolve()),
            str(self.work_folder),
            *self._command(),
        ]
        with open(self.log_file, "wb") as log:
            self._guard = subprocess.Popen(
                command,
                cwd=self.installation.tree,
                env=_variables(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal goes to the driver, which ends us in order
            )

    def _command(self) -> list[str]:
        paths = self.work_folder / "model_paths.yaml"
        paths.write_text(self.installation.model_paths(), encoding="utf-8")
        database = (self.work_folder / "user" / "comfyui.db").as_posix()
        return [
            *(str(self.installation.python), str(self.installation.tree / "main.py")),
            *("--listen", "127.0.0.1", "--port", str(self.client.port), "--disable-auto-launch"),
            *("--base-directory", str(self.work_folder), "--database-url", f"sqlite:///{database}"),
            *("--extra-model-paths-config", str(paths)),
            *self.installation.options,
        ]

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            if not self.is_alive():
                raise HostDied(f"ComfyUI ended while it started. The end of its log:\n{self.log_tail()}")
            try:
                self.client.get("/system_stats")
                return
            except (HostDied, RuntimeError):
                time.sleep(0.1)
        raise HostDied(
            f"ComfyUI did not answer within {SECONDS_TO_START} s. The end of its log:\n{self.log_tail()}"
        )


def _variables() -> dict[str, str]:
    """Without Ray's own variables, and without our import path: the host is a program of its own."""
    dropped = ("PYTHONPATH", "PYTHONHOME")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.startswith("RAY_")
    }
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
