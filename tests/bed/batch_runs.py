"""Runs idlora_batch as users do, as a program, and reads what it leaves.

In a network namespace of its own, where the system allows one: Ray listens on all interfaces.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from .small_graph import small_graph
from .versions import ROOT

ASSETS = ROOT / "workflows" / "assets"
MEDIA = ("idlora_portrait.png", "idlora_voice.flac")
OWN_NETWORK = Path(__file__).parent / "own_network.py"
LONGEST = 1200


def users_folder(folder: Path) -> Path:
    """The folder, with a face, a voice and a workflow that renders in a second."""
    for name in MEDIA:
        shutil.copy(ASSETS / name, folder / name)
    (folder / "small.json").write_text(json.dumps(small_graph()), encoding="utf-8")
    return folder


def write_table(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def command(*arguments: Any) -> list[str]:
    return [sys.executable, str(OWN_NETWORK), sys.executable, "-m", "idlora_batch", *map(str, arguments)]


def start(*arguments: Any, log: Path) -> subprocess.Popen:
    """The driver, in a process group of its own, as a terminal starts it."""
    with open(log, "wb") as output:
        return subprocess.Popen(
            command(*arguments), cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )


def run(*arguments: Any, expect: int = 0) -> str:
    """What the driver prints, once it has ended as expected."""
    done = subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=LONGEST)
    assert done.returncode == expect, f"ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def records(out: Path) -> list[dict[str, Any]]:
    """Every record of a run, in the order of its files."""
    return [
        json.loads(line)
        for file in sorted((out / "records").glob("*.jsonl"))
        for line in file.read_text().splitlines()
        if line
    ]


def hashes(out: Path) -> dict[str, str]:
    """Key -> hash of the clip, of the rows that are done."""
    return {record["key"]: record["clip"]["sha256"] for record in records(out) if record["status"] == "ok"}
