"""Sizes of the guidance terms as the guider records them: right, and without a trace in the result."""

import pytest
import torch

from idlora_core.reference import Reference
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.term_sizes import TermRecord
from idlora_core.terms import TERMS, Scales
from idlora_pack.nodes.host.guider import identity_guider
from idlora_pack.nodes.host.settings import GuiderSettings

VIDEO = Scales(cfg=3.0, stg=1.0, av_bimodal=3.0)
AUDIO = Scales(cfg=7.0, identity=4.0, stg=1.0, av_bimodal=3.0)
NEAR = torch.tensor([1.0, 0.99, 0.98, 0.97, 0.0])


@pytest.fixture
def run(model, clip, denoise):
    """Sample, with a record or without; streams of the result, and the calls."""

    def run(sigmas=NEAR, video=VIDEO, audio=AUDIO, recorded=True, patched=None, **settings):
        settings = GuiderSettings(video, audio, "2", **settings)
        guider = identity_guider(
            patched or model, *clip.conditioning, settings=settings, reference=Reference(clip.reference)
        )
        record = TermRecord()
        guider.record = record if recorded else None
        return denoise(guider, clip, sigmas), record.read()

    return run


@pytest.mark.parametrize("speed", ["exact", "fast"])
def test_a_record_changes_no_bit_of_the_result(run, speed):
    with_record, calls = run(speed=speed)
    without, _ = run(speed=speed, recorded=False)
    assert all(torch.equal(a, b) for a, b in zip(with_record, without, strict=True))
    assert [call.sigma for call in calls] == NEAR[:-1].tolist()


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.scale)
def test_sizes_are_those_of_what_the_term_moves(run, term):
    """One step to sigma 0: the result is the guided x0 itself, so that a term alone can be weighed."""
    scales = Scales(**{term.scale: AUDIO[term.scale]})
    one = ltx2_sigmas(1)
    moved, calls = run(one, scales, scales)
    plain, _ = run(one, Scales(), Scales())
    for stream, sizes in ((1, calls[0].audio),):  # a mask resets the first frame of video
        expected = (moved[stream] - plain[stream]).norm() / plain[stream].norm()
        assert sizes[term.scale] == pytest.approx(expected.item(), rel=1e-3)
        assert all(size == 0 for name, size in sizes.items() if name != term.scale)


def test_a_larger_scale_gives_a_larger_term(run):
    one = ltx2_sigmas(1)
    (small,), (large,) = (run(one, audio=Scales(identity=scale))[1] for scale in (2.0, 4.0))
    assert large.audio["identity"] == pytest.approx(3 * small.audio["identity"], rel=1e-4)
    assert small.video["identity"] == large.video["identity"] == 0


def test_reused_differences_are_marked(run):
    _, calls = run(speed="fast")
    everything = frozenset(term.scale for term in TERMS)
    assert [call.reused for call in calls] == [frozenset(), everything, everything, frozenset()]
    assert [call.predictions for call in calls] == [5, 1, 1, 5]
    assert all(call.audio["stg"] > 0 for call in calls)
    assert not any(call.reused for call in run()[1])


def test_outside_its_window_a_term_has_size_0(run):
    _, calls = run(ltx2_sigmas(4), windows={"stg": (0.0, 0.3)})
    sizes = [call.audio["stg"] for call in calls]
    assert sizes[0] > 0 and sizes[-1] == 0


def test_another_packs_cfg_function_is_what_is_measured(run, model):
    hooked = model.clone()
    hooked.set_model_sampler_cfg_function(lambda args: args["cond"])  # as without CFG
    _, (call,) = run(ltx2_sigmas(1), patched=hooked)
    assert call.audio["cfg"] < 1e-5 < call.audio["identity"]
