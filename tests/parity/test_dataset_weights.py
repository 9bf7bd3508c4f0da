"""What a dataset's cache knows its models by."""

import importlib

import torch
from comfy.model_patcher import ModelPatcher

from support import vaes

CPU = torch.device("cpu")


def digest(patcher) -> str:
    return importlib.import_module("idlora_pack.nodes.host.fingerprints").weights_digest(patcher)


def layer(seed: int = 0) -> ModelPatcher:
    torch.manual_seed(seed)
    return ModelPatcher(torch.nn.Linear(8, 8), CPU, CPU)


def patched(value: float, strength: float) -> ModelPatcher:
    patcher = layer()
    patcher.add_patches({"weight": ("diff", (torch.full((8, 8), value),))}, strength)
    return patcher


def test_equal_weights_are_equal_and_others_are_not():
    assert digest(layer()) == digest(layer()) == digest(layer().clone()) != digest(layer(1))


def test_a_lora_on_them_counts():
    digests = [
        digest(layer()),
        digest(patched(1.0, 1.0)),
        digest(patched(2.0, 1.0)),
        digest(patched(1.0, 0.5)),
    ]
    assert len(set(digests)) == 4 and digest(patched(1.0, 1.0)) == digests[1]


def test_a_vae_is_the_same_when_it_is_loaded_again(checkpoint):
    assert digest(vaes.audio_vae(checkpoint).patcher) == digest(vaes.audio_vae(checkpoint).patcher)
    assert digest(vaes.audio_vae(checkpoint).patcher) != digest(layer())
