"""Guided steps side by side: time, deviation and memory of each way."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import comfy.samplers
import torch
from comfy.model_patcher import ModelPatcher

from idlora_core.guidance import relative_l2
from idlora_core.sigmas import ltx2_sigmas

from . import ways
from .flops import exact_flops, pass_flops
from .memory import peak_bytes
from .relay import Run, run_together, sample
from .setting import Size, made_clip

EVERY = 3  # steps of ours for one of the peers'
LENGTHS = {33: (5, 34), 65: (9, 67), 121: (16, 126), 241: (31, 251)}  # frames: latents of video, of audio


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        size: of model and clip.
        steps: of the whole run.
        wide: size of the model whose memory is measured; of few blocks, on whose number the peak does not
            depend. Latents have 128 channels at every width and would weigh too much beside a narrow model.
    """

    size: Size
    steps: int
    wide: Size
    device: torch.device
    dtype: torch.dtype


@dataclass(frozen=True)
class Steps:
    """Medians in seconds of peers, exact, plain; of fast its whole run per step; deviations."""

    peers: float
    exact: float
    plain: float
    floor: float
    exact_deviation: float
    samples: int
    fast: float | None = None
    fast_deviation: float | None = None
    fast_deviations: tuple[float, ...] = ()


def measure_steps(plan: Plan, model: ModelPatcher, fast: Callable | None) -> Steps:
    """A whole run of ours, with the peers' step and an unguided one beside every third of its steps."""
    clip = made_clip(plan.size)
    exact = Run(ways.ours(model, clip), range(plan.steps))
    beside = range(0, plan.steps, EVERY)
    peers = Run(ways.stacked(model, clip), beside, leader=exact)
    plain = Run(ways.unguided(model, clip), beside, leader=exact)
    quick = [Run(fast(model, clip), range(plan.steps))] if fast else []
    synchronize = partial(torch.cuda.synchronize, plan.device) if plan.device.type == "cuda" else lambda: None
    sigmas = ltx2_sigmas(plan.steps)
    run_together([exact, peers, plain, *quick], clip, sigmas, synchronize)
    compared = beside[1:]  # the first is the warm-up
    median = {
        run: statistics.median(runs.seconds[step] for step in compared)
        for run, runs in _named(exact, peers, plain)
    }
    deviation = max(relative_l2(exact.denoised[step], peers.denoised[step]) for step in beside)
    floor = median["plain"] * exact_flops(plan.size) / pass_flops(plan.size)
    result = Steps(median["peers"], median["exact"], median["plain"], floor, deviation, len(compared))
    return replace(result, **_fast_figures(quick[0], exact)) if quick else result


def _named(exact: Run, peers: Run, plain: Run) -> list[tuple[str, Run]]:
    return [("exact", exact), ("peers", peers), ("plain", plain)]


def _fast_figures(fast: Run, exact: Run) -> dict:
    deviations = tuple(relative_l2(fast.denoised[step], exact.denoised[step]) for step in fast.steps)
    assert fast.result is not None and exact.result is not None
    return {
        "fast": statistics.mean(fast.seconds.values()),
        "fast_deviation": relative_l2(fast.result, exact.result),
        "fast_deviations": deviations,
    }


def measure_memory(plan: Plan, model: ModelPatcher, guiders: dict[str, Callable]) -> dict[str, int]:
    """Peak of each way in bytes, weights and inputs left out, over a run of two steps."""
    clip = made_clip(plan.wide)
    sampler, sigmas = comfy.samplers.sampler_object("euler"), ltx2_sigmas(2)
    with torch.inference_mode():
        return {
            name: peak_bytes(lambda way=way: sample(way(model, clip), clip, sampler, sigmas), plan.device)
            for name, way in guiders.items()
        }


def measure_lengths(plan: Plan, model: ModelPatcher) -> dict[int, float]:
    """Seconds of one exact step against the clip's length in frames; the second of two."""
    seconds = {}
    for frames, (latents, audio) in LENGTHS.items():
        scaled = max(1, round(audio * plan.size.audio / LENGTHS[121][1]))
        clip = made_clip(plan.size.with_frames(latents, scaled))
        run = Run(ways.ours(model, clip), range(2))
        run_together([run], clip, ltx2_sigmas(2), lambda: None)
        seconds[frames] = run.seconds[1]
    return seconds
