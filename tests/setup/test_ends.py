"""However a command ends, nothing that it started goes on."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dev_setup.versions import ROOT, TESTS

# A program that starts another, as pip does with a build backend, and tells its id.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
print(child.pid, flush=True)
time.sleep(300)
"""
COMMAND = """
import sys
from pathlib import Path
from dev_setup import console, processes
processes.on_being_told_to_end(lambda number, _: sys.exit(128 + number))
console.run_logged([sys.executable, "-c", sys.argv[1]], Path(sys.argv[2]), "Running")
"""

# A parent that is killed can take its children along on Linux alone.
ENDS = ["SIGTERM", "SIGHUP", *(["SIGKILL"] if sys.platform == "linux" else [])]


def wait_for(condition, seconds: float = 60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)
    return found


def is_over(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[subprocess.Popen]]:
    """Programs of a test; ended at last, whatever happens."""
    programs: list[subprocess.Popen] = []
    yield programs
    for program in programs:
        for child in psutil.Process(program.pid).children(recursive=True) if not program.poll() else []:
            child.kill()
        program.kill()
        program.wait()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_the_children_of_a_long_program_end_too(started, tmp_path, name):
    log = tmp_path / "log"
    variables = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{ROOT}"}
    started.append(subprocess.Popen([sys.executable, "-c", COMMAND, PARENT, str(log)], env=variables))
    grandchild = int(wait_for(lambda: log.exists() and log.read_text().strip()))
    started[0].send_signal(getattr(signal, name))
    started[0].wait(20)
    wait_for(lambda: is_over(grandchild), 10)


@pytest.mark.parametrize("name", ENDS)
def test_the_host_of_dev_py_ends_with_it(started, tmp_path, name):
    command = [sys.executable, str(ROOT / "dev.py"), "host", "--out", str(tmp_path), "--port", "0"]
    with open(tmp_path / "printed", "w") as printed:
        started.append(subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT))
    wait_for(lambda: re.search(r"^http://", (tmp_path / "printed").read_text(), re.MULTILINE), 120)
    (host,) = [
        child for child in psutil.Process(started[0].pid).children() if "main.py" in " ".join(child.cmdline())
    ]
    started[0].send_signal(getattr(signal, name))
    started[0].wait(30)
    wait_for(lambda: is_over(host.pid), 15)
