"""What is read off a MODEL of the real host."""

import comfy.model_sampling
import comfy.sd
import torch
from comfy.weight_adapter import LoRAAdapter

from idlora_pack.nodes.host.regime import regime_of


def test_family(model, checkpoint):
    assert regime_of(model).family == ("LTX-2.3" if "23" in checkpoint.stem else "LTX-2")


def test_the_file_name_is_the_evidence(small_models):
    path = small_models / "checkpoints" / "ltx-2.3-22b-dev-fp8.safetensors"
    model = comfy.sd.load_checkpoint_guess_config(str(path), output_vae=False, output_clip=False)[0]
    assert model
    regime = regime_of(model)
    assert regime.distilled is False and regime.evidence == path.name


def test_a_distilled_lora_is_seen(model):
    patched = model.clone()
    key = "diffusion_model.transformer_blocks.0.attn1.to_q.weight"
    width = model.model.state_dict()[key].shape[0]
    weights = (torch.zeros(width, 384), torch.zeros(384, width), None, None, None, None)
    assert patched.add_patches({key: LoRAAdapter(set(), weights)}, 1.0)
    assert regime_of(patched).distilled and not regime_of(model).distilled


def test_a_shift_node_that_keeps_sigma_is_no_mismatch_and_one_that_does_not_is(model):
    assert regime_of(model).sigma_is_timestep

    class Scaled(comfy.model_sampling.ModelSamplingDiscreteFlow, comfy.model_sampling.CONST):
        pass

    sampling = Scaled(model.model.model_config)
    sampling.set_parameters(shift=3.0, multiplier=1000)
    shifted = model.clone()
    shifted.add_object_patch("model_sampling", sampling)
    assert not regime_of(shifted).sigma_is_timestep
