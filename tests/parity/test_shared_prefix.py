"""STG's shared prefix: the same numbers for fewer blocks, whole again where memory is short."""

import importlib
import importlib.util

import pytest
import torch

from bed.deviation import relative_l2
from idlora_core.reference import Reference
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import Scales

SIGMAS = ltx2_sigmas(2)
EVERYTHING = Scales(cfg=3.0, identity=4.0, stg=1.0, av_bimodal=3.0)
STG_ONLY = Scales(stg=1.0)


@pytest.fixture
def short_of_memory(pack, monkeypatch):
    """A host that reports hardly any free memory to the prefix, and to nothing else."""
    module = importlib.import_module(f"{pack.__name__}.nodes.host.forward.step_cache")
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


def sampled(guider_module, model, clip, denoise, scales=EVERYTHING, blocks="2"):
    settings = guider_module.GuiderSettings(scales, scales, blocks)
    guider = guider_module.identity_guider(model, *clip.conditioning, settings, Reference(clip.reference))
    return denoise(guider, clip, SIGMAS)


@pytest.mark.parametrize("blocks", ["0", "1", "2", "3", "1, 3"])
def test_the_result_is_that_of_a_whole_pass(guider_module, model, clip, denoise, blocks, request):
    shared = sampled(guider_module, model, clip, denoise, blocks=blocks)
    request.getfixturevalue("short_of_memory")
    whole = sampled(guider_module, model, clip, denoise, blocks=blocks)
    assert max(relative_l2(a, b) for a, b in zip(shared, whole, strict=True)) < 1e-6


def test_alone_it_is_bit_equal(guider_module, model, clip, denoise, request):
    """With CFG off, cond runs in a batch of its own, as perturbed does."""
    shared = sampled(guider_module, model, clip, denoise, STG_ONLY)
    request.getfixturevalue("short_of_memory")
    whole = sampled(guider_module, model, clip, denoise, STG_ONLY)
    assert all(torch.equal(a, b) for a, b in zip(shared, whole, strict=True))


@pytest.mark.parametrize(("blocks", "skipped"), [("0", 0), ("2", 2), ("1, 3", 1), ("3", 3)])
def test_blocks_before_the_first_are_not_run_again(
    guider_module, model, clip, denoise, block_runs, blocks, skipped
):
    sampled(guider_module, model, clip, denoise, STG_ONLY, blocks)
    steps = len(SIGMAS) - 1
    expected = [2 * steps - steps * (index < skipped) for index in range(4)]
    assert [block_runs.count(index) for index in range(4)] == expected


def test_short_memory_runs_the_pass_whole(guider_module, model, clip, denoise, block_runs, short_of_memory):
    sampled(guider_module, model, clip, denoise, STG_ONLY)
    assert [block_runs.count(index) for index in range(4)] == [4] * 4


def test_the_hosts_free_memory_decides(pack, monkeypatch):
    module = importlib.import_module(f"{pack.__name__}.nodes.host.forward.step_cache")
    states = torch.zeros(1, 10, 4), torch.zeros(1, 5, 2)
    spare, num_entries = 4, 3
    cache = module.StepCache(num_entries, spare)
    for free, fits in ((spare * num_entries * 200 + 1, True), (spare * num_entries * 200, False)):
        monkeypatch.setattr(module, "free_bytes", lambda _, free=free: free)
        assert cache._fits(states) is fits


def test_nothing_is_kept_after_a_step(guider_module, model, clip, denoise):
    settings = guider_module.GuiderSettings(EVERYTHING, EVERYTHING, "2")
    guider = guider_module.identity_guider(model, *clip.conditioning, settings, Reference(clip.reference))
    prefix = guider.forward.prefix
    kept = []
    denoise(guider, clip, SIGMAS, callback=lambda *_: kept.append(len(prefix._kept)))
    assert kept == [0, 0] and not prefix._kept


def test_other_packs_block_patches_run_once_per_block_that_runs(guider_module, model, clip, denoise):
    seen = []

    def patch(args, extra):
        seen.append(1)
        return extra["original_block"](args)

    patched = model.clone()
    for block in range(4):
        patched.set_model_patch_replace(patch, "dit", "double_block", block)
    ours = sampled(guider_module, patched, clip, denoise, STG_ONLY, "2")
    assert len(seen) == 2 * (4 + 2)
    plain = sampled(guider_module, model, clip, denoise, STG_ONLY, "2")
    assert all(torch.equal(a, b) for a, b in zip(ours, plain, strict=True))


def test_the_host_is_not_asked_to_load_blocks_that_are_not_run(
    guider_module, model, clip, denoise, monkeypatch, host_version
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
    sampled(guider_module, model, clip, denoise, STG_ONLY, "3")
    assert asked == [4, 1] * (len(SIGMAS) - 1)
