"""What is read off a MODEL of the real host."""

import importlib

import pytest


@pytest.fixture(scope="module")
def variant_of(pack):
    return importlib.import_module(f"{pack.__name__}.nodes.host.variant").variant_of


def test_family(variant_of, model, checkpoint):
    assert str(variant_of(model).family) == ("LTX-2.3" if "23" in checkpoint.stem else "LTX-2")


@pytest.mark.parametrize("removed", ["to_gate_logits", "audio_prompt_adaln_single"])
def test_cross_attention_modulation_alone_does_not_make_it_ltx_2_3(variant_of, small_models, removed):
    import comfy.sd
    import torch

    path = small_models / "checkpoints" / "small_ltx23.safetensors"
    model = comfy.sd.load_checkpoint_guess_config(str(path), output_vae=False, output_clip=False)[0]
    assert model is not None
    network = model.model.diffusion_model
    assert network.cross_attention_adaln
    for name in [name for name, _ in network.named_modules()]:
        if name.rpartition(".")[2] == removed.rpartition(".")[2]:
            network.set_submodule(name, torch.nn.Identity())
    assert str(variant_of(model).family) == "an unknown LTX family"


def test_the_file_name_is_the_evidence(variant_of, small_models):
    import comfy.sd

    path = small_models / "checkpoints" / "ltx-2.3-22b-dev-fp8.safetensors"
    model = comfy.sd.load_checkpoint_guess_config(str(path), output_vae=False, output_clip=False)[0]
    variant = variant_of(model)
    assert variant.distilled is False and variant.evidence == path.name


def test_a_distilled_lora_is_seen(variant_of, model):
    import torch
    from comfy.weight_adapter import LoRAAdapter

    patched = model.clone()
    key = "diffusion_model.transformer_blocks.0.attn1.to_q.weight"
    width = model.model.state_dict()[key].shape[0]
    weights = (torch.zeros(width, 384), torch.zeros(384, width), None, None, None, None)
    assert patched.add_patches({key: LoRAAdapter(set(), weights)}, 1.0)
    assert variant_of(patched).distilled and not variant_of(model).distilled


def test_a_shift_node_that_keeps_sigma_is_no_mismatch_and_one_that_does_not_is(variant_of, model):
    import comfy.model_sampling

    assert variant_of(model).sigma_is_timestep

    class Scaled(comfy.model_sampling.ModelSamplingDiscreteFlow, comfy.model_sampling.CONST):
        pass

    sampling = Scaled(model.model.model_config)
    sampling.set_parameters(shift=3.0, multiplier=1000)
    shifted = model.clone()
    shifted.add_object_patch("model_sampling", sampling)
    assert not variant_of(shifted).sigma_is_timestep
