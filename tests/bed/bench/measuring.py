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
from .steps import Plan
from .table import Report

WIDE_BLOCKS, WIDE_STG_BLOCK = 2, 1
WAYS: dict[str, Callable] = {
    "d one prediction": ways.unguided,
    "a peers": ways.stacked,
    "b exact": ways.ours,
    "c fast": partial(ways.ours, speed="fast"),
}


def measured(options: argparse.Namespace) -> Report:
    plan, report = _plan(options), Report()
    _measure_steps(plan, report)
    _measure_deviation(plan, report)
    _measure_memory(plan, report)
    _measure_around(options, report)
    return report


def _plan(options: argparse.Namespace) -> Plan:
    device = torch.device(options.device)
    if device.type == "cuda":
        return Plan(REAL, QUICK, REAL, 9, device, torch.bfloat16)
    size, samples = (QUICK, 4) if options.quick else (FULL, 9)
    return Plan(size, QUICK, WIDE, samples, device, torch.float32)


def _measure_steps(plan: Plan, report: Report) -> None:
    say("Steps, side by side ...")
    model = made_model(plan.size, plan.device, plan.dtype)
    seconds = steps.measure_seconds(plan, model)
    floor = seconds.plain * exact_flops(plan.size) / pass_flops(plan.size)
    note = f"median of {plan.samples}"
    report.add("a peers: five predictions", seconds.peers, "s", note)
    report.add("b ours, exact", seconds.exact, "s", note)
    report.add("c ours, fast: mean of a run", seconds.fast(), "s", f"{steps.RUN_STEPS} steps")
    report.add("c a step that runs everything", seconds.fast_whole, "s")
    report.add("c a step that reuses", seconds.fast_reusing, "s")
    report.add("d one prediction", seconds.plain, "s", note)
    report.add("e floor of exact", floor, "s", f"{floor / seconds.plain:.3f} x the FLOPs of d")
    report.add("rate reached in d", pass_flops(plan.size) / seconds.plain / 1e9, "GFLOPS")
    report.figures |= {
        "exact_vs_peers": seconds.exact / seconds.peers,
        "fast_vs_peers": seconds.fast() / seconds.peers,
        "exact_vs_floor": seconds.exact / floor,
        "exact_deviation": seconds.exact_deviation,
    }
    if plan.device.type == "cpu":
        for name, share in steps.measure_shares(plan, model).items():
            report.add(f"exact step, share of {name}", 100 * share, "%")
    for frames, length in steps.measure_lengths(plan, model).items():
        report.add(f"exact step, {frames} frames", length, "s")


def _measure_deviation(plan: Plan, report: Report) -> None:
    say("Deviation over a whole run ...")
    model = made_model(plan.small, plan.device, plan.dtype)
    per_step, ends = steps.measure_deviations(plan, model)
    for step, deviation in enumerate(per_step):
        report.add(f"deviation of c, x0 of step {step}", deviation, "")
    for stream, deviation in zip(("video", "audio"), ends, strict=True):
        report.add(f"deviation of c, {stream} at the end", deviation, "")
    report.figures["fast_deviation"] = max(ends)


def _measure_memory(plan: Plan, report: Report) -> None:
    say("Memory ...")
    model = made_model(plan.wide, plan.device, plan.dtype, WIDE_BLOCKS)
    guiders = {name: partial(way, stg_block=WIDE_STG_BLOCK) for name, way in WAYS.items()}
    peaks = steps.measure_memory(plan, model, guiders)
    for name, peak in peaks.items():
        note = f"{peak / peaks['d one prediction']:.2f} x d"
        report.add(f"peak memory, {name}", peak / 2**20, "MiB", note)
    report.figures["exact_memory_vs_peers"] = peaks["b exact"] / peaks["a peers"]


def _measure_around(options: argparse.Namespace, report: Report) -> None:
    say("Around the sampling ...")
    imported = around.import_ms(options.tree)
    report.add("import of the pack", imported, "ms", "target < 100")
    report.figures["import_ms"] = imported
    host_vae = importlib.import_module(f"{in_process.PACK}.nodes.host.vae")
    seconds, mib = around.encode_reference(host_vae, prepare_waveform)
    report.add("Encode Reference Audio, 5 s", seconds, "s", f"peak {mib:.0f} MiB")
    report.add("Load ID-LoRA, header of 1.15 GB", around.header_ms(), "ms", "target < 50")
