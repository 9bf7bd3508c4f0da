"""Programs that we start, and that end when we do: they and what they have started."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

SECONDS_TO_END = 10
PR_SET_PDEATHSIG = 1


if sys.platform == "linux":
    _prctl = ctypes.CDLL(None).prctl

    def end_with_parent() -> None:
        """In a new process: be told to end when the parent is killed, which then cannot tell it."""
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
else:
    end_with_parent = None


def on_being_told_to_end(handler: Callable[[int, Any], Any]) -> None:
    """Call `handler` on SIGTERM, and on SIGHUP (a closed terminal) unless that is ignored, as nohup has it."""
    signal.signal(signal.SIGTERM, handler)
    hang_up = getattr(signal, "SIGHUP", None)  # not on Windows
    if hang_up and signal.getsignal(hang_up) is not signal.SIG_IGN:
        signal.signal(hang_up, handler)


def start(command: Sequence[str | Path], **options: Any) -> subprocess.Popen:
    """A program in a session of its own, so that `end` reaches what it starts in turn."""
    words = [str(word) for word in command]
    return subprocess.Popen(words, start_new_session=True, preexec_fn=end_with_parent, **options)


def end(process: subprocess.Popen) -> None:
    """Tell a program of `start` and all its children to end, and see to it; harmless when it has ended."""
    _signal_all(process, terminate=True)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(SECONDS_TO_END)
    _signal_all(process, terminate=False)
    process.wait()


def _signal_all(process: subprocess.Popen, terminate: bool) -> None:
    if os.name == "nt":
        process.terminate() if terminate else process.kill()
        return
    try:
        os.killpg(process.pid, signal.SIGTERM if terminate else signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # all have ended; macOS may say so by the second
