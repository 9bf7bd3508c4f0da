"""What the terminal shows while rows come in: how many, how fast, how long yet."""

import sys
import time
from collections import deque
from typing import TextIO

RECENT = 200  # rows whose pace the time left is reckoned with
SECONDS_BETWEEN_LINES = 30  # where the output is a file


class Progress:
    """`total` rows of which `skipped` were done before."""

    def __init__(self, total: int, skipped: int, workers: int, out: TextIO | None = None):
        self.total, self.skipped, self.workers = total, skipped, workers
        self.ok = self.failed = self.deaths = 0
        self.out = out or sys.stderr
        self._ends: deque[float] = deque([time.monotonic()], maxlen=RECENT)
        self._last_line = 0.0

    @property
    def left(self) -> int:
        return self.total - self.skipped - self.ok - self.failed

    def note(self, status: str) -> None:
        """A row ended, or a host died under one."""
        if status == "ok":
            self.ok += 1
        elif status == "failed":
            self.failed += 1
        else:
            self.deaths += 1
        if status in ("ok", "failed"):
            self._ends.append(time.monotonic())
        self._show()

    def end(self) -> None:
        self._print(f"{self.text()}\n")

    def text(self) -> str:
        parts = [f"{self.ok + self.failed + self.skipped} of {self.total} rows"]
        parts += [f"{self.skipped} done before"] if self.skipped else []
        parts += [f"{self.failed} failed"] if self.failed else []
        parts += [f"{self.deaths} hosts died"] if self.deaths else []
        parts += [f"about {duration(self.seconds_left())} left"] if self.left and len(self._ends) > 1 else []
        return ", ".join(parts)

    def seconds_left(self) -> float:
        """At the pace of the last rows."""
        pace = (self._ends[-1] - self._ends[0]) / max(len(self._ends) - 1, 1)
        return self.left * pace

    def _show(self) -> None:
        is_terminal = self.out.isatty()
        now = time.monotonic()
        if is_terminal:
            self._print(f"\r\x1b[K{self.text()}")
        elif now - self._last_line > SECONDS_BETWEEN_LINES or not self.left:
            self._last_line = now
            self._print(f"{self.text()}\n")

    def _print(self, text: str) -> None:
        self.out.write(text)
        self.out.flush()


def duration(seconds: float) -> str:
    """45 s, 12 min, 3 h 20 min."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
