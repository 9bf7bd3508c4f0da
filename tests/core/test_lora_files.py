"""LoRA files by their headers: what is read from them, what is refused and in which words."""

import json
import struct
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch.nn.functional import normalize

from idlora_core.lora.convert import tensor_name
from idlora_core.lora.dora import dora_weight
from idlora_core.lora.family import file_family
from idlora_core.lora.files import fingerprint, read_lora
from idlora_core.lora.match import checked_strength, match

RANK, VIDEO, AUDIO = 2, 8, 4
WIDTHS = {  # part of a block: (width it reads, width it writes)
    "attn1": (VIDEO, VIDEO),
    "audio_attn1": (AUDIO, AUDIO),
    "audio_attn2": (AUDIO, AUDIO),
    "audio_to_video_attn": (VIDEO, VIDEO),
}
OFFICIAL = "diffusion_model."


def layers(blocks=2, gated=True):
    """Linear layers of a model of this size, as the host adapter would list them."""
    names = {}
    for block in range(blocks):
        for part, (read, written) in WIDTHS.items():
            for linear in ("to_q", "to_k"):
                names[f"transformer_blocks.{block}.{part}.{linear}"] = (written, read)
            if gated:
                names[f"transformer_blocks.{block}.{part}.to_gate_logits"] = (2, read)
    return names


def pair(module, shape, prefix=OFFICIAL, down="lora_A", up="lora_B", rank=RANK):
    return {
        f"{prefix}{module}.{down}.weight": torch.randn(rank, shape[1]),
        f"{prefix}{module}.{up}.weight": torch.randn(shape[0], rank),
    }


def id_lora(parts=("audio_attn1", "audio_attn2", "audio_to_video_attn"), **options):
    tensors = {}
    for module, shape in layers(gated=False).items():
        if module.split(".")[2] in parts:
            tensors |= pair(module, shape, **options)
    return tensors


@pytest.fixture
def save(tmp_path):
    def write(tensors, name="lora.safetensors", metadata=None, config=None):
        save_file(tensors, tmp_path / name, metadata=metadata)
        if config is not None:
            text = config if isinstance(config, str) else json.dumps(config)
            (tmp_path / "adapter_config.json").write_text(text)
        return tmp_path / name

    return write


# Reading


def test_summary_of_the_official_layout(save):
    summary = read_lora(save(id_lora())).summary
    assert (summary.layout, summary.targets, summary.ranks, summary.blocks) == ("official", 12, (RANK,), 2)
    assert (summary.audio_targets, summary.bridge_targets, summary.video_targets) == (8, 4, 0)
    assert "12 targets in 2 blocks" in str(summary)
    assert "LTX-2 or LTX-2.3 (their shapes are the same)" in str(summary)


MODULE = "transformer_blocks.3.audio_attn1.to_out.0"


@pytest.mark.parametrize(
    ("key", "layout", "role", "adapter"),
    [
        (f"diffusion_model.{MODULE}.lora_A.weight", "official", "down", ""),
        (f"diffusion_model.{MODULE}.lora_B.weight", "official", "up", ""),
        (f"{MODULE}.lora_A", "bare", "down", ""),
        (f"{MODULE}.lora_B.default.weight", "bare", "up", "default"),
        (f"base_model.model.{MODULE}.lora_A.weight", "PEFT", "down", ""),
        (f"base_model.model.{MODULE}.lora_A.voice.weight", "PEFT", "down", "voice"),
        (f"base_model.model.model.{MODULE}.lora_A.weight", "PEFT", "down", ""),
        (f"base_model.model.model.diffusion_model.{MODULE}.lora_A.weight", "PEFT", "down", ""),
        (f"base_model.model.velocity_model.{MODULE}.lora_magnitude_vector", "PEFT", "magnitude", ""),
        (f"base_model.model.{MODULE}.lora_magnitude_vector.weight", "PEFT", "magnitude", ""),
        (f"base_model.model.{MODULE}.lora_magnitude_vector.default", "PEFT", "magnitude", "default"),
        (f"base_model.model.{MODULE}.lora_magnitude_vector.default.weight", "PEFT", "magnitude", "default"),
        (f"transformer.{MODULE}.lora_A.weight", "diffusers", "down", ""),
        (f"transformer.{MODULE}.lora.up.weight", "diffusers", "up", ""),
        (f"diffusion_model.{MODULE}.lora_down.weight", "official", "down", ""),
        (f"diffusion_model.{MODULE}.dora_scale", "official", "magnitude", ""),
        (f"diffusion_model.{MODULE}.alpha", "official", "alpha", ""),
        ("lora_unet_transformer_blocks_3_audio_attn1_to_out_0.lora_down.weight", "kohya", "down", ""),
        ("lycoris_transformer_blocks_3_audio_attn1_to_out_0.alpha", "kohya", "alpha", ""),
    ],
)
def test_key_layouts(key, layout, role, adapter):
    name = tensor_name(key)
    assert name is not None
    assert (name.module, name.layout, name.role, name.adapter) == (MODULE, layout, role, adapter)


@pytest.mark.parametrize(
    ("stem", "module"),
    [
        ("transformer.proj_in", "patchify_proj"),
        ("transformer.audio_time_embed.linear", "audio_adaln_single.linear"),
        ("transformer.av_cross_attn_video_a2v_gate.linear", "av_ca_a2v_gate_adaln_single.linear"),
        ("transformer.transformer_blocks.0.audio_ff.net.0.proj", "transformer_blocks.0.audio_ff.net.0.proj"),
        ("lora_unet_transformer_blocks_47_audio_ff_net_0_proj", "transformer_blocks.47.audio_ff.net.0.proj"),
        (
            "lora_unet_video_to_audio_attn_to_q",
            "lora_unet_video_to_audio_attn_to_q",
        ),  # cannot be told: left alone
        ("model." * 5000 + "proj_out", "proj_out"),
    ],
)
def test_module_names(stem, module):
    name = tensor_name(f"{stem}.lora_A.weight")
    assert name is not None
    assert name.module == module


@pytest.mark.parametrize(
    "key",
    [
        "x.lora_B.bias",
        "x.lora_B.default.bias",
        "x.lora_embedding_A",
        "x.weight",
        "x.lokr_w1",
        "x.hada_w1_a",
        "x.diff",
    ],
)
def test_keys_that_are_no_lora(key):
    assert tensor_name(key) is None


@pytest.mark.parametrize(
    ("prefix", "down", "up"),
    [
        ("", "lora_A", "lora_B"),
        ("transformer.", "lora_A", "lora_B"),
        ("base_model.model.", "lora_A.default", "lora_B.default"),
        ("diffusion_model.", "lora_down", "lora_up"),
    ],
)
def test_every_layout_matches_the_model(save, prefix, down, up):
    fit = match(read_lora(save(id_lora(prefix=prefix, down=down, up=up))), layers())
    assert len(fit.matched) == 12
    assert not fit.missing
    assert "all match the LTX-2.3 22B model" in str(fit)


def test_kohya_alpha_is_read_from_the_file(save):
    tensors = pair("lora_unet_transformer_blocks_0_audio_attn1_to_q", (4, 4), "", "lora_down", "lora_up")
    tensors["lora_unet_transformer_blocks_0_audio_attn1_to_q.alpha"] = torch.tensor(0.5, dtype=torch.bfloat16)
    (target,) = read_lora(save(tensors)).targets
    assert (target.module, target.alpha) == ("transformer_blocks.0.audio_attn1.to_q", 0.5)


def test_official_files_have_no_alpha(save):
    config = {"r": RANK, "lora_alpha": 99}  # belongs to some other file in the folder
    assert {target.alpha for target in read_lora(save(id_lora(), config=config)).targets} == {None}


def test_peft_without_settings_says_that_alpha_is_taken_to_be_the_rank(save):
    lora = read_lora(save(id_lora(prefix="base_model.model.")))
    assert {target.alpha for target in lora.targets} == {None}
    assert "no adapter_config.json beside it" in str(match(lora, layers()))


def test_diffusers_settings_in_the_metadata(save):
    settings = {"transformer.r": RANK, "transformer.lora_alpha": 7, "transformer.alpha_pattern": {"to_k": 3}}
    metadata = {"lora_adapter_metadata": json.dumps(settings)}
    lora = read_lora(save(id_lora(prefix="transformer."), metadata=metadata))
    assert {(target.module.rpartition(".")[2], target.alpha) for target in lora.targets} == {
        ("to_q", 7),
        ("to_k", 3),
    }


def test_targets_that_the_model_lacks_are_told(save):
    tensors = id_lora() | pair("text_embedding_projection.linear", (4, 4), "")
    fit = match(read_lora(save(tensors)), layers())
    assert fit.missing == ("text_embedding_projection.linear",)
    assert (
        "12 match the LTX-2.3 22B model, the others (text_embedding_projection.linear, ...) do nothing"
        in str(fit)
    )


def test_fingerprint_follows_the_file_and_its_settings(save, tmp_path):
    assert fingerprint(tmp_path / "absent.safetensors") == ""
    path = save(id_lora())
    first = fingerprint(path)
    assert fingerprint(path) == first
    (tmp_path / "adapter_config.json").write_text("{}")
    second = fingerprint(path)
    save(id_lora(rank=3))
    assert len({first, second, fingerprint(path)}) == 3


def test_a_large_file_is_read_in_no_time(tmp_path):
    """The real file: 1728 tensors, 1.16 GB. Only the header is there; the rest is a hole."""
    entries, position = {}, 0
    for block in range(48):
        for target in range(18):
            for half in "AB":
                name = f"diffusion_model.transformer_blocks.{block}.audio_attn1.x{target}.lora_{half}.weight"
                shape = [128, 2600] if half == "A" else [2600, 128]
                size = 128 * 2600 * 2
                entries[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [position, position + size]}
                position += size
    text = json.dumps(entries).encode()
    path = tmp_path / "large.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + position)
    assert path.stat().st_size > 1.1e9
    times = []
    for _ in range(3):
        start = time.perf_counter()
        lora = read_lora(path)
        times.append(time.perf_counter() - start)
    assert (lora.summary.targets, lora.summary.blocks, lora.summary.ranks) == (864, 48, (128,))
    assert min(times) < 0.05


# Family


@pytest.mark.parametrize(
    ("shapes", "metadata", "name", "expected"),
    [
        ({}, {}, "lora_weights.safetensors", "for LTX-2 or LTX-2.3 (their shapes are the same)"),
        ({}, {}, "ltx-2.3-id-lora-talkvid-3k.safetensors", "for LTX-2.3 22B by its file name"),
        ({}, {}, "my_LTX2.3_voice.safetensors", "for LTX-2.3 22B by its file name"),
        ({}, {}, "ltx-2-19b-voice.safetensors", "for LTX-2 19B by its file name"),
        ({}, {}, "ltx-2-id-lora-3k.safetensors", "for LTX-2 or LTX-2.3 (their shapes are the same)"),
        ({}, {}, "ltx-2.5-voice.safetensors", "for LTX-2 or LTX-2.3 (their shapes are the same)"),
        ({}, {}, "from-19b-to-22b.safetensors", "for LTX-2 or LTX-2.3 (their shapes are the same)"),
        ({}, {"ss_ltx_version": "2.0"}, "ltx-2.3.safetensors", "for LTX-2 19B by its metadata"),
        ({}, {"base_model_name_or_path": "Lightricks/LTX-2.3"}, "x", "for LTX-2.3 22B by its metadata"),
        (
            {"transformer_blocks.0.attn1.to_gate_logits": (32, 4096)},
            {},
            "19b",
            "for LTX-2.3 22B by its shapes",
        ),
        ({"adaln_single.linear": (9 * 4096, 4096)}, {}, "x", "for LTX-2.3 22B by its shapes"),
        ({"adaln_single.linear": (6 * 4096, 4096)}, {}, "x", "for LTX-2 19B by its shapes"),
        ({"caption_projection.linear_1": (4096, 3840)}, {}, "x", "for LTX-2 19B by its shapes"),
    ],
)
def test_family(shapes, metadata, name, expected):
    assert str(file_family(shapes, metadata, name)) == expected


def assert_one_sentence(text, words, name):
    assert words in text
    assert name in text
    assert "\n" not in text
    assert text.endswith(".")
    assert len(text) < 400


# Refusals: LoRAs


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
        "has a LoRA part that is no matrix",
    ),
    (id_lora(rank=0), None, "has a LoRA part that is no matrix"),
    (
        id_lora() | {f"{FIRST}.lora_A.weight": torch.zeros(2, 4, dtype=torch.int8)},
        None,
        "is stored as I8",
    ),
    (id_lora() | {f"{FIRST}.alpha": torch.tensor(float("nan"))}, None, "has an alpha of nan"),
    (id_lora() | {f"{FIRST}.alpha": torch.tensor(0.0)}, None, "has an alpha of 0.0"),
    (id_lora() | {f"{FIRST}.alpha": torch.zeros(3)}, None, "has an alpha that is no single number"),
    (id_lora() | {f"{FIRST}.dora_scale": torch.zeros(5)}, None, "has a DoRA magnitude of the wrong shape"),
    (id_lora() | {f"{FIRST}.lokr_w1": torch.zeros(2, 2)}, None, "holds more than a LoRA"),
    (
        id_lora(**PEFT) | {"base_model.model.proj_out.weight": torch.zeros(2)},
        {"r": RANK},
        "holds more than a LoRA",
    ),
    (id_lora() | {f"{FIRST}.lora_B.bias": torch.zeros(4)}, None, "holds more than a LoRA"),
    (twice(id_lora()), None, "holds two LoRAs"),
    (id_lora(**PEFT), "{", "adapter_config.json beside lora.safetensors is no JSON"),
    (id_lora(**PEFT), "[]", "is no JSON object"),
    (id_lora(**PEFT), {"r": "x"}, "r is x; it must be a number other than 0"),
    (id_lora(**PEFT), {"r": RANK, "lora_alpha": float("nan")}, "lora_alpha is nan"),
    (id_lora(**PEFT), {"r": 16}, "says rank 16 for transformer_blocks.0.audio_attn1.to_k, the file has 2"),
    (id_lora(**PEFT), {"r": RANK, "rank_pattern": {"(": 4}}, "rank_pattern holds no regular expression"),
    (
        id_lora(**PEFT),
        {"r": RANK, "rank_pattern": [4]},
        "rank_pattern is [4]; it must map module names to numbers",
    ),
    (id_lora(**PEFT), {"r": RANK, "alpha_pattern": {"to_q": None}}, "alpha_pattern is None"),
    (id_lora(**PEFT), {"r": RANK, "use_rslora": "yes"}, "use_rslora is yes; it must be true or false"),
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
    (FLUX, "lora", layers(), "matches nothing on this model", "choose an ID-LoRA for LTX-2.3 22B"),
    (VIDEO_ONLY, "lora", layers(), "has no audio-attention targets (4 video targets)", "LoraLoaderModelOnly"),
    (id_lora(), "lora", {"blocks.0.attn": (4, 4)}, "is no LTX-2 with sound", "connect an LTX-2.3 model"),
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
        "is for LTX-2.3 22B by its shapes",
        "model is LTX-2 19B",
    ),
    (
        id_lora(),
        "ltx-2.3-id",
        layers(gated=False),
        "is for LTX-2.3 22B by its file name",
        "or rename the file",
    ),
    (
        id_lora(),
        "ltx-2-19b-id",
        layers(),
        "is for LTX-2 19B by its file name",
        "choose an ID-LoRA for LTX-2.3 22B",
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
        "choose an ID-LoRA for LTX-2.3 22B",
    ),
]


@pytest.mark.parametrize(("tensors", "name", "model", "what", "choose"), MISFITS)
def test_loras_that_do_not_fit_are_refused_in_one_sentence(save, tensors, name, model, what, choose):
    lora = read_lora(save(tensors, f"{name}.safetensors"))
    with pytest.raises(ValueError) as refusal:
        match(lora, model)
    subject = "The connected model" if "no LTX-2" in what else f"{name}.safetensors"
    assert_one_sentence(str(refusal.value), what, subject)
    assert choose in str(refusal.value)


@pytest.mark.parametrize("strength", [float("nan"), float("inf"), -float("inf"), 1e9, -11])
def test_absurd_strengths_are_refused(strength):
    with pytest.raises(ValueError, match=r"use a number from -10 to 10 \(1 as trained\)"):
        checked_strength(strength)


# Properties


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


# DoRA


@pytest.mark.parametrize("magnitude_shape", [(3,), (3, 1), (1, 5)])
def test_dora_gives_rows_or_columns_the_norm_of_the_magnitude(magnitude_shape):
    weight, delta, magnitude = torch.randn(3, 5), torch.randn(3, 5), torch.rand(magnitude_shape)
    merged = dora_weight(weight, delta, magnitude)
    dim = 0 if magnitude_shape == (1, 5) else 1
    torch.testing.assert_close(merged.norm(dim=dim), magnitude.flatten())
    torch.testing.assert_close(normalize(merged, dim=dim), normalize(weight + delta, dim=dim))


def test_dora_strength_goes_from_the_weight_to_the_trained_one():
    weight, delta, magnitude = torch.randn(3, 5), torch.randn(3, 5), torch.rand(3)
    trained = dora_weight(weight, delta, magnitude)
    assert torch.equal(dora_weight(weight, delta, magnitude, 0.0), weight)
    torch.testing.assert_close(dora_weight(weight, delta, magnitude, 0.5), (weight + trained) / 2)


def test_dora_leaves_inputs_alone_and_survives_empty_rows():
    weight, delta, magnitude = torch.randn(3, 5), torch.randn(3, 5), torch.rand(3)
    weight[1], delta[1] = 0, 0
    copies = [tensor.clone() for tensor in (weight, delta, magnitude)]
    merged = dora_weight(weight, delta, magnitude)
    assert all(map(torch.equal, (weight, delta, magnitude), copies))
    assert torch.equal(merged[1], torch.zeros(5))
    assert merged.isfinite().all()
