"""The host's samplers by name, and res_2s, which the host lacks."""

import comfy.samplers
from tqdm.auto import tqdm

from ...idlora_core.res2s import sample_res_2s

RES_2S = "res_2s"


def sampler_names() -> list[str]:
    """The host's samplers, with those that other packs added, and ours."""
    others = [name for name in comfy.samplers.SAMPLER_NAMES if name != RES_2S]
    return [*others, RES_2S]


def sampler_object(name: str) -> comfy.samplers.Sampler:
    """A sampler as the guider takes it. res_2s is always ours, whichever packs are installed."""
    return comfy.samplers.KSAMPLER(_sample) if name == RES_2S else comfy.samplers.sampler_object(name)


def _sample(model, x, sigmas, extra_args=None, callback=None, disable=None):
    """res_2s with the bar that the host's samplers draw in the terminal."""
    with tqdm(total=len(sigmas) - 1, disable=disable) as bar:

        def step_done(state: dict) -> None:
            bar.update()
            if callback is not None:
                callback(state)

        return sample_res_2s(model, x, sigmas, extra_args, step_done)
