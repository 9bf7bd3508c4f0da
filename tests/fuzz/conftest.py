"""Made-up input, seeded and bounded: `dev.py test fuzz`, longer with `dev.py test fuzz -- --cases 1000 --seed 7`.

The rule is the same everywhere: it works, or one sentence says what is wrong with which input, within a second; the host
is alive, and the next run gives the same bits as the one before.
"""

import faulthandler
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from support import in_process

in_process.import_all()

CASES = 40
SECONDS, SECONDS_AT_MOST = 1.0, 60
LONGEST_SENTENCE = 600


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", type=int, default=CASES, help="made-up inputs of each kind")
    parser.addoption("--seed", type=int, default=0)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `case` runs once per case, so that a failure names the case that gives it again."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", range(int(str(metafunc.config.getoption("cases")))))


@pytest.fixture
def chance(request: pytest.FixtureRequest, case: int) -> random.Random:
    return random.Random(f"{request.config.getoption('seed')} {request.function.__name__} {case}")


@pytest.fixture
def bounded() -> Callable:
    """`with bounded():` at most a second of this process's time; a hang inside C code ends the run with its trace."""

    @contextmanager
    def block() -> Iterator[None]:
        faulthandler.dump_traceback_later(SECONDS_AT_MOST, exit=True)
        started = time.process_time()
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
        assert time.process_time() - started < SECONDS

    return block


@pytest.fixture
def is_one_sentence() -> Callable[[str], bool]:
    def check(text: str) -> bool:
        return bool(re.fullmatch(r"\S[^\n]*[.!]", text)) and len(text) <= LONGEST_SENTENCE

    return check
