"""dev.py on a machine that has only Python, and what it says where it cannot go on."""

import subprocess
import sys
from pathlib import Path

import pytest

from dev_setup import demo
from dev_setup.console import SetupError
from dev_setup.versions import ROOT
from support.browser import window


@pytest.mark.parametrize(
    "arguments", [["--help"], ["demo", "--help"], ["test", "--help"], ["bench", "--help"]]
)
def test_help_needs_nothing_but_python(arguments, tmp_path):
    """-S: without what is installed; an empty cache stays empty."""
    command = [sys.executable, "-S", str(ROOT / "dev.py"), *arguments]
    done = subprocess.run(command, env={"IDLORA_CACHE": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 0 and "usage: dev.py" in done.stdout, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_results_that_cannot_be_written_are_refused_with_what_to_do(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"Cannot write results to .*Name another with --out"):
        demo.writable(tmp_path / "file" / "output")


@pytest.mark.parametrize(("user", "has_sandbox"), [(0, False), (1000, True)])
def test_the_browser_has_its_sandbox_but_for_root(monkeypatch, user, has_sandbox):
    monkeypatch.setattr(window.os, "geteuid", lambda: user)
    assert ("--no-sandbox" not in window.options()) is has_sandbox
