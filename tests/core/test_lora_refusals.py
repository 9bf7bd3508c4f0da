"""LoRA files that cannot be used: what is refused, and in which words."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from bed.made_loras import AUDIO, RANK, id_lora, layers, pair
from bed.sentences import assert_one_sentence
from idlora_core.lora.files import read_lora
from idlora_core.lora.match import checked_strength, match


def without(tensors, part):
    return {key: value for key, value in tensors.items() if part not in key}


def twice(tensors):
    return tensors | {key.replace("lora_A", "lora_A.other"): value.clone() for key, value in tensors.items()}


PEFT = {"prefix": "base_model.model."}
FIRST = "diffusion_model.transformer_blocks.0.audio_attn1.to_q"
BAD_LORAS = [
    (without(id_lora(), "lora_B"), None, "has no up part"),
    (without(id_lora(), "0.audio_attn1.to_q.lora_A"), None, "has no down part"),
    (id_lora() | {f"{FIRST}.lora_B.weight": torch.zeros(4, 3)}, None, "has halves of rank 2 and 3"),
    (
        id_lora() | {f"{FIRST}.lora_A.weight": torch.zeros(2, 4, 1, 1)},
        None,
        "has a LoRA part that is not a matrix",
    ),
    (id_lora(rank=0), None, "has a LoRA part that is not a matrix"),
    (
        id_lora() | {f"{FIRST}.lora_A.weight": torch.zeros(2, 4, dtype=torch.int8)},
        None,
        "is stored as I8",
    ),
    (id_lora() | {f"{FIRST}.alpha": torch.tensor(float("nan"))}, None, "has an alpha of nan"),
    (id_lora() | {f"{FIRST}.alpha": torch.tensor(0.0)}, None, "has an alpha of 0.0"),
    (id_lora() | {f"{FIRST}.alpha": torch.zeros(3)}, None, "has an alpha that is not a single number"),
    (
        id_lora() | {f"{FIRST}.alpha": torch.zeros((), dtype=torch.complex64)},
        None,
        "has an alpha that is not a single number",
    ),
    (
        id_lora() | {f"{FIRST}.dora_scale": torch.zeros(4, dtype=torch.complex64)},
        None,
        "is stored as C64",
    ),
    (id_lora() | {f"{FIRST}.dora_scale": torch.zeros(5)}, None, "has a DoRA magnitude of the wrong shape"),
    (id_lora() | {f"{FIRST}.lokr_w1": torch.zeros(2, 2)}, None, "holds more than a LoRA"),
    (
        id_lora(**PEFT) | {"base_model.model.proj_out.weight": torch.zeros(2)},
        {"r": RANK},
        "holds more than a LoRA",
    ),
    (id_lora() | {f"{FIRST}.lora_B.bias": torch.zeros(4)}, None, "holds more than a LoRA"),
    (twice(id_lora()), None, "holds two LoRAs"),
    (id_lora(**PEFT), "{", "adapter_config.json beside lora.safetensors is not valid JSON"),
    (id_lora(**PEFT), "[]", "is not a JSON object"),
    (id_lora(**PEFT), {"r": "x"}, "has r x; it must be a number other than 0"),
    (id_lora(**PEFT), {"r": RANK, "lora_alpha": float("nan")}, "has lora_alpha nan"),
    (id_lora(**PEFT), {"r": 16}, "says rank 16 for transformer_blocks.0.audio_attn1.to_k, the file has 2"),
    (
        id_lora(**PEFT),
        {"r": RANK, "rank_pattern": {"(": 4}},
        "has rank_pattern (; only names and .* are understood",
    ),
    (
        id_lora(**PEFT),
        {"r": RANK, "rank_pattern": [4]},
        "has rank_pattern [4]; it must map module names to numbers",
    ),
    (id_lora(**PEFT), {"r": RANK, "alpha_pattern": {"to_q": None}}, "has alpha_pattern of to_q None"),
    (id_lora(**PEFT), {"r": RANK, "use_rslora": "yes"}, "has use_rslora yes; it must be true or false"),
    (id_lora(**PEFT), {"r": RANK, "use_dora": True}, "says use_dora=true, and the file lacks a magnitude"),
    (id_lora(**PEFT), {"r": RANK, "peft_type": "LOKR"}, "says LOKR, which is not LoRA"),
    (id_lora(**PEFT), {"r": RANK, "modules_to_save": ["proj_out"]}, "turns on modules_to_save"),
    (id_lora(**PEFT), {"r": RANK, "bias": "all"}, "turns on bias=all"),
    (id_lora(**PEFT), {"r": RANK, "lora_bias": True}, "turns on lora_bias"),
    (
        id_lora(**PEFT),
        {"r": RANK, "init_lora_weights": "pissa_niter_4"},
        "turns on init_lora_weights=pissa_niter_4",
    ),
]


@pytest.mark.parametrize(("tensors", "config", "words"), BAD_LORAS)
def test_bad_loras_are_refused_in_one_sentence(save, tensors, config, words):
    path = save(tensors, config=config)
    with pytest.raises(ValueError) as refusal:
        read_lora(path)
    assert_one_sentence(str(refusal.value), words, path.name)


def gate(block=0):
    return pair(f"transformer_blocks.{block}.audio_attn1.to_gate_logits", (2, AUDIO))


FLUX = pair("double_blocks.0.img_attn.qkv", (12, 4))
VIDEO_ONLY = id_lora(parts=("attn1",))
MISFITS = [
    (FLUX, "lora", layers(), "matches nothing on this model", "choose an ID-LoRA for LTX-2.3"),
    (
        VIDEO_ONLY,
        "lora",
        layers(),
        "has no audio-attention targets (4 video targets)",
        "load it with Load LoRA",
    ),
    (
        id_lora(),
        "lora",
        {"blocks.0.attn": (4, 4)},
        "is not an LTX-2 audio-video model",
        "connect an LTX-2.3 model",
    ),
    (
        id_lora(),
        "lora",
        dict.fromkeys(layers(), (96, 96)),
        "for a model of another size",
        "4->4 in the file",
    ),
    (
        id_lora() | gate(),
        "lora",
        layers(gated=False),
        "is for LTX-2.3 by its shapes",
        "model is LTX-2",
    ),
    (
        id_lora(),
        "ltx-2.3-id",
        layers(gated=False),
        "is for LTX-2.3 by its file name",
        "or rename the file",
    ),
    (
        id_lora(),
        "ltx-2-19b-id",
        layers(),
        "is for LTX-2 by its file name",
        "choose an ID-LoRA for LTX-2.3",
    ),
    (
        {
            key.replace("blocks.1", f"blocks.{n}"): value
            for n in range(1, 9)
            for key, value in id_lora().items()
        },
        "lora",
        layers(),
        "is for another model (this one has 12 of its 54 targets",
        "choose an ID-LoRA for LTX-2.3",
    ),
]


@pytest.mark.parametrize(("tensors", "name", "model", "what", "choose"), MISFITS)
def test_loras_that_do_not_fit_are_refused_in_one_sentence(save, tensors, name, model, what, choose):
    lora = read_lora(save(tensors, f"{name}.safetensors"))
    with pytest.raises(ValueError) as refusal:
        match(lora, model)
    subject = "The connected model" if "not an LTX-2" in what else f"{name}.safetensors"
    assert_one_sentence(str(refusal.value), what, subject)
    assert choose in str(refusal.value)


@pytest.mark.parametrize("strength", [float("nan"), float("inf"), -float("inf"), 1e9, -11])
def test_absurd_strengths_are_refused(strength):
    with pytest.raises(ValueError, match=r"use a number from -10 to 10 \(1 as trained\)"):
        checked_strength(strength)


@given(text=st.text(max_size=60), config=st.binary(max_size=200))
def test_any_settings_file_raises_nothing_but_value_error(tmp_path_factory, text, config):
    folder = tmp_path_factory.getbasetemp()
    save_file(id_lora(**PEFT), folder / "adapter.safetensors", metadata={"lora_adapter_metadata": text})
    (folder / "adapter_config.json").write_bytes(config)
    with pytest.raises(ValueError):
        read_lora(folder / "adapter.safetensors")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
SETTINGS = ("r", "lora_alpha", "rank_pattern", "alpha_pattern", "use_rslora", "use_dora", "peft_type", "bias")


@given(config=st.dictionaries(st.sampled_from(SETTINGS), JSON_VALUES, max_size=4))
def test_any_settings_raise_nothing_but_value_error(tmp_path_factory, config):
    folder = tmp_path_factory.getbasetemp()
    save_file(id_lora(**PEFT), folder / "adapter.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(config))
    try:
        read_lora(folder / "adapter.safetensors")
    except ValueError as refusal:
        assert "\n" not in str(refusal)
