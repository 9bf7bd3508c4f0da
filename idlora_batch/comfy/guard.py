"""Ends a ComfyUI when whoever started it is gone, however it went.

    python guard.py WORK_FOLDER COMMAND...

Standard input is a pipe from the owner. Its end, by the owner's death or will, ends the command and its children, and
then removes the work folder. A thread of the owner cannot end it, nor a closed terminal: it has a session of its own.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

SECONDS_TO_END = 8
SECONDS_BETWEEN_LOOKS = 0.1
PID_FILE = "host.pid"


def main() -> int:
    work_folder, command = Path(sys.argv[1]), sys.argv[2:]
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_end_with_parent())
    (work_folder / PID_FILE).write_text(str(process.pid), encoding="ascii")
    owner_is_gone = threading.Event()
    threading.Thread(target=_wait_for_end_of_input, args=(owner_is_gone,), daemon=True).start()
    while process.poll() is None and not owner_is_gone.wait(SECONDS_BETWEEN_LOOKS):
        pass
    _end(process)
    if owner_is_gone.is_set():  # else the owner is there, reads the log, and clears up
        shutil.rmtree(work_folder, ignore_errors=True)
    return process.returncode or 0


def _wait_for_end_of_input(owner_is_gone: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while os.read(sys.stdin.fileno(), 1024):
            pass
    owner_is_gone.set()


def _end(process: subprocess.Popen) -> None:
    """Ask, then kill; a ComfyUI in the middle of a step on a GPU hears it late."""
    process.terminate()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_with_parent():
    """On Linux: the kernel kills the command when this guard is killed itself. The main thread starts it, and stays."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    prctl, parent_death_signal = ctypes.CDLL(None).prctl, 1

    def in_child() -> None:
        for taken in (signal.SIGINT, signal.SIGTERM):
            signal.signal(taken, signal.SIG_DFL)  # what the guard ignores, its child would ignore too
        prctl(parent_death_signal, signal.SIGKILL)

    return in_child


if __name__ == "__main__":
    sys.exit(main())
