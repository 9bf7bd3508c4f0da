"""What is not finite is found before the render, or after its first guided call, and not by the encoder."""

import pytest
import torch

from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import Scales
from idlora_pack.nodes.host import guider as host_guider
from idlora_pack.nodes.host.guider import identity_guider
from idlora_pack.nodes.host.settings import GuiderSettings


def guided(model, conditioning):
    settings = GuiderSettings(Scales(cfg=3.0), Scales(cfg=3.0))
    return identity_guider(model, *conditioning, settings=settings, reference=None)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("name", ["positive", "negative"])
def test_conditioning_that_is_not_finite_is_refused_by_name(model, clip, name, value):
    conditioning = dict(zip(("positive", "negative"), clip.conditioning, strict=True))
    (text, values) = conditioning[name][0]
    text = text.clone()
    text[0, -1, -1] = value
    conditioning[name] = [[text, values]]
    with pytest.raises(ValueError, match=f"The {name} conditioning holds values that are not finite"):
        guided(model, conditioning.values())


def test_a_run_that_is_not_finite_stops_after_its_first_call(model, clip, denoise):
    calls = []

    def broken(args):
        calls.append(1)
        return args["denoised"] * torch.nan

    hooked = model.clone()
    hooked.set_model_sampler_post_cfg_function(broken)
    with pytest.raises(RuntimeError, match="The first guided prediction is not finite"):
        denoise(guided(hooked, clip.conditioning), clip, ltx2_sigmas(4))
    assert len(calls) == 1


def test_each_run_is_checked_once(model, clip, denoise, monkeypatch):
    checked = []
    check = host_guider.check_prediction
    monkeypatch.setattr(host_guider, "check_prediction", lambda x0: (checked.append(1), check(x0)))
    guider = guided(model, clip.conditioning)
    for _ in range(2):
        denoise(guider, clip, ltx2_sigmas(3))
    assert len(checked) == 2
