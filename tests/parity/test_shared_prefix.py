"""STG's shared prefix: the same numbers for fewer blocks, whole again where memory is short."""
# pyright: reportOptionalMemberAccess=false

import importlib.util

import pytest
import torch

from idlora_core.reference import Reference
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import Scales
from idlora_pack.nodes.host.forward import step_cache
from idlora_pack.nodes.host.guider import identity_guider
from idlora_pack.nodes.host.settings import GuiderSettings
from support.deviation import relative_l2

SIGMAS = ltx2_sigmas(2)
EVERYTHING = Scales(cfg=3.0, identity=4.0, stg=1.0, av_bimodal=3.0)
STG_ONLY = Scales(stg=1.0)


@pytest.fixture
def short_of_memory(monkeypatch):
    """A host that reports hardly any free memory to the prefix, and to nothing else."""
    module = step_cache
    monkeypatch.setattr(module, "free_bytes", lambda _: 0)


@pytest.fixture
def block_runs(model):
    """How often each block of the real network runs, by a forward hook on each."""
    runs: list[int] = []
    blocks = model.model.diffusion_model.transformer_blocks
    handles = [block.register_forward_hook(lambda *_, i=i: runs.append(i)) for i, block in enumerate(blocks)]
    yield runs
    for handle in handles:
        handle.remove()


def sampled(model, clip, denoise, scales=EVERYTHING, blocks="2"):
    settings = GuiderSettings(scales, scales, blocks)
    guider = identity_guider(
        model, *clip.conditioning, settings=settings, reference=Reference(clip.reference)
    )
    return denoise(guider, clip, SIGMAS)


@pytest.mark.parametrize("blocks", ["0", "1", "2", "3", "1, 3"])
def test_the_result_is_that_of_a_whole_pass(model, clip, denoise, blocks, request):
    shared = sampled(model, clip, denoise, blocks=blocks)
    request.getfixturevalue("short_of_memory")
    whole = sampled(model, clip, denoise, blocks=blocks)
    assert max(relative_l2(a, b) for a, b in zip(shared, whole, strict=True)) < 1e-6


def test_alone_it_is_bit_equal(model, clip, denoise, request):
    """With CFG off, cond runs in a batch of its own, as perturbed does."""
    shared = sampled(model, clip, denoise, STG_ONLY)
    request.getfixturevalue("short_of_memory")
    whole = sampled(model, clip, denoise, STG_ONLY)
    assert all(torch.equal(a, b) for a, b in zip(shared, whole, strict=True))


@pytest.mark.parametrize(("blocks", "skipped"), [("0", 0), ("2", 2), ("1, 3", 1), ("3", 3)])
def test_blocks_before_the_first_are_not_run_again(model, clip, denoise, block_runs, blocks, skipped):
    sampled(model, clip, denoise, STG_ONLY, blocks)
    steps = len(SIGMAS) - 1
    expected = [2 * steps - steps * (index < skipped) for index in range(4)]
    assert [block_runs.count(index) for index in range(4)] == expected


def test_short_memory_runs_the_pass_whole(model, clip, denoise, block_runs, short_of_memory):
    sampled(model, clip, denoise, STG_ONLY)
    assert [block_runs.count(index) for index in range(4)] == [4] * 4


def test_the_hosts_free_memory_decides(monkeypatch):
    states = torch.zeros(1, 10, 4), torch.zeros(1, 5, 2)
    for free, fits in ((step_cache.SPARE * 200 + 1, True), (step_cache.SPARE * 200, False)):
        monkeypatch.setattr(step_cache, "free_bytes", lambda _, free=free: free)
        assert step_cache._fits(states) is fits


def test_nothing_is_kept_after_a_step(model, clip, denoise):
    settings = GuiderSettings(EVERYTHING, EVERYTHING, "2")
    guider = identity_guider(
        model, *clip.conditioning, settings=settings, reference=Reference(clip.reference)
    )
    prefix = guider.forward.prefix
    kept = []
    denoise(guider, clip, SIGMAS, callback=lambda *_: kept.append(len(prefix._kept)))
    assert kept == [0, 0] and not prefix._kept


def test_other_packs_block_patches_run_once_per_block_that_runs(model, clip, denoise):
    seen = []

    def patch(args, extra):
        seen.append(1)
        return extra["original_block"](args)

    patched = model.clone()
    for block in range(4):
        patched.set_model_patch_replace(patch, "dit", "double_block", block)
    ours = sampled(patched, clip, denoise, STG_ONLY, "2")
    assert len(seen) == 2 * (4 + 2)
    plain = sampled(model, clip, denoise, STG_ONLY, "2")
    assert all(torch.equal(a, b) for a, b in zip(ours, plain, strict=True))


def test_the_host_is_not_asked_to_load_blocks_that_are_not_run(
    model, clip, denoise, monkeypatch, host_version
):
    """Hosts from 0.24.1 load offloaded weights ahead, block by block, from a list that each pass gives them."""
    if host_version == "0.20.1":
        assert importlib.util.find_spec("comfy.model_prefetch") is None
        return
    import comfy.model_prefetch

    asked = []
    make_queue = comfy.model_prefetch.make_prefetch_queue

    def record(blocks, *args):
        asked.append(len(blocks))
        return make_queue(blocks, *args)

    monkeypatch.setattr(comfy.model_prefetch, "make_prefetch_queue", record)
    sampled(model, clip, denoise, STG_ONLY, "3")
    assert asked == [4, 1] * (len(SIGMAS) - 1)
