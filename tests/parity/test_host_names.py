"""A host that lacks what a pass changes is refused when the guider is made, by version and name."""

import re

import pytest

from idlora_core.terms import Scales
from idlora_pack.nodes.host.guider import identity_guider
from idlora_pack.nodes.host.settings import GuiderSettings


def make(model, clip):
    settings = GuiderSettings(Scales(), Scales())
    return identity_guider(model, *clip.conditioning, settings=settings, reference=None)


def test_a_host_without_a_method(model, clip, monkeypatch, host_version):
    from comfy.ldm.lightricks.model import LTXBaseModel

    monkeypatch.delattr(LTXBaseModel, "_precompute_freqs_cis")
    with pytest.raises(
        RuntimeError, match=re.escape(f"ComfyUI {host_version} has no '_precompute_freqs_cis'")
    ):
        make(model, clip)


@pytest.mark.parametrize("layer", ["attn1", "audio_attn2", "video_to_audio_attn"])
def test_a_host_without_a_layer(model, clip, monkeypatch, layer):
    block = model.model.diffusion_model.transformer_blocks[3]
    monkeypatch.delitem(block._modules, layer)
    with pytest.raises(RuntimeError, match=f"has no '{layer}' in BasicAVTransformerBlock"):
        make(model, clip)


def test_this_host_has_all(model, clip):
    make(model, clip)
