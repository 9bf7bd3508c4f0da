"""Sampling runs that take turns: each in a thread of its own, one step at a time, never two at once.

A run keeps what it keeps between its steps (RoPE tables, differences), and the load of the machine, which comes
and goes, falls on all ways alike.
"""

import statistics
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import comfy.samplers
import torch
from comfy.nested_tensor import NestedTensor

from support.clip import Clip


@dataclass
class Run:
    """A way of sampling, and what was measured of it.

    Attributes:
        guider: what predicts.
        steps: indices of the steps that it runs; a way that leaves some out follows `leader` for its input.
        leader: the run whose latent it denoises; None for its own.
        seconds: time per step run.
        denoised: guided x0 per step run.
    """

    guider: comfy.samplers.CFGGuider
    steps: range
    leader: "Run | None" = None
    seconds: dict[int, float] = field(default_factory=dict)
    denoised: dict[int, torch.Tensor] = field(default_factory=dict)
    inputs: dict[int, torch.Tensor] = field(default_factory=dict)
    result: torch.Tensor | None = None
    error: BaseException | None = None

    def median(self, steps: Iterable[int] | None = None) -> float:
        """Seconds of one of the steps given; of all where none are."""
        return statistics.median(self.seconds[step] for step in (self.steps if steps is None else steps))

    @property
    def whole(self) -> float:
        """Seconds of all steps together."""
        return sum(self.seconds.values())


def run_together(runs: list[Run], clip: Clip, sigmas: torch.Tensor, synchronize: Callable[[], None]) -> None:
    """Sample all runs, step by step in the order given."""
    turns = [threading.Semaphore(0) for _ in runs]
    back = threading.Semaphore(0)
    threads = [
        threading.Thread(target=_sample, args=(run, clip, sigmas, turn, back, synchronize))
        for run, turn in zip(runs, turns, strict=True)
    ]
    for thread in threads:  # start-up, up to the first step
        thread.start()
        back.acquire()
    for step in range(len(sigmas) - 1):
        for run, turn in zip(runs, turns, strict=True):
            if step in run.steps and run.error is None:
                turn.release()
                back.acquire()
    for thread in threads:
        thread.join()
    for run in runs:
        if run.error is not None:
            raise run.error


def _sample(run: Run, clip: Clip, sigmas, turn, back, synchronize) -> None:
    """One thread: the host's sampling with a sampler that waits for its turn."""

    def sample_euler(model, x, sigmas, extra_args=None, callback=None, disable=None):
        for step in run.steps:
            back.release()
            turn.acquire()
            x = run.leader.inputs[step] if run.leader else x
            run.inputs[step] = x
            # All runs share the network, which remembers one patcher at a time.
            run.guider.inner_model.current_patcher = run.guider.model_patcher
            synchronize()
            start = time.perf_counter()
            denoised = model(x, sigmas[step].expand(x.shape[0]), **(extra_args or {}))
            synchronize()
            run.seconds[step] = time.perf_counter() - start
            run.denoised[step] = denoised.cpu()
            x = denoised + (x - denoised) * (sigmas[step + 1] / sigmas[step])
        run.result = x.cpu()
        return x

    try:
        with torch.inference_mode():
            sample(run.guider, clip, comfy.samplers.KSAMPLER(sample_euler), sigmas)
    except BaseException as error:
        run.error = error
    finally:
        back.release()


def sample(guider, clip: Clip, sampler, sigmas: torch.Tensor):
    return guider.sample(
        NestedTensor((clip.video_noise, clip.audio_noise)),
        NestedTensor((clip.clean_video, torch.zeros_like(clip.audio_noise))),
        sampler,
        sigmas,
        denoise_mask=NestedTensor((clip.video_mask, torch.ones_like(clip.audio_noise))),
        disable_pbar=True,
        seed=0,
    )
