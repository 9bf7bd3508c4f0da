"""A scene on the small models: what is bit-equal, what moves when a voice changes, and that no mask is handed on."""


import pytest
import torch

from bed.scenes import two_speakers
from idlora_core.reference import Reference
from idlora_core.scene import Member, Scene
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import Scales
from idlora_core.turns import Turn

IDENTITY = Scales(cfg=7.0, identity=4.0, stg=1.0, av_bimodal=3.0)
VIDEO = Scales(cfg=3.0, stg=1.0, av_bimodal=3.0)
ONE_STEP = ltx2_sigmas(1)


@pytest.fixture
def sampled(guider_module, model, clip, denoise):
    def run(reference, sigmas=ONE_STEP, video=VIDEO, audio=IDENTITY, conditioning=None, on=None, **settings):
        settings = guider_module.GuiderSettings(video, audio, stg_block_indices="2", **settings)
        positive, negative = conditioning or clip.conditioning
        guider = guider_module.identity_guider(on or model, positive, negative, settings, reference)
        return denoise(guider, clip, sigmas)

    return run


def equal(ours, theirs):
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("speed", ["exact", "fast"])
@pytest.mark.parametrize("numerics", ["host", "official"])
def test_one_voice_through_the_split_code_is_todays_pack(sampled, clip, numerics, speed):
    """Two members share every turn's voice: the scene acts, with a single voice."""
    voice = Reference(clip.reference)
    alone = Scene((Member("Anna", voice),), (Turn(0, 1, frozenset({0}), 0),))
    options = {"numerics": numerics, "speed": speed, "sigmas": ltx2_sigmas(3)}
    assert equal(sampled(alone, **options), sampled(voice, **options))
