"""LoRA and DoRA adapters against the package peft: the host's patched weights are the ones that PEFT merges."""

import copy
import json
from typing import Any

import peft
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from torch import nn

TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "net.0.proj", "net.2"]


class Attention(nn.Module):
    def __init__(self, read: int, written: int):
        super().__init__()
        self.to_q = nn.Linear(written, written)
        self.to_k, self.to_v = nn.Linear(read, written), nn.Linear(read, written)
        self.to_out = nn.Sequential(nn.Linear(written, written), nn.Dropout(0.0))


class FeedForward(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        expand = nn.Module()
        expand.proj = nn.Linear(width, 4 * width)
        self.net = nn.Sequential(expand, nn.Dropout(0.0), nn.Linear(4 * width, width))


class Block(nn.Module):
    """Linear layers named as in an audio-video block of LTX-2."""

    def __init__(self, video: int, audio: int):
        super().__init__()
        self.audio_attn1, self.audio_attn2 = Attention(audio, audio), Attention(audio, audio)
        self.audio_to_video_attn = Attention(audio, video)
        self.video_to_audio_attn = Attention(video, audio)
        self.audio_ff = FeedForward(audio)


class Network(nn.Module):
    def __init__(self, blocks: int = 2, video: int = 24, audio: int = 16):
        super().__init__()
        self.transformer_blocks = nn.ModuleList(Block(video, audio) for _ in range(blocks))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class Inside(nn.Module):
    """A model that holds the network under another name, as trainers do."""

    def __init__(self, name: str, network: nn.Module):
        super().__init__()
        self.add_module(name, network)


@pytest.fixture(scope="module", autouse=True)
def _deterministic():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def merge(pack, tmp_path, monkeypatch):
    """Load a file with Load ID-LoRA's own path and give the weights that the host's model patcher makes."""
    import folder_paths
    from comfy.model_patcher import ModelPatcher
    from idlora_pack.nodes.host.lora import apply_lora, fit_lora

    monkeypatch.setitem(folder_paths.folder_names_and_paths, "loras", ([str(tmp_path)], {".safetensors"}))

    def merged_by_host(network: nn.Module, strength: float = 1.0) -> dict[str, Any]:
        cpu = torch.device("cpu")
        model = ModelPatcher(Inside("diffusion_model", copy.deepcopy(network)), cpu, cpu)
        fit = fit_lora(model, "adapter_model.safetensors")
        assert not fit.missing
        patched = apply_lora(model, fit, strength)
        keys = patched.model.state_dict()
        weights = {key: patched.patch_weight_to_device(key, cpu, return_weight=True) for key in keys}
        return {key.removeprefix("diffusion_model."): weight for key, weight in weights.items()}

    return merged_by_host


def lora_config(**settings: Any) -> LoraConfig:
    settings.setdefault("target_modules", TARGETS)
    return LoraConfig(**settings)


def train(model: nn.Module, **config) -> PeftModel:
    """A PEFT adapter with no weight left at its initial value."""
    adapted = get_peft_model(model, lora_config(**config))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.5)
        if "magnitude" in name:
            parameter.data *= torch.empty_like(parameter).uniform_(0.5, 1.5)
    return adapted


def merged_by_peft(network: nn.Module, folder) -> dict[str, torch.Tensor]:
    """What PEFT makes of the files, by its own loading and merging."""
    return PeftModel.from_pretrained(copy.deepcopy(network), folder).merge_and_unload().state_dict()


def assert_same_weights(ours, theirs, original, rtol=0.0):
    assert ours.keys() == theirs.keys()
    changed = 0
    for key, expected in theirs.items():
        difference = torch.linalg.norm(ours[key] - expected) / torch.linalg.norm(expected)
        assert difference <= rtol, (key, float(difference))
        changed += not torch.equal(expected, original[key])
    assert changed > 0


NAMED = {"transformer_blocks.0.audio_attn1.to_k": 3, "audio_ff.net.2": 6}
REGULAR = {r"^transformer_blocks\.1\..*to_v": 9, "audio_attn.*to_q": 5, r".*\.to_out\.0": 2}
CONFIGS = {
    "plain": {"r": 4, "lora_alpha": 4},
    "alpha": {"r": 4, "lora_alpha": 7},
    "defaults": {},
    "rank_pattern": {"r": 4, "lora_alpha": 7, "rank_pattern": NAMED},
    "alpha_pattern": {"r": 4, "lora_alpha": 7, "alpha_pattern": NAMED},
    "regular_expressions": {
        "r": 4,
        "lora_alpha": 7,
        "rank_pattern": REGULAR,
        "alpha_pattern": REGULAR | NAMED,
    },
    "some_targets": {"r": 4, "target_modules": ["audio_attn1.to_q"], "fan_in_fan_out": True},
}
ROUNDED_CONFIGS = {
    "rslora": {"r": 5, "lora_alpha": 7, "use_rslora": True},
    "rslora_patterns": {"r": 5, "use_rslora": True, "rank_pattern": REGULAR, "alpha_pattern": NAMED},
    "dora": {"r": 4, "lora_alpha": 7, "use_dora": True},
    "dora_patterns": {"r": 4, "use_dora": True, "rank_pattern": NAMED, "alpha_pattern": REGULAR},
    "dora_rslora": {"r": 5, "lora_alpha": 3, "use_dora": True, "use_rslora": True},
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.filterwarnings("ignore:fan_in_fan_out")
def test_lora_is_bit_equal(network, merge, tmp_path, config):
    train(copy.deepcopy(network), **config).save_pretrained(tmp_path)
    assert_same_weights(merge(network), merged_by_peft(network, tmp_path), network.state_dict())


@pytest.mark.parametrize("config", ROUNDED_CONFIGS.values(), ids=ROUNDED_CONFIGS)
def test_rslora_and_dora_are_equal_to_rounding(network, merge, tmp_path, config):
    train(copy.deepcopy(network), **config).save_pretrained(tmp_path)
    assert_same_weights(merge(network), merged_by_peft(network, tmp_path), network.state_dict(), rtol=1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("use_dora", [False, True])
def test_half_precision_files(network, merge, tmp_path, dtype, use_dora):
    train(copy.deepcopy(network), r=4, lora_alpha=7, use_dora=use_dora).save_pretrained(tmp_path)
    file = tmp_path / "adapter_model.safetensors"
    save_file({key: tensor.to(dtype) for key, tensor in load_file(file).items()}, file)
    expected = merged_by_peft(network, tmp_path)
    assert_same_weights(merge(network), expected, network.state_dict(), rtol=1e-6 if use_dora else 0.0)


@pytest.mark.parametrize("inner", ["model", "diffusion_model", "velocity_model", "transformer"])
def test_models_that_were_trained_inside_another(network, merge, tmp_path, inner):
    """PEFT's patterns are matched against the trained model's names, so `^` is not at the block."""
    config = {"r": 4, "lora_alpha": 7, "rank_pattern": {rf"^{inner}\.transformer_blocks\.0\..*": 3}}
    trained = Inside(inner, copy.deepcopy(network))
    train(trained, **config).save_pretrained(tmp_path)
    expected = merged_by_peft(Inside(inner, network), tmp_path)
    expected = {key.removeprefix(f"{inner}."): weight for key, weight in expected.items()}
    assert_same_weights(merge(network), expected, network.state_dict())


@pytest.mark.parametrize("use_dora", [False, True])
def test_keys_that_still_hold_the_adapter_name(network, merge, tmp_path, use_dora):
    """What `torch` saves of a wrapped model: `lora_A.NAME.weight`."""
    adapted = get_peft_model(copy.deepcopy(network), lora_config(r=4, use_dora=use_dora), "voice")
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter)
    tensors = {key: tensor for key, tensor in adapted.state_dict().items() if "lora_" in key}
    assert any(key.endswith("lora_A.voice.weight") for key in tensors)
    save_file(tensors, tmp_path / "adapter_model.safetensors")
    adapted.peft_config["voice"].save_pretrained(tmp_path)
    expected = adapted.merge_and_unload(adapter_names=["voice"]).state_dict()
    assert_same_weights(merge(network), expected, network.state_dict(), rtol=1e-6 if use_dora else 0.0)


def test_diffusers_metadata_carries_the_same_settings(network, merge, tmp_path):
    """diffusers saves PEFT's config in the file, each key with its component's name before it."""
    train(copy.deepcopy(network), r=4, lora_alpha=7, alpha_pattern=NAMED).save_pretrained(tmp_path)
    expected = merged_by_peft(network, tmp_path)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    (tmp_path / "adapter_config.json").unlink()
    file = tmp_path / "adapter_model.safetensors"
    tensors = {
        key.replace("base_model.model.", "transformer."): tensor for key, tensor in load_file(file).items()
    }
    metadata = {"lora_adapter_metadata": json.dumps({f"transformer.{key}": config[key] for key in config})}
    save_file(tensors, file, metadata=metadata)
    assert_same_weights(merge(network), expected, network.state_dict())


@pytest.mark.parametrize("use_dora", [False, True])
@pytest.mark.parametrize("strength", [0.0, 0.3, -1.0, 2.0])
def test_strength_goes_along_the_line_from_the_weight_to_the_merged_one(
    network, merge, tmp_path, strength, use_dora
):
    train(copy.deepcopy(network), r=4, lora_alpha=7, use_dora=use_dora).save_pretrained(tmp_path)
    expected, original = merged_by_peft(network, tmp_path), network.state_dict()
    for key, weight in merge(network, strength).items():
        line = original[key] + strength * (expected[key] - original[key])
        torch.testing.assert_close(weight, line, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "config",
    [
        {"peft_type": "lokr"},
        {"modules_to_save": ["audio_attn1.to_q"], "target_modules": ["to_k"]},
        {"bias": "lora_only"},
        {"lora_bias": True},
        {"init_lora_weights": "pissa"},
        {"init_lora_weights": "olora"},
    ],
)
def test_adapters_that_do_more_than_lora_are_refused(network, merge, tmp_path, config):
    if config.pop("peft_type", None):
        adapted = get_peft_model(network, peft.LoKrConfig(r=4, target_modules=["to_q"]))
    else:
        adapted = train(copy.deepcopy(network), **config)
    adapted.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="adapter_model.safetensors"):
        merge(network)
