"""What does not change is computed once, what nobody uses not at all; the numbers are the same bit for bit."""
# pyright: reportOptionalMemberAccess=false

import pytest
import torch

from idlora_core.reference import Reference
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import Scales
from idlora_pack.nodes.host.forward import passes, rope_cache
from idlora_pack.nodes.host.guider import identity_guider
from idlora_pack.nodes.host.settings import GuiderSettings

SIGMAS = ltx2_sigmas(3)
EVERYTHING = Scales(cfg=3.0, identity=4.0, stg=1.0, av_bimodal=3.0)
WITHOUT_IDENTITY = Scales(cfg=3.0, stg=1.0, av_bimodal=3.0)


@pytest.fixture
def tables_computed(model, monkeypatch):
    """Shapes of the positions for which the host computes rotary tables."""
    network = type(model.model.diffusion_model)
    compute, shapes = network._precompute_freqs_cis, []

    def counted(self, positions, *args, **kwargs):
        shapes.append(tuple(positions.shape))
        return compute(self, positions, *args, **kwargs)

    monkeypatch.setattr(network, "_precompute_freqs_cis", counted)
    return shapes


@pytest.fixture
def layer_runs(model):
    """How often the layers of the last block run that serve video alone."""
    runs: list[str] = []
    last = model.model.diffusion_model.transformer_blocks[-1]
    handles = [
        getattr(last, name).register_forward_hook(lambda *_, name=name: runs.append(name))
        for name in ("audio_to_video_attn", "ff", "attn1")
    ]
    yield runs
    for handle in handles:
        handle.remove()


def guider(model, clip, video=WITHOUT_IDENTITY, audio=EVERYTHING, **settings):
    settings = GuiderSettings(video, audio, "2", **settings)
    return identity_guider(model, *clip.conditioning, settings=settings, reference=Reference(clip.reference))


def equal(ours, expected):
    return all(torch.equal(a, b) for a, b in zip(ours, expected, strict=True))


@pytest.mark.parametrize("numerics", ["host", "official"])
def test_kept_tables_change_nothing(model, clip, denoise, monkeypatch, numerics):
    kept = denoise(guider(model, clip, numerics=numerics), clip, SIGMAS)
    monkeypatch.setattr(
        rope_cache.RopeCache,
        "table",
        lambda _, compute, *args, **kw: compute(*args, **kw),
    )
    assert equal(kept, denoise(guider(model, clip, numerics=numerics), clip, SIGMAS))


def test_tables_are_computed_once_a_run(model, clip, denoise, tables_computed):
    ours = guider(model, clip)
    denoise(ours, clip, SIGMAS)
    video, audio_with_and_without_reference = 2, 2  # small models have one width for both audio tables
    assert len(tables_computed) == video + audio_with_and_without_reference
    assert not ours.forward.rope._kept, "freed at the end of the run"


def test_tables_of_other_positions_are_computed_again():
    tables, computed = rope_cache.RopeCache(), []

    def compute(positions, dim):
        computed.append(positions.clone())
        return positions * dim, False

    positions = torch.rand(2, 3, 5, 2)
    for asked in (positions, positions[:1], positions + 1, positions):
        table, flag = tables.table(compute, asked, dim=2)
        assert torch.equal(table, asked * 2) and flag is False
    assert [len(known) for known in computed] == [2, 2]


def test_the_number_of_kept_tables_is_bounded():
    tables = rope_cache.RopeCache()
    for shift in range(20):
        tables.table(lambda positions: (positions,), torch.ones(1, 3, 5, 2) * shift)
    assert len(tables._kept) == rope_cache.MOST


def test_what_only_video_needs_is_left_out_without_reference(model, clip, denoise, layer_runs):
    one_step = ltx2_sigmas(1)
    denoise(guider(model, clip, Scales(), Scales(identity=4.0)), clip, one_step)
    assert [layer_runs.count(name) for name in ("audio_to_video_attn", "ff", "attn1")] == [1, 1, 2]
    layer_runs.clear()
    identity = Scales(identity=4.0)
    denoise(guider(model, clip, identity, identity), clip, one_step)
    assert [layer_runs.count(name) for name in ("audio_to_video_attn", "ff", "attn1")] == [2, 2, 2]


def test_leaving_it_out_changes_nothing(model, clip, denoise, monkeypatch):
    short = denoise(guider(model, clip), clip, SIGMAS)
    monkeypatch.setattr(passes, "FOR_VIDEO_ONLY", ())
    assert equal(short, denoise(guider(model, clip), clip, SIGMAS))
