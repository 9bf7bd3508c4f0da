"""What of a voice is on a MODEL of the real host, with LoRA files put on by its own loader."""

import importlib

import pytest
import torch

ID_LORA, DISTILLED = "ltx-2.3-id-lora-talkvid-3k", "ltx-2.3-22b-distilled-lora-384-1.1"


@pytest.fixture(scope="module")
def voice(pack):
    return importlib.import_module(f"{pack.__name__}.nodes.host.voice_on_model")


@pytest.fixture(scope="module")
def with_loras(pack, small_models):
    """The LTX-2.3 model with LoRA files on it: (name and strength of each) -> MODEL."""
    import comfy.sd
    import comfy.utils

    path = small_models / "checkpoints" / "small_ltx23.safetensors"
    model = comfy.sd.load_checkpoint_guess_config(str(path), output_vae=False, output_clip=False)[0]

    def put(*loras):
        patched = model
        for name, strength in loras:
            weights = comfy.utils.load_torch_file(str(small_models / "loras" / f"{name}.safetensors"))
            patched, _ = comfy.sd.load_lora_for_models(patched, None, weights, strength, 0)
        return patched

    return put


@pytest.mark.parametrize(
    ("loras", "found"),
    [
        ([], False),
        ([(ID_LORA, 1.0)], True),
        ([(ID_LORA, 0.0)], False),
        ([(DISTILLED, 1.0)], False),
        ([(DISTILLED, 0.25), (ID_LORA, 1.0)], True),
        ([(ID_LORA, 1.0), (DISTILLED, 0.25)], True),
    ],
)
def test_an_id_lora_is_told_from_a_distilled_one(voice, with_loras, loras, found):
    assert voice.has_id_lora(with_loras(*loras)) is found


def test_a_sound_is_kept_where_the_mask_keeps_all_of_it(voice):
    from comfy.nested_tensor import NestedTensor

    some = torch.zeros(1, 8, 4, 16)
    some[:, :, 2:] = 1
    assert voice.keeps_sound(
        {"noise_mask": NestedTensor((torch.ones(1, 1, 2, 1, 1), torch.zeros(1, 8, 4, 16)))}
    )
    assert not voice.keeps_sound({"noise_mask": NestedTensor((torch.zeros(1, 1, 2, 1, 1), some))})
    assert not voice.keeps_sound({})
