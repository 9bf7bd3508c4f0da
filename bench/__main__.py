"""python -m bench --tree <ComfyUI>: measures and prints."""

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from support import in_process

from . import stand_ins

DEVICE_OPTIONS = {"cpu": ["--cpu"], "cuda": ["--highvram"]}  # the model stays where it was made


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--tree", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def main() -> int:
    options = parsed()
    started = time.monotonic()
    try:
        _import_all(options)
    except _NotHere as reason:
        print(f"bench: {reason}", file=sys.stderr)
        return 1
    plan = importlib.import_module(".plan", __package__)
    planned = plan.planned(options.device, options.quick)
    torch = importlib.import_module("torch")
    if options.device == "cuda":
        reason = plan.missing_memory(planned, torch.cuda.mem_get_info()[0])
        if reason:
            print(f"bench: {reason}", file=sys.stderr)
            return 1
    report = importlib.import_module(".measuring", __package__).measured(planned, options)
    report.machine = plan.machine(planned)
    report.add("bench", time.monotonic() - started, "s", f"load average {os.getloadavg()[0]:.1f}")
    print(report.text())
    if options.json:
        figures = {**report.figures, "machine": report.machine, "rows": report.rows}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


class _NotHere(Exception):
    """Something that the bench cannot do without."""


def _import_all(options: argparse.Namespace) -> None:
    """The host and this pack; on a bare machine with stand-ins for what is only imported."""
    lacking = stand_ins.missing(stand_ins.NEEDED)
    if lacking:
        raise _NotHere(
            f"{sys.executable} lacks {', '.join(lacking)}; nothing was measured. Name a Python that has them in"
            " COMFYUI_PYTHON, or a folder that holds them in PYTHONPATH."
        )
    if options.device == "cuda" and not importlib.import_module("torch").cuda.is_available():
        raise _NotHere("--device cuda, but PyTorch sees no CUDA device here; nothing was measured.")
    absent = stand_ins.put_in_place() if options.device == "cuda" else []
    if absent:
        print(f"Not installed here, and not used by what is measured: {', '.join(absent)}", flush=True)
    in_process.import_host(
        options.tree, Path(tempfile.mkdtemp()), device_options=DEVICE_OPTIONS[options.device]
    )
    in_process.import_pack()


if __name__ == "__main__":
    sys.exit(main())
