"""Guided steps side by side: time, deviation and memory of each way."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import comfy.samplers
import comfy.utils
import torch
from comfy.model_patcher import ModelPatcher

from idlora_core.extrapolation import whole_calls
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import TERMS, Prediction
from support.clip import Clip
from support.deviation import relative_l2

from . import shares, ways
from .memory import peak_bytes
from .relay import Run, run_together, sample
from .setting import Size, made_clip

RUN_STEPS = 30
EVERYTHING: tuple[Prediction, ...] = ("cond", *(term.prediction for term in TERMS))
LENGTHS = {33: (5, 34), 65: (9, 67), 121: (16, 126), 241: (31, 251)}  # frames: latents of video, of audio


@dataclass(frozen=True)
class SideBySide:
    """The ways over the same steps; `peers` and `plain` denoise what `exact` denoises."""

    exact: Run
    peers: Run
    fast: Run
    plain: Run

    @property
    def exact_deviation(self) -> float:
        """Of exact from the plain way, the largest of all steps."""
        pairs = [(self.exact.denoised[step], self.peers.denoised[step]) for step in self.exact.steps]
        return max(relative_l2(ours, theirs) for ours, theirs in pairs)

    @property
    def fast_deviations(self) -> list[float]:
        """Of fast from exact, each on its own way down: guided x0 of each step."""
        return [relative_l2(self.fast.denoised[step], self.exact.denoised[step]) for step in self.exact.steps]

    def fast_ends(self, clip: Clip) -> list[float]:
        """The same of the last latent: video, audio."""
        shapes = [clip.video_noise.shape, clip.audio_noise.shape]
        ends = [comfy.utils.unpack_latents(run.result, shapes) for run in (self.fast, self.exact)]
        return [relative_l2(ours, theirs) for ours, theirs in zip(*ends, strict=True)]


def measure_steps(model: ModelPatcher, size: Size, num_steps: int, device: torch.device) -> SideBySide:
    """The first steps of the paper's schedule, the ways one after another in each; before that one to warm up."""
    clip, sigmas = made_clip(size), ltx2_sigmas(RUN_STEPS)
    for steps in (range(1), range(num_steps)):
        exact = Run(ways.ours(model, clip), steps)
        peers = Run(ways.stacked(model, clip), steps, leader=exact)
        fast = Run(ways.ours(model, clip, speed="fast"), steps)
        plain = Run(ways.unguided(model, clip), steps, leader=exact)
        run_together([exact, peers, fast, plain], clip, sigmas[: len(steps) + 1], synchronizer(device))
    return SideBySide(exact, peers, fast, plain)


def fast_steps(num_steps: int) -> dict[tuple[Prediction, ...], list[int]]:
    """Steps of the paper's schedule by the predictions that `fast` runs in them."""
    kinds: dict[tuple[Prediction, ...], list[int]] = {}
    for step, names in enumerate(whole_calls(EVERYTHING, ltx2_sigmas(RUN_STEPS).tolist())[:num_steps]):
        kinds.setdefault(names, []).append(step)
    return kinds


def synchronizer(device: torch.device) -> Callable[[], None]:
    return partial(torch.cuda.synchronize, device) if device.type == "cuda" else lambda: None


def measure_memory(
    model: ModelPatcher, size: Size, guiders: dict[str, Callable], device: torch.device
) -> dict[str, int]:
    """Peak of each way in bytes, weights and inputs left out, over a run of two steps."""
    clip = made_clip(size)
    sampler, sigmas = comfy.samplers.sampler_object("euler"), ltx2_sigmas(2)
    with torch.inference_mode():
        return {
            name: peak_bytes(lambda way=way: sample(way(model, clip), clip, sampler, sigmas), device)
            for name, way in guiders.items()
        }


def measure_shares(model: ModelPatcher, size: Size) -> dict[str, float]:
    """Shares of three exact steps; on the CPU, where a call returns when its work is done."""
    clip, num_steps = made_clip(size), 3
    parts, predictions = shares.empty(), shares.empty()
    run = Run(ways.ours(shares.timed_predictions(model, predictions), clip), range(num_steps))
    with shares.timed_parts(model, parts):
        run_together([run], clip, ltx2_sigmas(num_steps), lambda: None)
    parts["norms, modulation, overhead"] = run.whole - sum(parts.values())
    return {**shares.shares_of(predictions, run.whole), **shares.shares_of(parts, run.whole)}


def measure_lengths(model: ModelPatcher, size: Size, device: torch.device) -> dict[int, float]:
    """Seconds of one exact step against the clip's length in frames; the second of two."""
    seconds = {}
    for frames, (latents, audio) in LENGTHS.items():
        scaled = max(1, round(audio * size.audio / LENGTHS[121][1]))
        clip = made_clip(size.with_frames(latents, scaled))
        run = Run(ways.ours(model, clip), range(2))
        run_together([run], clip, ltx2_sigmas(2), synchronizer(device))
        seconds[frames] = run.seconds[1]
    return seconds
