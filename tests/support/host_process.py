"""A real ComfyUI as a child process, with its own input, output, user and custom_nodes folders."""

import atexit
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev_setup import processes
from dev_setup.console import tail
from dev_setup.versions import ROOT

from .host_client import HostClient, HostError, HostSilent

PACK_NAME = "idlora-ltx2"
PACK = {PACK_NAME: ROOT}
TEXT_ENCODER_DOUBLE = {"text_encoder_double": Path(__file__).resolve().parent / "text_encoder_double"}
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
NEW_CACHE = "Using RAM pressure cache"
SECONDS_TO_FORGET = 60
NOT_COPIED = shutil.ignore_patterns(
    ".git", "__pycache__", ".*_cache", "output", "node_modules", ".venv", "venv"
)


class HostProcess(HostClient):
    """ComfyUI, started on entering the context and stopped on leaving it.

    Args:
        tree: folder of a ComfyUI release; nothing is written there.
        python: interpreter that has ComfyUI's requirements.
        work_dir: an existing folder for all that the host reads and writes.
        models: a models folder (checkpoints/, loras/, ...), or None for no models.
        custom_nodes: folder name in custom_nodes -> folder that is linked (copied where links are refused).
        options: more options of ComfyUI's main.py, e.g. `["--cpu"]`.
        output_dir: where results go; `<work_dir>/output` when None.
        port: 0 takes a free one.
        threads: of PyTorch; None leaves it to PyTorch. For small models 1: they lose by more, and where other
            programs run beside them, a lot.
        writes_bytecode: False keeps Python from writing __pycache__ into a tree that is not ours.
    """

    def __init__(
        self,
        tree: Path,
        python: Path,
        work_dir: Path,
        *,
        models: Path | None = None,
        custom_nodes: Mapping[str, Path] = PACK,
        options: Sequence[str] = (),
        output_dir: Path | None = None,
        port: int = 0,
        threads: int | None = None,
        writes_bytecode: bool = True,
    ):
        super().__init__(port or _free_port())
        self.tree, self.python, self.work_dir = tree, python, work_dir
        self.models = models
        self.custom_nodes = custom_nodes
        self.options = list(options)
        self.input_dir = work_dir / "input"
        self.output_dir = output_dir or work_dir / "output"
        self.log_file = work_dir / "comfyui.log"
        self.threads = threads
        self.writes_bytecode = writes_bytecode
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "HostProcess":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, timeout: float = 240) -> None:
        """Start the host and wait until it answers.

        Raises:
            HostError: the port is taken, the host died or did not answer in time, or a custom node pack
                could not be imported; with the end of its log.
        """
        _require_free(self.port)
        self._make_folders()
        with open(self.log_file, "wb") as log:
            self._process = processes.start(
                self._command(), cwd=self.tree, env=self._variables(), stdout=log, stderr=subprocess.STDOUT
            )
        atexit.register(self.stop)
        try:
            self._wait_until_up(timeout)
            self._require_imports()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the host; harmless when it has ended already."""
        process, self._process = self._process, None
        atexit.unregister(self.stop)
        if process is None:
            return
        processes.end(process)

    def add_input(self, file: Path, name: str | None = None) -> str:
        """Copy a file into the input folder; the name to give to LoadImage or LoadAudio."""
        target = self.input_dir / (name or file.name)
        shutil.copyfile(file, target)
        return target.name

    def log_text(self) -> str:
        """What the host has printed so far, without colours."""
        if not self.log_file.exists():
            return ""
        return COLOUR.sub("", self.log_file.read_text(encoding="utf-8", errors="replace"))

    def wait_until_sampling(self, prompt_id: str, num_steps: int, timeout: float = 120) -> None:
        """Wait until a prompt's progress bar shows; its schedule has `num_steps` steps."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            running = [entry[1] for entry in self.get("/queue")["queue_running"]]
            if prompt_id in running and f"/{num_steps} [" in self.log_text()[-400:]:
                return
            time.sleep(0.1)
        raise HostError("Sampling did not begin.")

    def forget(self) -> None:
        """Have models and results dropped, so that all nodes run. At the end of a run the host may miss a request."""
        before = self.log_text().count(NEW_CACHE)
        deadline = time.monotonic() + SECONDS_TO_FORGET
        while self.log_text().count(NEW_CACHE) == before:
            if time.monotonic() > deadline:
                raise HostError("The host has not dropped what it keeps.")
            self.post("/free", {"unload_models": True, "free_memory": True})
            time.sleep(0.3)

    def require_alive(self) -> None:
        if self._process is None or self._process.poll() is not None:
            code = None if self._process is None else self._process.returncode
            raise HostError(
                f"ComfyUI has ended (exit code {code}). The end of its log:\n{tail(self.log_text())}"
            )

    def _make_folders(self) -> None:
        for folder in ("models", "input", "temp", "user", "custom_nodes"):
            (self.work_dir / folder).mkdir(parents=True, exist_ok=True)
        self.output_dir.mkdir(parents=True, exist_ok=True)
        for name, source in self.custom_nodes.items():
            install(source, self.work_dir / "custom_nodes" / name)

    def _command(self) -> list[str]:
        database = (self.work_dir / "user" / "comfyui.db").as_posix()
        command = [str(self.python), str(self.tree / "main.py")]
        command += [
            "--listen",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--disable-auto-launch",
            "--disable-api-nodes",
        ]
        command += ["--base-directory", str(self.work_dir), "--output-directory", str(self.output_dir)]
        command += ["--database-url", f"sqlite:///{database}"]
        if self.models is not None:
            command += ["--extra-model-paths-config", str(self._model_paths(self.models))]
        return command + self.options

    def _model_paths(self, models: Path) -> Path:
        """ComfyUI's model path file (JSON is YAML), one entry per folder that is there."""
        folders = {folder.name: folder.name for folder in sorted(models.iterdir()) if folder.is_dir()}
        file = self.work_dir / "extra_model_paths.yaml"
        file.write_text(
            json.dumps({"small": {"base_path": str(models.resolve()), **folders}}), encoding="utf-8"
        )
        return file

    def _variables(self) -> dict[str, str]:
        variables = {
            key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")
        }
        variables |= {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "HF_HUB_OFFLINE": "1"}
        if self.threads:
            variables.setdefault("OMP_NUM_THREADS", str(self.threads))
        if not self.writes_bytecode:
            variables["PYTHONDONTWRITEBYTECODE"] = "1"
        return variables

    def _wait_until_up(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.require_alive()
            try:
                self.get("/system_stats")
                return
            except HostSilent:
                time.sleep(0.1)
        raise HostError(
            f"ComfyUI did not answer within {timeout:.0f} s. The end of its log:\n{tail(self.log_text())}"
        )

    def _require_imports(self) -> None:
        """The host goes on without a pack that it could not import; that would look like a missing node."""
        log = self.log_text()
        failed = [
            name for name in self.custom_nodes if _import_failed(log, self.work_dir / "custom_nodes" / name)
        ]
        if failed:
            raise HostError(f"ComfyUI could not import {', '.join(failed)}. The end of its log:\n{tail(log)}")


def install(source: Path, target: Path) -> None:
    """Put a custom node pack into custom_nodes: by link, or by copy where the system refuses links."""
    if target.is_symlink() or target.exists():
        return
    try:
        target.symlink_to(source, target_is_directory=True)
    except OSError:
        shutil.copytree(source, target, ignore=NOT_COPIED)


def _import_failed(log: str, folder: Path) -> bool:
    return any("IMPORT FAILED" in line and line.rstrip().endswith(str(folder)) for line in log.splitlines())


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise HostError(f"Port {port} is taken by another program. Choose another with --port.")
