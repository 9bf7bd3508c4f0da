"""What is not finite is found before the render, or after its first guided call, and not by the encoder."""

import pytest
import torch

from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import Scales


def guided(guider_module, model, conditioning):
    settings = guider_module.GuiderSettings(Scales(cfg=3.0), Scales(cfg=3.0))
    return guider_module.identity_guider(model, *conditioning, settings, None)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("name", ["positive", "negative"])
def test_conditioning_that_is_not_finite_is_refused_by_name(guider_module, model, clip, name, value):
    conditioning = dict(zip(("positive", "negative"), clip.conditioning, strict=True))
    (text, values) = conditioning[name][0]
    text = text.clone()
    text[0, -1, -1] = value
    conditioning[name] = [[text, values]]
    with pytest.raises(ValueError, match=f"The {name} conditioning holds values that are not finite"):
        guided(guider_module, model, conditioning.values())


def test_a_run_that_is_not_finite_stops_after_its_first_call(guider_module, model, clip, denoise):
    calls = []

    def broken(args):
        calls.append(1)
        return args["denoised"] * torch.nan

    hooked = model.clone()
    hooked.set_model_sampler_post_cfg_function(broken)
    with pytest.raises(RuntimeError, match="The first guided prediction is not finite"):
        denoise(guided(guider_module, hooked, clip.conditioning), clip, ltx2_sigmas(4))
    assert len(calls) == 1


def test_each_run_is_checked_once(guider_module, model, clip, denoise, monkeypatch):
    checked = []
    check = guider_module.check_prediction
    monkeypatch.setattr(guider_module, "check_prediction", lambda x0: (checked.append(1), check(x0)))
    guider = guided(guider_module, model, clip.conditioning)
    for _ in range(2):
        denoise(guider, clip, ltx2_sigmas(3))
    assert len(checked) == 2
