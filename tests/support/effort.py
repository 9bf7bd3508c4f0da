"""What a call costs in units of the machine it runs on, so that a slow or busy one fails no test."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
ADDITIONS = 1_000_000
UNITS = 60
"""A quiet machine of 2026 makes about 30 times as many additions in a second; the margin is for a busy one."""


def within_a_second(call: Callable[[], Result]) -> Result:
    """The call's result, or its exception, where it takes about a second of CPU time on a quiet machine or less.

    Raises:
        AssertionError: it takes longer.
    """
    start = time.process_time()
    try:
        return call()
    finally:
        took = time.process_time() - start
        unit = _unit_seconds()
        assert took < UNITS * unit, f"{took:.2f} s, and {ADDITIONS} additions take {unit:.3f} s here"


def _unit_seconds() -> float:
    start, total = time.process_time(), 0
    for number in range(ADDITIONS):
        total += number
    return time.process_time() - start
