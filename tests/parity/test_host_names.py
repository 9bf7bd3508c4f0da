"""A host that lacks what a pass changes is refused when the guider is made, by version and name."""

import re

import pytest

from idlora_core.terms import Scales


def make(guider_module, model, clip):
    settings = guider_module.GuiderSettings(Scales(), Scales())
    return guider_module.identity_guider(model, *clip.conditioning, settings, None)


def test_a_host_without_a_method(guider_module, model, clip, monkeypatch, host_version):
    from comfy.ldm.lightricks.model import LTXBaseModel

    monkeypatch.delattr(LTXBaseModel, "_precompute_freqs_cis")
    with pytest.raises(
        RuntimeError, match=re.escape(f"ComfyUI {host_version} has no '_precompute_freqs_cis'")
    ):
        make(guider_module, model, clip)


@pytest.mark.parametrize("layer", ["attn1", "audio_attn2", "video_to_audio_attn"])
def test_a_host_without_a_layer(guider_module, model, clip, monkeypatch, layer):
    block = model.model.diffusion_model.transformer_blocks[3]
    monkeypatch.delitem(block._modules, layer)
    with pytest.raises(RuntimeError, match=f"has no '{layer}' in BasicAVTransformerBlock"):
        make(guider_module, model, clip)


def test_this_host_has_all(guider_module, model, clip):
    make(guider_module, model, clip)
