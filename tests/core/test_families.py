"""One table of model families: a model, a LoRA and an audio VAE are told by it, and what is of no row is unknown."""

import pytest

from bed.made_loras import VIDEO, layers
from idlora_core.families import (
    FAMILIES,
    LTX_2,
    LTX_2_3,
    UNKNOWN,
    audio_vae_family,
    file_family,
    model_family,
)


def test_the_models_of_the_table_are_known_by_their_layers():
    assert model_family(layers()) == LTX_2_3
    assert model_family(layers(gated=False)) == LTX_2


def test_a_model_without_sound_is_of_no_family():
    video = {name: shape for name, shape in layers().items() if "audio_attn1" not in name}
    assert model_family(video) is None


def without(names, part):
    return {name: shape for name, shape in names.items() if part not in name}


NEWER = {  # cross-attention modulation as in LTX-2.3, and something else than its gates
    "no_gates": without(layers(), "to_gate_logits"),
    "other_modulation": layers() | {"adaln_single.linear": (12 * VIDEO, VIDEO)},
    "a_caption_projection_too": layers() | {"caption_projection.linear_1": (VIDEO, VIDEO)},
    "no_prompt_modulation": without(layers(), "prompt_adaln"),
    "neither": without(layers(gated=False), "caption_projection"),
}


@pytest.mark.parametrize("names", NEWER.values(), ids=NEWER)
def test_a_model_that_fits_no_row_is_named_as_unknown(names):
    assert model_family(names) is UNKNOWN
    assert str(UNKNOWN) == "an unknown LTX family"


def test_a_file_is_told_by_the_marks_of_the_table():
    for family in FAMILIES:
        for mark in family.marks:
            assert (
                file_family({f"{mark}.linear": (4, 4), f"blocks.0.attn.{mark}": (4, 4)}, {}, "x").family
                == family
            )


def test_an_audio_vae_is_told_by_its_vocoder():
    assert audio_vae_family({"vocoder", "bwe_generator", "mel_stft"}) == LTX_2_3
    assert audio_vae_family({"conv_pre", "ups", "conv_post"}) == LTX_2
    assert audio_vae_family({"decoder"}) is UNKNOWN


def test_the_blocks_of_the_families_differ_by_their_gates():
    gates = {name for name in LTX_2_3.block_linears if name.endswith("to_gate_logits")}
    assert set(LTX_2_3.block_linears) - gates == set(LTX_2.block_linears) and len(gates) == 6
