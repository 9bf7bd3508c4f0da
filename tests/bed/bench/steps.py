"""Guided steps side by side: time, deviation and memory of each way."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import comfy.samplers
import comfy.utils
import torch
from comfy.model_patcher import ModelPatcher

from bed.deviation import relative_l2
from idlora_core.guidance import TERMS, Prediction
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.speed import REUSED, LastDifferences

from . import shares, ways
from .memory import peak_bytes
from .relay import Run, run_together, sample
from .setting import Size, made_clip

RUN_STEPS = 30
EVERYTHING: tuple[Prediction, ...] = ("cond", *(term.prediction for term in TERMS))
LENGTHS = {33: (5, 34), 65: (9, 67), 121: (16, 126), 241: (31, 251)}  # frames: latents of video, of audio


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        size: of model and clip.
        small: the same, for the whole runs whose results are compared.
        wide: the same, for memory; of few blocks, on whose number the peak does not depend. Latents have 128
            channels at every width and would weigh too much beside a narrow model.
        samples: timed steps of each way, after one for warming up.
    """

    size: Size
    small: Size
    wide: Size
    samples: int
    device: torch.device
    dtype: torch.dtype


@dataclass(frozen=True)
class Seconds:
    """Medians of one step. `fast` runs all predictions in one step and takes some from it in the next."""

    peers: float
    exact: float
    fast_whole: float
    fast_reusing: float
    plain: float
    exact_deviation: float

    def fast(self, num_steps: int = RUN_STEPS) -> float:
        """Mean step over a whole run of the paper's schedule."""
        last, kinds = LastDifferences(), []
        for sigma in ltx2_sigmas(num_steps)[:-1].tolist():
            run: dict[Prediction, torch.Tensor] = {
                name: torch.zeros(()) for name in last.to_run(EVERYTHING, sigma)
            }
            last.completed(EVERYTHING, run, sigma)
            kinds.append(self.fast_whole if REUSED[0] in run else self.fast_reusing)
        return statistics.mean(kinds)


def measure_seconds(plan: Plan, model: ModelPatcher) -> Seconds:
    """The first steps of the paper's schedule, the ways one after another in each."""
    clip = made_clip(plan.size)
    steps = range(plan.samples + 1)
    exact = Run(ways.ours(model, clip), steps)
    fast = Run(ways.ours(model, clip, speed="fast"), steps)
    peers = Run(ways.stacked(model, clip), steps, leader=exact)
    plain = Run(ways.unguided(model, clip), steps, leader=exact)
    sigmas = ltx2_sigmas(RUN_STEPS)[: len(steps) + 1]
    run_together([exact, peers, fast, plain], clip, sigmas, synchronizer(plan.device))
    deviation = max(relative_l2(exact.denoised[step], peers.denoised[step]) for step in steps)
    return Seconds(
        peers=_median(peers),
        exact=_median(exact),
        fast_whole=_median(fast, range(2, len(steps), 2)),
        fast_reusing=_median(fast, range(1, len(steps), 2)),
        plain=_median(plain),
        exact_deviation=deviation,
    )


def measure_deviations(plan: Plan, model: ModelPatcher) -> tuple[list[float], list[float]]:
    """Of `fast` from `exact`, each on its own way down 30 steps: guided x0 per step; video and audio at the end."""
    clip = made_clip(plan.small)
    runs = [Run(ways.ours(model, clip, speed=speed), range(RUN_STEPS)) for speed in ("exact", "fast")]
    run_together(runs, clip, ltx2_sigmas(RUN_STEPS), synchronizer(plan.device))
    exact, fast = runs
    per_step = [relative_l2(fast.denoised[step], exact.denoised[step]) for step in range(RUN_STEPS)]
    shapes = [clip.video_noise.shape, clip.audio_noise.shape]
    ends = [comfy.utils.unpack_latents(run.result, shapes) for run in runs]
    return per_step, [relative_l2(ours, theirs) for theirs, ours in zip(*ends, strict=True)]


def synchronizer(device: torch.device) -> Callable[[], None]:
    return partial(torch.cuda.synchronize, device) if device.type == "cuda" else lambda: None


def _median(run: Run, steps: range | None = None) -> float:
    """Of the steps given; of all but the first, which warms up."""
    return statistics.median(run.seconds[step] for step in steps or run.steps[1:])


def measure_memory(plan: Plan, model: ModelPatcher, guiders: dict[str, Callable]) -> dict[str, int]:
    """Peak of each way in bytes, weights and inputs left out, over a run of two steps."""
    clip = made_clip(plan.wide)
    sampler, sigmas = comfy.samplers.sampler_object("euler"), ltx2_sigmas(2)
    with torch.inference_mode():
        return {
            name: peak_bytes(lambda way=way: sample(way(model, clip), clip, sampler, sigmas), plan.device)
            for name, way in guiders.items()
        }


def measure_shares(plan: Plan, model: ModelPatcher) -> dict[str, float]:
    """Shares of three exact steps; on the CPU, where a call returns when its work is done."""
    clip, num_steps = made_clip(plan.size), 3
    parts, predictions = shares.empty(), shares.empty()
    run = Run(ways.ours(shares.timed_predictions(model, predictions), clip), range(num_steps))
    with shares.timed_parts(model, parts):
        run_together([run], clip, ltx2_sigmas(num_steps), synchronizer(plan.device))
    whole = sum(run.seconds.values())
    parts["norms, modulation, overhead"] = whole - sum(parts.values())
    return {**shares.shares_of(predictions, whole), **shares.shares_of(parts, whole)}


def measure_lengths(plan: Plan, model: ModelPatcher) -> dict[int, float]:
    """Seconds of one exact step against the clip's length in frames; the second of two."""
    seconds = {}
    for frames, (latents, audio) in LENGTHS.items():
        scaled = max(1, round(audio * plan.size.audio / LENGTHS[121][1]))
        clip = made_clip(plan.size.with_frames(latents, scaled))
        run = Run(ways.ours(model, clip), range(2))
        run_together([run], clip, ltx2_sigmas(2), synchronizer(plan.device))
        seconds[frames] = run.seconds[1]
    return seconds
