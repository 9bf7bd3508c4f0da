"""torch.compile, per block and whole model: the same numbers as without, and the MODEL as it was.

python3 dev.py test parity -- -m slow -k compiled
"""

from typing import Any

import pytest
import torch
from torch._dynamo.utils import counters

from idlora_core.reference import Reference
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import Scales
from idlora_pack.nodes.host.guider import identity_guider
from idlora_pack.nodes.host.settings import GuiderSettings
from support.deviation import relative_l2

pytestmark = [  # tracing takes minutes; the family changes nothing of it
    pytest.mark.slow,
    pytest.mark.parametrize("checkpoint", ["small_ltx23"], indirect=True),
]
SIGMAS = ltx2_sigmas(2)
VIDEO = Scales(cfg=3.0, stg=1.0, av_bimodal=3.0)
AUDIO = Scales(cfg=7.0, identity=4.0, stg=1.0, av_bimodal=3.0)


@pytest.fixture(autouse=True)
def fresh_compiler():
    torch.compiler.reset()
    counters.clear()
    with torch._dynamo.config.patch(recompile_limit=2):  # each takes seconds
        yield
    torch.compiler.reset()


def by_blocks(model, backend):
    """Each block compiled, as an object patch."""
    clone = model.clone()
    for index, block in enumerate(model.model.diffusion_model.transformer_blocks):
        compiled = torch.compile(block, backend=backend)
        clone.add_object_patch(f"diffusion_model.transformer_blocks.{index}", compiled)
    return clone


def by_the_host(keys):
    """The host's own way: what is in transformer options is not looked at again."""

    def compiled(model, backend):
        from comfy_api.torch_helpers import set_torch_compile_wrapper

        clone = model.clone()
        options: Any = {
            "guard_filter_fn": lambda guards: ["transformer_options" not in g.name for g in guards]
        }
        set_torch_compile_wrapper(model=clone, backend=backend, options=options, keys=keys)
        return clone

    return compiled


WAYS = {
    "blocks": by_blocks,
    "blocks, by the host": by_the_host([f"diffusion_model.transformer_blocks.{i}" for i in range(4)]),
    "whole, by the host": by_the_host(["diffusion_model"]),
}


def guided(model, clip, speed):
    settings = GuiderSettings(VIDEO, AUDIO, "2", speed=speed)
    return identity_guider(model, *clip.conditioning, settings=settings, reference=Reference(clip.reference))


def plain(model, clip):
    import comfy.samplers

    guider = comfy.samplers.CFGGuider(model)
    guider.set_conds(*clip.conditioning)
    guider.set_cfg(2.0)
    return guider


def equal(ours, expected):
    return all(torch.equal(a, b) for a, b in zip(ours, expected, strict=True))


CASES = [
    ("blocks", "eager", "exact"),
    ("blocks", "aot_eager", "fast"),
    ("blocks, by the host", "eager", "fast"),
    ("blocks, by the host", "aot_eager", "exact"),
    ("whole, by the host", "eager", "exact"),
    ("whole, by the host", "aot_eager", "fast"),
]


@pytest.mark.parametrize(("way", "backend", "speed"), CASES)
def test_a_compiled_model_gives_the_same(model, clip, denoise, way, backend, speed):
    compiled = WAYS[way](model, backend)
    ours = denoise(guided(compiled, clip, speed), clip, SIGMAS)
    num_compiled = counters["frames"]["ok"]
    assert equal(ours, denoise(guided(model, clip, speed), clip, SIGMAS))
    assert equal(denoise(plain(compiled, clip), clip, SIGMAS), denoise(plain(model, clip), clip, SIGMAS))
    assert num_compiled > 0


@pytest.mark.parametrize("way", WAYS)
def test_what_the_compiler_has_seen_before_does_not_matter(model, clip, denoise, way):
    compiled = WAYS[way](model, "eager")
    denoise(plain(compiled, clip), clip, SIGMAS)
    ours = denoise(guided(compiled, clip, "fast"), clip, SIGMAS)
    assert equal(ours, denoise(guided(model, clip, "fast"), clip, SIGMAS))


def test_inductor_stays_within_float_noise(model, clip, denoise):
    """Needs a C++ compiler."""
    ours = denoise(guided(by_blocks(model, "inductor"), clip, "exact"), clip, SIGMAS)
    assert counters["frames"]["ok"] > 0
    expected = denoise(guided(model, clip, "exact"), clip, SIGMAS)
    assert max(relative_l2(a, b) for a, b in zip(ours, expected, strict=True)) < 1e-5
