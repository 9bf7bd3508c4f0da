"""The whole loop on the host against the authors' loop on ltx-core, the same small weights.

`official` numerics, four Euler steps, all guidance on. What is left is the RMSNorm epsilon of queries
and keys (1e-5 in the host, 1e-6 in ltx-core) and float32 reassociation.
"""

import pytest
import torch
from safetensors.torch import load_file

from idlora_core.options import Numerics
from idlora_core.positions import audio_tokens
from idlora_core.reference import Reference
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import Scales
from idlora_pack.nodes.host.guider import identity_guider
from idlora_pack.nodes.host.lora import apply_lora, fit_lora
from idlora_pack.nodes.host.settings import GuiderSettings
from support import oracle
from support.deviation import relative_l2

STEPS, STG_BLOCK, LIMIT = 4, 2, 1e-5
LORAS = {"small_ltx23": "small_id_lora.safetensors", "small_ltx20": "small_id_lora_20.safetensors"}


@pytest.fixture(scope="module")
def authors_model(checkpoint):
    return oracle.load_transformer(checkpoint)


def settings(numerics: Numerics = "official", masks=(False, False)):
    return GuiderSettings(
        video=Scales(cfg=3.0, stg=1.0, av_bimodal=3.0),
        audio=Scales(cfg=7.0, identity=4.0, stg=1.0, av_bimodal=3.0),
        stg_block_indices=str(STG_BLOCK),
        numerics=numerics,
        hide_reference_from_video=masks[0],
        hide_text_from_reference=masks[1],
    )


def on_the_host(model, clip, denoise, **options):
    reference = Reference(clip.reference)
    guider = identity_guider(model, *clip.conditioning, settings=settings(**options), reference=reference)
    return denoise(guider, clip, ltx2_sigmas(STEPS))


def on_ltx_core(authors_model, clip):
    video = oracle.video_stream(clip.video_noise, clip.clean_video, clip.video_mask, 25.0)
    audio, count = oracle.audio_stream(clip.audio_noise, clip.reference)
    scales = oracle.Scales(stg_block=STG_BLOCK)
    return oracle.sample(authors_model, video, audio, count, clip.split_texts, ltx2_sigmas(STEPS), scales)


def deviations(ours, theirs) -> tuple[float, float]:
    video, audio = ours
    return relative_l2(video.flatten(2).mT, theirs[0]), relative_l2(audio_tokens(audio), theirs[1])


def check(name: str, values: tuple[float, float], record_property) -> None:
    record_property(name, values)
    print(f"{name}: relative L2 video {values[0]:.1e}, audio {values[1]:.1e}")
    assert max(values) <= LIMIT


def test_official_numerics_reproduce_the_authors(
    model, authors_model, clip, denoise, checkpoint, record_property
):
    ours = on_the_host(model, clip, denoise)
    check(checkpoint.stem, deviations(ours, on_ltx_core(authors_model, clip)), record_property)


def test_the_switch_is_what_makes_the_difference(model, authors_model, clip, denoise):
    ours = on_the_host(model, clip, denoise, numerics="host")
    assert min(deviations(ours, on_ltx_core(authors_model, clip))) > 100 * LIMIT


def test_with_an_id_lora(model, authors_model, clip, denoise, checkpoint, small_models, record_property):
    name = LORAS[checkpoint.stem]
    patched = apply_lora(model, fit_lora(model, name), 1.0)
    ours = on_the_host(patched, clip, denoise)
    plain = authors_model.velocity_model.state_dict()
    merged = {name: weight.clone() for name, weight in plain.items()}
    added = merge_lora(merged, load_file(small_models / "loras" / name))
    try:
        authors_model.velocity_model.load_state_dict(merged, assign=True)
        theirs = on_ltx_core(authors_model, clip)
    finally:
        authors_model.velocity_model.load_state_dict(plain, assign=True)
    assert added > 0
    assert min(deviations(ours, on_ltx_core(authors_model, clip))) > 100 * LIMIT, "the LoRA changes nothing"
    check(f"{checkpoint.stem} with ID-LoRA", deviations(ours, theirs), record_property)


@pytest.mark.parametrize("masks", [(True, False), (False, True), (True, True)], ids=["video", "text", "both"])
def test_training_time_masks(model, authors_model, clip, denoise, checkpoint, masks, record_property):
    ours = on_the_host(model, clip, denoise, masks=masks)
    count = clip.reference.shape[2]
    with oracle.training_masks(authors_model, count, count + clip.audio_noise.shape[2], *masks):
        masked = on_ltx_core(authors_model, clip)
    assert max(deviations(ours, on_ltx_core(authors_model, clip))) > 100 * LIMIT, "the masks change nothing"
    check(f"{checkpoint.stem} with masks {masks}", deviations(ours, masked), record_property)


def merge_lora(weights: dict[str, torch.Tensor], lora: dict[str, torch.Tensor]) -> int:
    """W + B A in place, for every target of an official file; returns how many."""
    targets = [k.removesuffix(".lora_A.weight") for k in lora if k.endswith(".lora_A.weight")]
    for target in targets:
        up, down = lora[f"{target}.lora_B.weight"].float(), lora[f"{target}.lora_A.weight"].float()
        weights[target.removeprefix("diffusion_model.") + ".weight"] += up @ down
    return len(targets)
