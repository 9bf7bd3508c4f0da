"""What is in the cache is whole, or is made again; one process at a time makes it."""

import subprocess
import sys
from pathlib import Path

import pytest

from dev_setup import cache
from dev_setup.versions import ROOT

HOLDER = """
import sys, time
from dev_setup import cache
with cache.locked("entry"):
    print("held", flush=True)
    time.sleep(300)
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IDLORA_CACHE", str(tmp_path))
    return tmp_path


def built(made: list) -> Path:
    def build(folder: Path) -> None:
        made.append(folder)
        (folder / "inner").mkdir()
        (folder / "inner" / "model").write_bytes(b"whole")

    return cache.built_once("entry", build)


def test_a_whole_entry_is_made_once():
    made: list[Path] = []
    (built(made) / "inner" / "came later").touch()
    built(made)
    assert len(made) == 1


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"who")])
def test_a_damaged_entry_is_made_again(damage, capsys):
    made: list[Path] = []
    damage(built(made) / "inner" / "model")
    assert (built(made) / "inner" / "model").read_bytes() == b"whole"
    assert len(made) == 2 and "is damaged" in capsys.readouterr().out


def test_an_entry_whose_making_was_cut_short_is_made_again():
    def fail(folder: Path) -> None:
        (folder / "part").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.built_once("entry", fail)
    made: list[Path] = []
    assert not (built(made) / "part").exists() and made


def test_the_lock_waits_for_its_holder_and_not_for_a_killed_one(capsys, monkeypatch):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout and holder.stdout.readline() == "held\n"
    monkeypatch.setattr(cache.time, "sleep", lambda _: holder.kill())  # what happens while we wait
    with cache.locked("entry"):
        assert holder.wait() and "Waiting for another dev.py" in capsys.readouterr().out


def test_a_lock_that_cannot_be_is_an_error(own_cache):
    (own_cache / "locks" / "entry.lock").mkdir(parents=True)
    with pytest.raises(Exception, match="unable to open database file"), cache.locked("entry"):
        pass
