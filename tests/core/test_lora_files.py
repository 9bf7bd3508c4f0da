"""LoRA files by their headers: what is read from them, and for which model they are."""

import json
import struct
import tracemalloc

import pytest
import torch

from bed.made_loras import RANK, id_lora, layers, pair
from idlora_core.families import file_family
from idlora_core.lora.convert import tensor_name
from idlora_core.lora.files import AUDIO_PARTS, BRIDGE_PARTS, VIDEO_PARTS, fingerprint, read_lora
from idlora_core.lora.match import match


def test_summary_of_the_official_layout(save):
    lora = read_lora(save(id_lora()))
    assert (lora.layout, len(lora.targets), lora.ranks, lora.blocks) == ("official", 12, (RANK,), 2)
    assert [lora.count(parts) for parts in (AUDIO_PARTS, BRIDGE_PARTS, VIDEO_PARTS)] == [8, 4, 0]
    assert "12 targets in 2 blocks" in str(lora)
    assert "LTX-2 or LTX-2.3 (their shapes are the same)" in str(lora)


def test_numbers_of_one_are_singular(save):
    lora = read_lora(save(pair("transformer_blocks.0.audio_attn1.to_q", (4, 4))))
    assert "LoRA of 1 target in 1 block (" in str(lora)


@pytest.mark.parametrize(("rank", "kind"), [(RANK, "a LoRA of another kind"), (384, "a distilled LoRA")])
def test_a_lora_that_changes_video_self_attention_is_told_from_an_id_lora(save, rank, kind):
    lora = read_lora(save(id_lora(parts=("attn1", "audio_attn1"), rank=rank)))
    assert f"Probably {kind}, not an ID-LoRA" in str(match(lora, layers()))
    assert not read_lora(save(id_lora(rank=rank))).notes


MODULE = "transformer_blocks.3.audio_attn1.to_out.0"


@pytest.mark.parametrize(
    ("key", "layout", "role"),
    [
        (f"diffusion_model.{MODULE}.lora_A.weight", "official", "down"),
        (f"diffusion_model.{MODULE}.lora_B.weight", "official", "up"),
        (f"{MODULE}.lora_A", "bare", "down"),
        (f"{MODULE}.lora_B.default.weight", "bare", "up"),
        (f"base_model.model.{MODULE}.lora_A.weight", "PEFT", "down"),
        (f"base_model.model.{MODULE}.lora_A.voice.weight", "PEFT", "down"),
        (f"base_model.model.model.{MODULE}.lora_A.weight", "PEFT", "down"),
        (f"base_model.model.model.diffusion_model.{MODULE}.lora_A.weight", "PEFT", "down"),
        (f"base_model.model.velocity_model.{MODULE}.lora_magnitude_vector", "PEFT", "magnitude"),
        (f"base_model.model.{MODULE}.lora_magnitude_vector.weight", "PEFT", "magnitude"),
        (f"base_model.model.{MODULE}.lora_magnitude_vector.default", "PEFT", "magnitude"),
        (f"base_model.model.{MODULE}.lora_magnitude_vector.default.weight", "PEFT", "magnitude"),
        (f"transformer.{MODULE}.lora_A.weight", "diffusers", "down"),
        (f"transformer.{MODULE}.lora.up.weight", "diffusers", "up"),
        (f"diffusion_model.{MODULE}.lora_down.weight", "official", "down"),
        (f"diffusion_model.{MODULE}.dora_scale", "official", "magnitude"),
        (f"diffusion_model.{MODULE}.alpha", "official", "alpha"),
        ("lora_unet_transformer_blocks_3_audio_attn1_to_out_0.lora_down.weight", "kohya", "down"),
        ("lycoris_transformer_blocks_3_audio_attn1_to_out_0.alpha", "kohya", "alpha"),
    ],
)
def test_key_layouts(key, layout, role):
    name = tensor_name(key)
    assert name is not None
    assert (name.module, name.layout, name.role) == (MODULE, layout, role)


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
        ("model." * 80 + "proj_out", "proj_out"),
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
    assert "all match the model (LTX-2.3)" in str(fit)


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
        "12 match the model (LTX-2.3), the others (text_embedding_projection.linear, ...) do nothing"
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


def test_of_a_large_file_only_the_header_is_read(tmp_path):
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
    tracemalloc.start()
    lora = read_lora(path)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(lora.targets), lora.blocks, lora.ranks) == (864, 48, (128,))
    assert most_bytes < 20e6


@pytest.mark.parametrize(
    ("shapes", "metadata", "name", "expected"),
    [
        ({}, {}, "lora_weights.safetensors", "for LTX-2 or LTX-2.3 (their shapes are the same)"),
        ({}, {}, "ltx-2.3-id-lora-talkvid-3k.safetensors", "for LTX-2.3 by its file name"),
        ({}, {}, "my_LTX2.3_voice.safetensors", "for LTX-2.3 by its file name"),
        ({}, {}, "ltx-2-19b-voice.safetensors", "for LTX-2 by its file name"),
        ({}, {}, "ltx-2-id-lora-3k.safetensors", "for LTX-2 or LTX-2.3 (their shapes are the same)"),
        ({}, {}, "ltx-2.5-voice.safetensors", "for LTX-2 or LTX-2.3 (their shapes are the same)"),
        ({}, {}, "from-19b-to-22b.safetensors", "for LTX-2 or LTX-2.3 (their shapes are the same)"),
        ({}, {"ss_ltx_version": "2.0"}, "ltx-2.3.safetensors", "for LTX-2 by its metadata"),
        ({}, {"base_model_name_or_path": "Lightricks/LTX-2.3"}, "x", "for LTX-2.3 by its metadata"),
        (
            {"transformer_blocks.0.attn1.to_gate_logits": (32, 4096)},
            {},
            "19b",
            "for LTX-2.3 by its shapes",
        ),
        ({"adaln_single.linear": (9 * 4096, 4096)}, {}, "x", "for LTX-2.3 by its shapes"),
        ({"adaln_single.linear": (6 * 4096, 4096)}, {}, "x", "for LTX-2 by its shapes"),
        ({"caption_projection.linear_1": (4096, 3840)}, {}, "x", "for LTX-2 by its shapes"),
    ],
)
def test_family(shapes, metadata, name, expected):
    assert str(file_family(shapes, metadata, name)) == expected
