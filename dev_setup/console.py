"""What the commands print, and how they run long programs without flooding the terminal."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import processes

SECONDS_BETWEEN_LINES = 20
TAIL_LINES = 40


class SetupError(RuntimeError):
    """Something that the commands need could not be set up; the message is for the person at the terminal."""


def say(text: str) -> None:
    print(text, flush=True)


def tail(text: str, lines: int = TAIL_LINES) -> str:
    return "\n".join(text.rstrip().splitlines()[-lines:])


def run_logged(
    command: Sequence[str | Path],
    log_file: Path,
    title: str,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a long program with its output in a file, saying now and then that it is still at it.

    Raises:
        SetupError: the program failed; with the end of its output.
    """
    say(title)
    started = time.monotonic()
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with open(log_file, "w", encoding="utf-8", errors="replace") as log:
        process = processes.start(command, stdout=log, stderr=subprocess.STDOUT, env=env)
        try:
            _tell_until_done(process, started)
        except BaseException:
            processes.end(process)
            raise
    if process.returncode:
        output = log_file.read_text(encoding="utf-8", errors="replace")
        raise SetupError(
            f"{title} failed (exit code {process.returncode}). The end of {log_file}:\n{tail(output)}"
        )


def _tell_until_done(process: subprocess.Popen, started: float) -> None:
    next_line = SECONDS_BETWEEN_LINES
    while process.poll() is None:
        time.sleep(0.1)
        seconds = time.monotonic() - started
        if sys.stdout.isatty():
            print(f"\r  {seconds:.0f} s ", end="", flush=True)
        elif seconds >= next_line:
            say(f"  {seconds:.0f} s")
            next_line += SECONDS_BETWEEN_LINES
    if sys.stdout.isatty():
        print("\r", end="", flush=True)
