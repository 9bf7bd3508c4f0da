"""A scene beside what other packs do to a model: replaced forwards, and weights that are unpacked when they are used."""

from types import MethodType

import pytest
import torch
import torch.nn.functional as F

from support.scenes import REGIONS, two_speakers, with_lines

ATTENTIONS = ("attn1", "attn2", "audio_attn1", "audio_attn2", "audio_to_video_attn", "video_to_audio_attn")


def with_forwards(model, names, forward):
    """A clone in which `forward(layer, own, ...)` is the forward of some layers of each block."""
    clone = model.clone()
    for index, block in enumerate(model.model.diffusion_model.transformer_blocks):
        for name in names:
            layer = block.get_submodule(name)

            def bound(self, *args, own=layer.forward, **kwargs):
                return forward(self, own, *args, **kwargs)

            path = f"diffusion_model.transformer_blocks.{index}.{name}".rstrip(".") + ".forward"
            clone.add_object_patch(path, MethodType(bound, layer))
    return clone


def as_it_was(layer, own, *args, **kwargs):
    return type(layer).forward(layer, *args, **kwargs)


def own_kernel(layer, own, *args, transformer_options, **kwargs):
    """A forward that asks no override, as patches with a kernel of their own do."""
    blind = {k: v for k, v in transformer_options.items() if k != "optimized_attention_override"}
    return own(*args, transformer_options=blind, **kwargs)


def unpacked(layer, own, x):
    """As a quantised layer: the weight is made anew for every call."""
    packed = layer.weight.detach().to(torch.float64)
    return F.linear(x, packed.to(x.dtype), layer.bias)


@pytest.mark.parametrize(
    ("names", "forward"),
    [
        (ATTENTIONS, as_it_was),
        (ATTENTIONS, own_kernel),
        (("",), as_it_was),
        ([f"{name}.{part}" for name in ATTENTIONS for part in ("to_q", "to_k", "to_v")], unpacked),
    ],
    ids=["attention layers", "kernels of their own", "blocks", "quantised layers"],
)
def test_a_replaced_forward_leaves_a_scene_as_it_is(guide, clip, model, names, forward):
    scene, words = two_speakers(REGIONS), with_lines(clip)
    expected = guide(scene, conditioning=words)
    ours = guide(scene, conditioning=words, on=with_forwards(model, names, forward))
    assert all(torch.equal(a, b) for a, b in zip(ours, expected, strict=True))
