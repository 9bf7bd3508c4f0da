"""Peak memory of a way of sampling.

On the CPU by PyTorch's profiler, which sees every allocation and release of a tensor, also inside operators: exact,
and the same on a busy machine. The resident set of the process would show what the C library has not given back
from the run before. On a GPU by the caching allocator's own peak.
"""

import gc
from collections.abc import Callable
from typing import Any, cast

import torch
from torch.profiler import ProfilerActivity, profile


def peak_bytes(call: Callable[[], object], device: torch.device) -> int:
    """The most that was allocated at one time during a call, beyond what was there before."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        call()
        return torch.cuda.max_memory_allocated(device) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    events = profiler.profiler.kineto_results.events()  # pyright: ignore[reportOptionalMemberAccess]
    changes = [
        (event.start_ns(), cast(Any, event).nbytes()) for event in events if event.name() == "[memory]"
    ]
    held = peak = 0
    for _, change in sorted(changes):
        held += change
        peak = max(peak, held)
    return peak
