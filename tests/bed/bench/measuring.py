"""What the bench measures, in order."""

import argparse
import importlib
from collections.abc import Callable
from functools import partial

import torch

from bed import in_process
from bed.console import say
from idlora_core.reference import prepare_waveform

from . import around, steps, ways
from .flops import exact_flops, pass_flops
from .setting import FULL, QUICK, REAL, WIDE, made_model
from .steps import Plan, Steps
from .table import Report

WIDE_BLOCKS, WIDE_STG_BLOCK = 4, 2
FAST: Callable | None = None


def measured(options: argparse.Namespace) -> Report:
    plan = _plan(options)
    report = Report()
    say("Building the model ...")
    model = made_model(plan.size, plan.device, plan.dtype)
    say("Steps, side by side ...")
    results = steps.measure_steps(plan, model, FAST)
    _add_steps(report, plan, results)
    for frames, seconds in steps.measure_lengths(plan, model).items():
        report.add(f"exact step, {frames} frames", seconds, "s")
    del model
    say("Memory ...")
    memory = _memory(plan)
    for name, value in memory.items():
        report.add(
            f"peak memory, {name}", value / 2**20, "MiB", f"{value / memory['one prediction']:.2f} x one"
        )
    say("Around ...")
    imported = around.import_ms(options.tree)
    report.add("import of the pack", imported, "ms", "target < 100")
    host_vae = importlib.import_module(f"{in_process.PACK}.nodes.host.vae")
    seconds, mib = around.encode_reference(host_vae, prepare_waveform)
    report.add("Encode Reference Audio, 5 s", seconds, "s", f"{mib:.0f} MiB")
    report.add("Load ID-LoRA, header of 1.15 GB", around.header_ms(), "ms", "target < 50")
    report.figures = {
        "exact_vs_peers": results.exact / results.peers,
        "fast_vs_peers": results.fast / results.peers if results.fast else None,
        "exact_vs_floor": results.exact / results.floor,
        "exact_memory_vs_peers": memory["exact"] / memory["peers"],
        "import_ms": imported,
        "exact_deviation": results.exact_deviation,
        "fast_deviation": results.fast_deviation,
    }
    return report


def _plan(options: argparse.Namespace) -> Plan:
    device = torch.device(options.device)
    if device.type == "cuda":
        return Plan(REAL, 30, REAL, device, torch.bfloat16)
    if options.quick:
        return Plan(QUICK, 8, WIDE, device, torch.float32)
    return Plan(FULL, 30, WIDE, device, torch.float32)


def _add_steps(report: Report, plan: Plan, results: Steps) -> None:
    note = f"median of {results.samples}"
    report.add("a peers: five predictions", results.peers, "s", note)
    report.add("b ours, exact", results.exact, "s", f"{note}; {results.exact / results.peers:.3f} x a")
    if results.fast is not None:
        report.add(
            "c ours, fast", results.fast, "s", f"mean of a run; {results.fast / results.peers:.3f} x a"
        )
    report.add("d one prediction", results.plain, "s", note)
    flops = exact_flops(plan.size) / pass_flops(plan.size)
    report.add("e floor of exact", results.floor, "s", f"{flops:.3f} x the FLOPs of d")
    report.add("rate reached in d", pass_flops(plan.size) / results.plain / 1e9, "GFLOPS")
    report.add("deviation of b from a", results.exact_deviation, "", "relative L2 of guided x0, largest step")
    for step, deviation in enumerate(results.fast_deviations):
        report.add(f"deviation of c from b, step {step}", deviation, "")
    if results.fast_deviation is not None:
        report.add("deviation of c from b, at the end", results.fast_deviation, "")


def _memory(plan: Plan) -> dict[str, int]:
    model = made_model(plan.wide, plan.device, plan.dtype, WIDE_BLOCKS)
    guiders: dict[str, Callable] = {"one prediction": ways.unguided}
    guiders["peers"] = partial(ways.stacked, stg_block=WIDE_STG_BLOCK)
    guiders["exact"] = partial(ways.ours, stg_block=WIDE_STG_BLOCK)
    if FAST is not None:
        guiders["fast"] = partial(FAST, stg_block=WIDE_STG_BLOCK)
    return steps.measure_memory(plan, model, guiders)
