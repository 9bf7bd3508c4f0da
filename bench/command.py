"""The command: options, and the program that runs in the chosen ComfyUI's Python."""

import argparse
import os
import subprocess
from pathlib import Path

from dev_setup import environment, hosts

from . import carried

THREADS = "2"


def add_bench_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    parser.add_argument(
        "--quick", action="store_true", help="a smaller model and fewer steps: a trial, no figures"
    )
    parser.add_argument(
        "--device",
        choices=["cpu", "cuda"],
        default="cpu",
        help="cuda: the real shape of LTX-2.3 in bfloat16 on the GPU",
    )
    parser.add_argument(
        "--carry",
        metavar="FOLDER",
        type=Path,
        help="measure nothing; write what a machine with PyTorch and without a package index needs for it",
    )


def run_bench(options: argparse.Namespace) -> int:
    host = hosts.chosen_host()
    if options.carry:
        return carried.write(host, options.carry)
    command = [host.python, "-m", "bench", "--tree", host.tree]
    command += ["--device", options.device, *(["--quick"] if options.quick else [])]
    if options.json:
        command += ["--json", options.json]
    variables = {**environment.variables(), "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", THREADS)}
    if os.environ.get("PYTHONPATH"):
        variables["PYTHONPATH"] += os.pathsep + os.environ["PYTHONPATH"]
    return subprocess.run(command, env=variables).returncode
