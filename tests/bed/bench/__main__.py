"""python -m bed.bench --tree <ComfyUI>: measures and prints."""

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import torch

from bed import in_process
from bed.versions import TESTS

from .table import Report


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--tree", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def main() -> int:
    options = parsed()
    if options.device == "cuda" and not torch.cuda.is_available():
        print(
            "bench: --device cuda, but PyTorch sees no CUDA device here; nothing was measured.",
            file=sys.stderr,
        )
        return 1
    started = time.monotonic()
    sys.path.insert(0, str(TESTS / "bed"))  # small_models.py is a program of its own
    in_process.import_host(options.tree, Path(tempfile.mkdtemp()), on_cpu=options.device == "cpu")
    in_process.import_pack()
    report = importlib.import_module(".measuring", __package__).measured(options)
    report.add("bench", time.monotonic() - started, "s", f"load average {os.getloadavg()[0]:.1f}")
    print(report.text())
    if options.json:
        options.json.write_text(json.dumps(figures(report), indent=2) + "\n", encoding="utf-8")
    return 0


def figures(report: Report) -> dict:
    return {**report.figures, "rows": report.rows}


if __name__ == "__main__":
    sys.exit(main())
