"""Beside other packs: their ways of patching, rewritten small, leave our guidance right and theirs at work.

an override that answers      LTX Director: masked text calls never reach the attention
a call that is added          NAG: a second attention inside text attention
a replaced forward            of a layer with a kernel of its own, of a whole block
a mask                        guides: the host splits video self-attention into several calls
a reference of another node   LTXV Reference Audio
"""

# pyright: reportOptionalMemberAccess=false

from types import MethodType

import pytest
import torch

from idlora_core.reference import Reference
from idlora_core.sigmas import DISTILLED_8_STEPS, ltx2_sigmas
from idlora_core.terms import Scales
from idlora_pack.nodes.host.guider import identity_guider
from idlora_pack.nodes.host.settings import GuiderSettings
from support.deviation import relative_l2

SIGMAS = ltx2_sigmas(2)
VIDEO = Scales(cfg=3.0, stg=1.0, av_bimodal=3.0)
AUDIO = Scales(cfg=7.0, identity=4.0, stg=1.0, av_bimodal=3.0)
OFF = Scales()
DISTILLED = Scales(identity=2.0)
TEXT_LAYERS = ("attn2", "audio_attn2")


def guided(model, clip, conditioning=None, video=VIDEO, audio=AUDIO, **settings):
    settings = GuiderSettings(video, audio, "2", **settings)
    reference = Reference(clip.reference)
    return identity_guider(
        model, *(conditioning or clip.conditioning), settings=settings, reference=reference
    )


def with_forward(model, layers, forward):
    """A clone of the model in which `forward(layer's own, layer, ...)` is the forward of some layers of each block."""
    clone = model.clone()
    for index, block in enumerate(model.model.diffusion_model.transformer_blocks):
        for name in layers:
            layer = getattr(block, name) if name else block

            def bound(self, *args, own=layer.forward, **kwargs):
                return forward(own, self, *args, **kwargs)

            path = ".".join(filter(None, (f"diffusion_model.transformer_blocks.{index}", name, "forward")))
            clone.add_object_patch(path, MethodType(bound, layer))
    return clone


def optimized_attention(*args, **kwargs):
    from comfy.ldm.modules.attention import optimized_attention

    return optimized_attention(*args, **kwargs)


def close(ours, expected, limit=1e-5):
    assert max(relative_l2(a, b) for a, b in zip(ours, expected, strict=True)) < limit


# An override that answers


def answers_masked_calls(own, layer, x, context=None, mask=None, transformer_options=None, **kwargs):
    """A mask for each text call, and an override that computes what is masked by itself."""
    former = (transformer_options or {}).get("optimized_attention_override")

    def override(attention, *args, **kwargs):
        if kwargs.get("mask") is None:
            return former(attention, *args, **kwargs) if former else attention(*args, **kwargs)
        return attention(*args, **kwargs)

    options = {**(transformer_options or {}), "optimized_attention_override": override}
    mask = torch.zeros(1, 1, x.shape[1], context.shape[1])
    return own(x, context=context, mask=mask, transformer_options=options, **kwargs)


@pytest.mark.parametrize("speed", ["exact", "fast"])
def test_an_override_that_answers_masked_text_calls(model, clip, denoise, speed):
    patched = with_forward(model, TEXT_LAYERS, answers_masked_calls)
    ours = denoise(guided(patched, clip, speed=speed), clip, SIGMAS)
    close(ours, denoise(guided(model, clip, speed=speed), clip, SIGMAS))


# A call that is added


def second_call(weight):
    """A second attention call, to another text, whose difference is added with a weight."""

    def forward(own, layer, x, context=None, mask=None, transformer_options=None, **kwargs):
        def attend(context):
            q = layer.q_norm(layer.to_q(x))
            k, v = layer.k_norm(layer.to_k(context)), layer.to_v(context)
            return optimized_attention(q, k, v, layer.heads, transformer_options=transformer_options)

        positive, negative = attend(context), attend(context.flip(1) * 0.5)
        out = positive + weight * (positive - negative)
        if layer.to_gate_logits is not None:
            gates = 2.0 * torch.sigmoid(layer.to_gate_logits(x)).unsqueeze(-1)
            out = (out.unflatten(2, (layer.heads, -1)) * gates).flatten(2)
        return layer.to_out(out)

    return forward


CASES = {
    "everything": {},
    "fast": {"speed": "fast"},
    "hide_from_video": {"hide_reference_from_video": True},
    "hide_text": {"hide_text_from_reference": True},
    "stg": {"video": Scales(stg=1.0), "audio": Scales(stg=1.0)},
    "distilled": {"video": OFF, "audio": DISTILLED},
    "distilled fast": {"video": OFF, "audio": DISTILLED, "speed": "fast"},
}


@pytest.mark.parametrize("case", CASES)
def test_a_call_that_changes_nothing_shifts_nothing(model, clip, denoise, case):
    patched = with_forward(model, TEXT_LAYERS, second_call(0.0))
    ours = denoise(guided(patched, clip, **CASES[case]), clip, SIGMAS)
    close(ours, denoise(guided(model, clip, **CASES[case]), clip, SIGMAS))


@pytest.mark.parametrize(
    ("video", "audio", "sigmas"),
    [
        (VIDEO, AUDIO, ltx2_sigmas(12)),
        (OFF, AUDIO, ltx2_sigmas(12)),
        (OFF, DISTILLED, torch.tensor(DISTILLED_8_STEPS)),
    ],
    ids=["paper", "identity", "distilled"],
)
def test_fast_deviates_with_an_added_call_as_without(model, clip, denoise, video, audio, sigmas):
    def deviation(model):
        fast, exact = (
            denoise(guided(model, clip, video=video, audio=audio, speed=speed), clip, sigmas)
            for speed in ("fast", "exact")
        )
        return max(relative_l2(a, b) for a, b in zip(fast, exact, strict=True))

    with_call = deviation(with_forward(model, TEXT_LAYERS, second_call(0.3)))
    assert 0 < with_call < 2 * deviation(model)


# A replaced forward


def own_kernel(own, layer, x, context=None, mask=None, pe=None, k_pe=None, transformer_options=None):
    """A forward that asks no override, as patches with a kernel of their own do."""
    blind = {k: v for k, v in transformer_options.items() if k != "optimized_attention_override"}
    return own(x, context=context, mask=mask, pe=pe, k_pe=k_pe, transformer_options=blind)


@pytest.mark.parametrize("speed", ["exact", "fast"])
def test_a_layer_with_a_kernel_of_its_own(model, clip, denoise, speed):
    patched = with_forward(model, ("attn1", "audio_attn1"), own_kernel)
    ours = denoise(guided(patched, clip, speed=speed), clip, SIGMAS)
    close(ours, denoise(guided(model, clip, speed=speed), clip, SIGMAS))


@pytest.mark.parametrize("case", ["everything", "fast", "hide_text"])
def test_a_replaced_forward_of_whole_blocks(model, clip, denoise, case):
    ran = []

    def forward(own, block, *args, **kwargs):
        ran.append(1)
        return type(block).forward(block, *args, **kwargs)

    patched = with_forward(model, ("",), forward)
    ours = denoise(guided(patched, clip, **CASES[case]), clip, SIGMAS)
    close(ours, denoise(guided(model, clip, **CASES[case]), clip, SIGMAS))
    assert ran


def test_a_block_that_cannot_be_looked_into_is_refused(model, clip, denoise):
    patched = model.clone()
    block = model.model.diffusion_model.transformer_blocks[2]
    patched.add_object_patch(
        "diffusion_model.transformer_blocks.2.forward",
        lambda *args, **kw: type(block).forward(block, *args, **kw),
    )
    with pytest.raises(
        RuntimeError, match="Another node .* has replaced 'forward' of BasicAVTransformerBlock"
    ):
        denoise(guided(patched, clip), clip, SIGMAS)


# A mask


def guided_by_last_frame(clip):
    """Conditioning that takes the last latent frame as a guide of attention strength 0.5."""
    _, _, _, height, width = clip.video_noise.shape
    time, y, x = torch.meshgrid(
        torch.zeros(1), torch.arange(height) * 32.0, torch.arange(width) * 32.0, indexing="ij"
    )
    starts = torch.stack([part.flatten() for part in (time, y, x)])[None]
    coords = torch.stack([starts, starts + torch.tensor([1.0, 32.0, 32.0])[None, :, None]], dim=-1)
    entry = {
        "pre_filter_count": height * width,
        "strength": 0.5,
        "pixel_mask": None,
        "latent_shape": (1, height, width),
    }
    extra = {"keyframe_idxs": coords, "guide_attention_entries": [entry]}
    return tuple([[text, {**values, **extra}] for text, values in conds] for conds in clip.conditioning)


def masked(first_keys=0, first_queries=0):
    """A layer with a dense mask, as the trainer has it."""

    def forward(own, layer, x, context=None, mask=None, **kwargs):
        mask = torch.zeros(1, 1, x.shape[1], context.shape[1])
        mask[..., :first_keys] = -torch.inf
        mask[..., :first_queries, :] = torch.finfo(torch.bfloat16).min
        return own(x, context=context, mask=mask, **kwargs)

    return forward


@pytest.mark.parametrize("scales", [(OFF, OFF), (Scales(stg=1.0), Scales(stg=1.0))], ids=["plain", "stg"])
@pytest.mark.parametrize("hidden", ["video", "text"])
def test_reference_masks_beside_a_guide_mask(model, clip, denoise, hidden, scales):
    count, guides = clip.reference.shape[2], guided_by_last_frame(clip)
    video, audio = scales
    if hidden == "video":
        settings = {"hide_reference_from_video": True}
        oracle = with_forward(model, ("audio_to_video_attn",), masked(first_keys=count))
    else:
        settings = {"hide_text_from_reference": True}
        oracle = with_forward(model, ("audio_attn2",), masked(first_queries=count))
    ours = denoise(guided(model, clip, guides, video, audio, **settings), clip, SIGMAS)
    close(ours, denoise(guided(oracle, clip, guides, video, audio), clip, SIGMAS))
    plain = denoise(guided(model, clip, guides, video, audio), clip, SIGMAS)
    assert max(relative_l2(a, b) for a, b in zip(ours, plain, strict=True)) > 1e-3, "the mask changes nothing"


# A reference of another node


def with_their_reference(clip):
    tokens = {"ref_audio": {"tokens": Reference(clip.reference).tokens}}
    return tuple([[text, {**values, **tokens}] for text, values in conds] for conds in clip.conditioning)


def test_another_nodes_reference_is_the_hosts_affair(model, clip, denoise):
    import comfy.samplers

    host = comfy.samplers.CFGGuider(model)
    host.set_conds(*with_their_reference(clip))
    settings = GuiderSettings(OFF, OFF)
    ours = identity_guider(model, *with_their_reference(clip), settings=settings, reference=None)
    got, expected = denoise(ours, clip, SIGMAS), denoise(host, clip, SIGMAS)
    assert torch.equal(got[0][:, :, 1:], expected[0][:, :, 1:]) and torch.equal(got[1], expected[1])


@pytest.mark.parametrize("speed", ["exact", "fast"])
def test_guidance_runs_on_top_of_another_nodes_reference(model, clip, denoise, speed):
    settings = GuiderSettings(VIDEO, AUDIO, "2", speed=speed)
    guider = identity_guider(model, *with_their_reference(clip), settings=settings, reference=None)
    assert all(part.isfinite().all() for part in denoise(guider, clip, SIGMAS))


def test_two_references_are_refused_by_the_names_of_both_nodes(model, clip):
    with pytest.raises(ValueError, match="LTXV Reference Audio or LTXV Set Audio Ref Tokens"):
        guided(model, clip, with_their_reference(clip))
