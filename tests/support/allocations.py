"""What a piece of code takes of memory, counted by torch's own allocator."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch.profiler import ProfilerActivity, profile


@dataclass(frozen=True)
class Cost:
    """Peak of the bytes of tensors alive at once, on top of what was there before, and wall time."""

    peak_bytes: int
    seconds: float


def cost(function: Callable[[], Any]) -> Cost:
    """Run a function and count every allocation of tensors, its result included."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as run:
        start = time.perf_counter()
        kept = function()
        seconds = time.perf_counter() - start
    del kept
    profiler: Any = run.profiler
    events: list[Any] = [event for event in profiler.kineto_results.events() if event.name() == "[memory]"]
    now = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        peak = max(peak, now)
    return Cost(peak, seconds)
