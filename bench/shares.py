"""Where the time of one exact step goes: by prediction, and by part of the transformer block."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from comfy.model_patcher import ModelPatcher

PREDICTIONS = {(1, 0): "cond + uncond", (2,): "no_reference", (3,): "perturbed", (4,): "uncoupled"}
PARTS = {
    "attn1": "self-attention",
    "audio_attn1": "self-attention",
    "attn2": "text attention",
    "audio_attn2": "text attention",
    "audio_to_video_attn": "audio-video attention",
    "video_to_audio_attn": "audio-video attention",
    "ff": "feed-forward",
    "audio_ff": "feed-forward",
}
Shares = dict[str, float]


@contextmanager
def timed_parts(model: ModelPatcher, seconds: Shares) -> Iterator[None]:
    """Add up the time in each part of all blocks; what is left of a step is norms, modulation and overhead."""
    started: dict[int, float] = {}
    handles = []
    for block in model.model.diffusion_model.transformer_blocks:
        for name, part in PARTS.items():
            layer = getattr(block, name)
            handles.append(
                layer.register_forward_pre_hook(
                    lambda layer, _: started.update({id(layer): time.perf_counter()})
                )
            )
            handles.append(layer.register_forward_hook(_adds(seconds, part, started)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _adds(seconds: Shares, part: str, started: dict[int, float]):
    def add(layer, *_):
        seconds[part] += time.perf_counter() - started[id(layer)]

    return add


def timed_predictions(model: ModelPatcher, seconds: Shares) -> ModelPatcher:
    """A clone that adds up the time of each forward pass."""
    clone = model.clone()

    def run(apply_model, args):
        start = time.perf_counter()
        result = apply_model(args["input"], args["timestep"], **args["c"])
        name = PREDICTIONS.get(tuple(args["cond_or_uncond"]), "other batches")
        seconds[name] += time.perf_counter() - start
        return result

    clone.set_model_unet_function_wrapper(run)
    return clone


def shares_of(seconds: Shares, whole: float) -> Shares:
    return {name: value / whole for name, value in sorted(seconds.items(), key=lambda row: -row[1])}


def empty() -> Shares:
    return defaultdict(float)
