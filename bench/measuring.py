"""What the bench measures, in order."""

import argparse
import importlib
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from comfy.model_patcher import ModelPatcher

from dev_setup.console import say
from idlora_core.voice.waveform import prepare_waveform
from support import in_process

from . import around, recording, scenes, signing, steps, takes, ways
from .flops import exact_flops, pass_flops
from .plan import Plan
from .setting import Size, made_clip, made_model, weight_bytes
from .table import Report

WAYS: dict[str, Callable] = {
    "d one prediction": ways.unguided,
    "a peers": ways.stacked,
    "b exact": ways.ours,
    "c fast": partial(ways.ours, speed="fast"),
}
MATMULS = 9


def measured(plan: Plan, options: argparse.Namespace) -> Report:
    report = Report()
    name, size, _ = plan.clips[0]
    say(f"The model: {weight_bytes(size, plan.dtype) / 1e9:.1f} GB of weights ...")
    model = made_model(size, plan.device, plan.dtype)
    rate = matmul_rate(plan)
    report.add("plain matmul", rate / 1e9, "GFLOPS", f"{plan.matmul} x {plan.matmul}")
    for name, size, num_steps in plan.clips:
        say(f"Steps, side by side, {name} ...")
        _measure_steps(plan, model, name, size, num_steps, rate, report)
    name, size, num_steps = plan.clips[0]
    say("Scenes: one voice, two and four speakers ...")
    scenes.measure_scenes(model, name, size, num_steps, plan.device, report)
    for frames, length in steps.measure_lengths(model, plan.clips[0][1], plan.device).items():
        report.add(f"exact step, {frames} frames", length, "s")
    say("Memory ...")
    if plan.device.type == "cpu":
        for name, share in steps.measure_shares(model, plan.clips[0][1]).items():
            report.add(f"exact step, share of {name}", 100 * share, "%")
        del model
        _measure_memory(plan, report)
        _measure_around(options, report)
    else:
        for name, size, _ in plan.clips:
            peaks = steps.measure_memory(model, size, WAYS, plan.device)
            _report_peaks(peaks, f", {name}", report)
        scenes.measure_scene_memory(model, plan.memory, plan.memory_stg_block, plan.device, report)
    return report


def matmul_rate(plan: Plan) -> float:
    """FLOP/s of a plain product of two square matrices, the median of several."""
    synchronize = steps.synchronizer(plan.device)
    left, right = (
        torch.randn(plan.matmul, plan.matmul, device=plan.device, dtype=plan.dtype) for _ in range(2)
    )
    times = []
    for _ in range(MATMULS + 1):
        synchronize()
        start = time.perf_counter()
        torch.mm(left, right)
        synchronize()
        times.append(time.perf_counter() - start)
    return 2 * plan.matmul**3 / statistics.median(times[1:])


def _measure_steps(
    plan: Plan, model: ModelPatcher, name: str, size: Size, num_steps: int, matmul: float, report: Report
) -> None:
    run = steps.measure_steps(model, size, num_steps, plan.device)
    plain = run.plain.median()
    floor = plain * exact_flops(size) / pass_flops(size)
    rate = pass_flops(size) / plain
    note, of_run = f"{name}, median of {num_steps}", f"{name}, {num_steps} steps, all timed"
    report.add("a peers: five predictions", run.peers.median(), "s", note)
    report.add("b ours, exact", run.exact.median(), "s", note)
    report.add(
        "c ours, fast: mean of the run", run.fast.whole / num_steps, "s", f"{num_steps} steps, all timed"
    )
    for names, which in steps.fast_steps(num_steps).items():
        report.add(
            f"c a step that runs {', '.join(names)}", run.fast.median(which), "s", f"{len(which)} steps"
        )
    report.add("d one prediction", plain, "s", note)
    report.add("e floor of exact", floor, "s", f"{floor / plain:.3f} x the FLOPs of d")
    report.add("rate reached in d", rate / 1e9, "GFLOPS", f"{100 * rate / matmul:.0f} % of the plain matmul")
    report.add("whole run, b / a", run.exact.whole / run.peers.whole, "", of_run)
    report.add("whole run, c / a", run.fast.whole / run.peers.whole, "", of_run)
    for step, deviation in enumerate(run.fast_deviations):
        report.add(f"deviation of c, x0 of step {step}", deviation, "", name)
    ends = run.fast_ends(made_clip(size))
    for stream, deviation in zip(("video", "audio"), ends, strict=True):
        report.add(f"deviation of c, {stream} at the end", deviation, "", name)
    if name == plan.clips[0][0]:
        report.figures |= {
            "exact_vs_peers": run.exact.median() / run.peers.median(),
            "fast_vs_peers": run.fast.whole / run.peers.whole,
            "exact_vs_floor": run.exact.median() / floor,
            "exact_deviation": run.exact_deviation,
            "fast_vs_unguided": run.fast.whole / run.plain.whole,
            "fast_deviation_video": ends[0],
            "fast_deviation_audio": ends[1],
        }


def _measure_memory(plan: Plan, report: Report) -> None:
    """Peaks in few blocks; they do not depend on the number."""
    guiders = {name: partial(way, stg_block=plan.memory_stg_block) for name, way in WAYS.items()}
    few = made_model(plan.memory, plan.device, plan.dtype, plan.memory_blocks)
    peaks = steps.measure_memory(few, plan.memory, guiders, plan.device)
    _report_peaks(peaks, f", {plan.memory_blocks} blocks", report)
    scenes.measure_scene_memory(few, plan.memory, plan.memory_stg_block, plan.device, report)


def _report_peaks(peaks: dict[str, int], where: str, report: Report) -> None:
    for name, peak in peaks.items():
        note = f"{peak / peaks['d one prediction']:.2f} x d"
        report.add(f"peak memory, {name}{where}", peak / 2**20, "MiB", note)
    report.figures.setdefault("exact_memory_vs_peers", peaks["b exact"] / peaks["a peers"])
    report.figures.setdefault("fast_memory_vs_peers", peaks["c fast"] / peaks["a peers"])


def _measure_around(options: argparse.Namespace, report: Report) -> None:
    say("Around the sampling ...")
    imported = around.import_ms(options.tree)
    report.add("import of the pack", imported, "ms", "target < 100")
    report.figures["import_ms"] = imported
    host_vae = importlib.import_module(f"{in_process.PACK}.nodes.host.vae")
    seconds, mib = around.encode_reference(host_vae, prepare_waveform)
    report.add("Encode Reference Audio, 5 s", seconds, "s", f"peak {mib:.0f} MiB")
    report.add("Load ID-LoRA, header of 1.15 GB", around.header_ms(), "ms", "target < 50")
    report.add("sizes of the guidance terms, a step", recording.record_ms(), "ms", "512x512x121, real size")
    plot = importlib.import_module(f"{in_process.PACK}.nodes.pictures.guidance_plot")
    report.add("plot of the guidance", recording.plot_ms(plot), "ms", "30 steps")
    saving, signed, checked = signing.saving_and_signing()
    report.add("save a clip, 512x512x121", saving, "s", "as Save Video does")
    report.add("sign it", 1000 * signed, "ms", f"{100 * signed / saving:.1f} % of saving")
    report.add("check it", 1000 * checked, "ms")
    measured, encoded = takes.scoring_a_take()
    report.add(
        "score a take, 5 s", 1000 * (measured + encoded), "ms", f"of which voice encoder {1000 * encoded:.0f}"
    )
    loaded, size = takes.loading_a_voice()
    report.add("load a voice, 5 s", 1000 * loaded, "ms", f"{size / 1000:.0f} kB with its recording")
