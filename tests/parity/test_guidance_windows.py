"""A guidance outside its window runs no pass; the boundaries are the host's own."""

import pytest
import torch

from idlora_core.guidance import plan
from idlora_core.reference import Reference
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import Scales
from idlora_pack.nodes.host.guider import identity_guider
from idlora_pack.nodes.host.settings import GuiderSettings

SIGMAS = ltx2_sigmas(6)
WINDOWED = {"identity": 4.0, "stg": 1.0, "av_bimodal": 3.0}


@pytest.fixture
def forward_passes(model):
    """A clone of the model, and the sigma of each forward pass that it runs, batched ones counted one by one."""
    sigmas: list[float] = []
    clone = model.clone()

    def record(apply_model, args):
        sigmas.extend([args["timestep"].max().item()] * len(args["cond_or_uncond"]))
        return apply_model(args["input"], args["timestep"], **args["c"])

    clone.set_model_unet_function_wrapper(record)
    return clone, sigmas


def guided(model, clip, scales, **settings):
    settings = GuiderSettings(scales, scales, "2", **settings)
    return identity_guider(model, *clip.conditioning, settings=settings, reference=Reference(clip.reference))


@pytest.mark.parametrize("name", WINDOWED)
@pytest.mark.parametrize("window", [(0.0, 0.4), (0.2, 0.6), (0.5, 1.0)])
def test_a_pass_outside_its_window_is_not_run(model, clip, denoise, forward_passes, name, window):
    counted, ran = forward_passes
    scales = Scales(**{name: WINDOWED[name]})
    denoise(guided(counted, clip, scales, windows={name: window}), clip, SIGMAS)
    percent_to_sigma = model.get_model_object("model_sampling").percent_to_sigma
    highest, lowest = (percent_to_sigma(percent) for percent in window)
    passes = [2 if lowest <= sigma <= highest else 1 for sigma in SIGMAS[:-1].tolist()]
    assert {1, 2} == set(passes)
    assert [ran.count(sigma) for sigma in SIGMAS[:-1].tolist()] == passes


def test_each_window_is_its_own(model, clip, denoise, forward_passes):
    counted, ran = forward_passes
    windows = {"identity": (0.0, 0.1), "stg": (1.0, 1.0), "av_bimodal": (0.0, 1.0)}
    denoise(guided(counted, clip, Scales(**WINDOWED), windows=windows), clip, SIGMAS)
    always, first_step_only, never = 2 * 6, 1, 0
    assert len(ran) == always + first_step_only + never


def test_the_whole_window_is_no_window(model, clip, denoise):
    whole = dict.fromkeys(WINDOWED, (0.0, 1.0))
    given = denoise(guided(model, clip, Scales(**WINDOWED), windows=whole), clip, SIGMAS)
    plain = denoise(guided(model, clip, Scales(**WINDOWED)), clip, SIGMAS)
    assert all(torch.equal(a, b) for a, b in zip(given, plain, strict=True))


def test_a_window_holds_in_fast_too(model, clip, denoise, forward_passes):
    """A difference kept from inside the window is not used outside of it."""
    counted, ran = forward_passes
    sigmas = torch.tensor([1.0, 0.99, 0.98, 0.97, 0.96, 0.0])
    percent = 0.15  # between the second step and the third
    boundary = model.get_model_object("model_sampling").percent_to_sigma(percent)
    assert 0.98 < boundary < 0.99
    guider = guided(counted, clip, Scales(stg=1.0), speed="fast", windows={"stg": (0.0, percent)})
    denoise(guider, clip, sigmas)
    assert [ran.count(sigma) for sigma in sigmas[:-1].tolist()] == [2, 1, 1, 1, 1]
    exact = guided(model, clip, Scales(stg=1.0), windows={"stg": (0.0, percent)})
    assert [len(plan(exact.guidance, sigma)) for sigma in (0.99, 0.98)] == [2, 1]


def test_a_window_the_wrong_way_round_is_refused_by_name(model, clip):
    with pytest.raises(ValueError, match=r"Audio-video guidance runs from 0.7 to 0.1; the start must"):
        guided(model, clip, Scales(), windows={"av_bimodal": (0.7, 0.1)})
