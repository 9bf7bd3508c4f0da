"""Writes small models of the real architecture with random weights, one folder as ComfyUI expects it.

    python -m support.small_models --comfy <ComfyUI tree> --out <models folder>

The real models (44 GB and 12 GB) fit on no test machine. These have every module, tensor name and
configuration key of LTX-2.3 and LTX-2.0 at small widths, so the host's loaders and the ltx-core package read
them as they read the real files, and they bear the real files' names, so the shipped workflows run on them
unchanged. Modules are built from the host's own classes; each tensor's values come from its name alone, so
two builds are equal. Configurations: small_models/*.json, the `config` metadata of the checkpoints.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import math
import os
import re
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from safetensors.torch import save_file
from torch import Tensor

from .text_encoder_double import small_gemma

StateDict = dict[str, Tensor]

CONFIGS = Path(__file__).with_suffix("")
TRANSFORMER = "model.diffusion_model."
LORA_RANK = 4
LOG_MEL_OF_SPEECH = -6.0  # subtracted as the encoder starts: else its output is mostly this constant
ID_LORA_TARGETS = re.compile(
    r"transformer_blocks\.\d+\.("
    r"(audio_attn1|audio_attn2|audio_to_video_attn|video_to_audio_attn)\.(to_q|to_k|to_v|to_out\.0)"
    r"|audio_ff\.net\.(0\.proj|2))\.weight"
)
UPSAMPLER_CONFIG = {
    "_class_name": "LatentUpsampler",
    "in_channels": 128,
    "mid_channels": 32,
    "num_blocks_per_stage": 1,
    "dims": 3,
    "spatial_upsample": True,
    "temporal_upsample": False,
    "spatial_scale": 2.0,
    "rational_resampler": False,
}


# --- Values ------------------------------------------------------------------------------------------------


def _plain(std: float, mean: float = 0.0) -> Callable[[Tensor], Tensor]:
    return lambda noise: mean + std * noise


def _scaled(gain: float) -> Callable[[Tensor], Tensor]:
    """Keeps the variance of a layer's input times gain squared."""
    return lambda noise: noise * (gain / math.sqrt(noise[0].numel()))


def _without_constant(gain: float) -> Callable[[Tensor], Tensor]:
    """A convolution that answers no constant: a random vocoder would else put a DC offset in the wave."""
    return lambda noise: _scaled(gain)(noise - noise.mean(-1, keepdim=True))


def _slow_frequencies(noise: Tensor) -> Tensor:
    """Weights on a sinusoidal embedding, fast sinusoids faint: trained models change slowly with sigma."""
    half = torch.arange(noise.shape[1] // 2) / (noise.shape[1] // 2)
    return _scaled(2.0)(noise * half.pow(4).repeat(2))


# First match wins. Nothing is zero: a zero table or gate would hide an input from the output.
RULES: list[tuple[str, Callable[[Tensor], Tensor]]] = [
    (r"std-of-means$", lambda noise: 0.6 + 0.1 * noise.clamp(-2, 2)),
    (r"mean-of-means$", _plain(0.1)),
    (r"^gemma\..*(layernorm|norm)\.weight$", _plain(0.05)),  # Gemma's norms add 1 themselves
    (r"attn2\.[qk]_norm\.weight$", _plain(0.05, mean=1.6)),  # sharp, or 1024 text tokens average to nothing
    (r"(norm\w*|layernorm\d?)\.weight$", _plain(0.05, mean=1.0)),
    (r"timestep_embedder\.linear_1\.weight$", _slow_frequencies),
    (r"\.to_[qk]\.weight$", _scaled(4.0)),  # far above the norms' eps, in which host and ltx-core differ
    (r"blocks\.\d+\.(audio_)?attn2\.to_out\.0\.weight$", _scaled(1.0)),
    (r"blocks\.\d+\..*(to_out\.0|ff\.net\.2)\.weight$", _scaled(0.4)),  # 48 of them add up
    (r"scale_shift_table", _plain(0.3)),
    (r"learnable_registers$", _plain(1.0)),
    (r"\.(alpha|beta)$", _plain(0.2)),
    (r"conv_post\.bias$", _plain(1e-4)),
    (r"bwe_generator\.conv_post\.weight$", _without_constant(0.02)),
    (r"^vocoder\.vocoder\.conv_post\.weight$", _without_constant(0.05)),
    (r"conv_post\.weight$", _without_constant(2.0)),
    (r"\.bias$", _plain(0.05)),
    (r"", _scaled(1.0)),
]


def values(name: str, shape: torch.Size) -> Tensor:
    """The tensor of that name: the same in every build, on every machine with the same torch."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    noise = torch.randn(shape, generator=generator)
    fill = next(fill for pattern, fill in RULES if re.search(pattern, name))
    return fill(noise).contiguous()


def filled(module: torch.nn.Module, prefix: str, flavour: str = "") -> StateDict:
    """Random values for parameters and channel statistics; the other buffers as the host computed them."""
    buffers = {name for name, _ in module.named_buffers() if not name.endswith("-of-means")}
    state_dict = {}
    for name, tensor in module.state_dict().items():
        key = prefix + name
        state_dict[key] = tensor.clone() if name in buffers else values(flavour + key, tensor.shape)
    return state_dict


# --- The host's modules ------------------------------------------------------------------------------------


def use_comfy(tree: Path) -> None:
    """Make `comfy` importable, on the CPU: the host reads its options from the command line when imported."""
    sys.path.insert(0, str(tree))
    sys.argv = [sys.argv[0], "--cpu"]
    importlib.import_module("comfy.options").enable_args_parsing()


def transformer(config: dict[str, Any]) -> StateDict:
    from comfy.ldm.lightricks.av_model import LTXAVModel
    from comfy.ops import disable_weight_init

    module = LTXAVModel(**config, dtype=torch.float32, device="cpu", operations=disable_weight_init)
    return filled(module, TRANSFORMER)


def video_vae(config: dict[str, Any]) -> StateDict:
    from comfy.ldm.lightricks.vae.causal_video_autoencoder import VideoVAE

    return filled(VideoVAE(config=config), "vae.")


def audio_vae(config: dict[str, Any]) -> StateDict:
    from comfy.ldm.lightricks.vae.audio_vae import AudioVAE

    module = AudioVAE(metadata={"config": json.dumps(config)})
    state_dict = {**filled(module.autoencoder, "audio_vae."), **filled(module.vocoder, "vocoder.")}
    conv_in = "audio_vae.encoder.conv_in.conv."
    state_dict[conv_in + "bias"] -= LOG_MEL_OF_SPEECH * state_dict[conv_in + "weight"].sum((1, 2, 3))
    if "bwe" in config["vocoder"]:
        state_dict.update(_mel_buffers(config["vocoder"]["bwe"]))
    return state_dict


def _mel_buffers(bwe: dict[str, Any]) -> StateDict:
    """The Fourier and mel bases, which the real file carries and the host leaves at zero."""
    import torchaudio

    size, rate = bwe["n_fft"], bwe["input_sampling_rate"]
    waves = torch.fft.rfft(torch.eye(size)).T * torch.hann_window(size)
    basis = torch.cat((waves.real, waves.imag))[:, None].contiguous()
    mel = torchaudio.functional.melscale_fbanks(
        size // 2 + 1, 0.0, rate / 2, bwe["num_mels"], rate, norm="slaney", mel_scale="slaney"
    )
    return {
        "vocoder.mel_stft.mel_basis": mel.T.contiguous(),
        "vocoder.mel_stft.stft_fn.forward_basis": basis,
        "vocoder.mel_stft.stft_fn.inverse_basis": basis / size,
    }


def text_projection(config: dict[str, Any]) -> StateDict:
    """LTX-2.3: one projection per stream. LTX-2.0: one for both. From all Gemma layers put side by side."""
    hidden = small_gemma.Sizes().hidden
    shapes = {"aggregate_embed.weight": (hidden, hidden * 49)}
    if config.get("caption_proj_before_connector"):
        shapes = {}
        for stream, width in ("video", "cross_attention_dim"), ("audio", "audio_cross_attention_dim"):
            shapes[f"{stream}_aggregate_embed.weight"] = (config[width], hidden * 49)
            shapes[f"{stream}_aggregate_embed.bias"] = (config[width],)
    names = {f"text_embedding_projection.{name}": shape for name, shape in shapes.items()}
    return {name: values(name, torch.Size(shape)) for name, shape in names.items()}


def checkpoint(flavour: str, num_layers: int) -> tuple[StateDict, dict[str, str]]:
    """Everything that a real LTX-2 checkpoint file holds, and its metadata."""
    config = json.loads((CONFIGS / f"{flavour}.json").read_text())
    config["transformer"]["num_layers"] = num_layers
    state_dict = {
        **transformer(config["transformer"]),
        **video_vae(config["vae"]),
        **audio_vae(config),
        **text_projection(config["transformer"]),
    }
    return state_dict, {"config": json.dumps(config)}


def gemma() -> StateDict:
    """The text encoder: Gemma with its picture tower, and the tokenizer as a tensor of bytes."""
    from comfy.ops import disable_weight_init
    from comfy.text_encoders import llama

    sizes = small_gemma.Sizes()
    config = small_gemma.config_class(llama.Gemma3_12B_Config, sizes)
    with mock.patch.object(llama, "Gemma3_12B_Config", config):
        module = llama.Gemma3_12B({}, torch.float32, "cpu", disable_weight_init)
    pieces = bytearray(small_gemma.tokenizer_model(sizes.vocab))
    state_dict = filled(module, "", flavour="gemma.")
    return {**state_dict, "spiece_model": torch.frombuffer(pieces, dtype=torch.uint8).clone()}


def spatial_upsampler() -> StateDict:
    from comfy.ldm.lightricks.latent_upsampler import LatentUpsampler
    from comfy.ops import disable_weight_init

    # Hosts before 0.30.0 build it from torch's own layers.
    takes_operations = "operations" in inspect.signature(LatentUpsampler.from_config).parameters
    operations = {"operations": disable_weight_init} if takes_operations else {}
    module = LatentUpsampler.from_config(UPSAMPLER_CONFIG, **operations)
    return filled(module, "", flavour="upsampler.")


# --- LoRAs -------------------------------------------------------------------------------------------------


def lora(model: StateDict, name: str, is_target: Callable[[str], Any], strength: float) -> StateDict:
    """Low-rank pairs in the official layout, each about `strength` of the weight that it is added to."""
    pairs = {}
    for key, weight in model.items():
        target = key.removeprefix(TRANSFORMER)
        if target == key or weight.ndim != 2 or not is_target(target):
            continue
        layer = "diffusion_model." + target.removesuffix(".weight")
        rows, columns = weight.shape
        down = values(f"{name}:{layer}.A", torch.Size((LORA_RANK, columns)))
        up = values(f"{name}:{layer}.B", torch.Size((rows, LORA_RANK)))
        pairs[f"{layer}.lora_A.weight"] = down * (columns**0.5)
        pairs[f"{layer}.lora_B.weight"] = up * (strength * weight.std())
    return pairs


def id_lora(model: StateDict) -> StateDict:
    return lora(model, "id-lora", ID_LORA_TARGETS.fullmatch, strength=0.3)


def ingredients_lora(model: StateDict) -> StateDict:
    """Lightricks' LoRA of reference sheets: video only."""
    return lora(
        model,
        "ingredients",
        re.compile(r"transformer_blocks\.\d+\.(attn1|ff)\..*weight").fullmatch,
        strength=0.1,
    )


def distilled_lora(model: StateDict) -> StateDict:
    """Every linear layer outside the text connectors, video ones included, as the real one has."""
    return lora(model, "distilled", lambda target: not re.search("connector|table", target), strength=0.1)


# --- Files -------------------------------------------------------------------------------------------------


def write(path: Path, tensors: StateDict, metadata: dict[str, str] | None = None) -> None:
    """Write the file whole or not at all: a build that is cut short leaves nothing that looks finished."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    save_file(tensors, unfinished, {"format": "pt", **(metadata or {})})
    os.replace(unfinished, path)
    print(f"{path} ({path.stat().st_size / 2**20:.1f} MB)")


def write_all(out: Path) -> None:
    checkpoints, loras = out / "checkpoints", out / "loras"
    files = {
        "ltx-2.3-22b-dev-fp8": ("ltx23", 48, "ltx-2.3-id-lora-talkvid-3k"),
        "small_ltx23": ("ltx23", 4, "small_id_lora"),
        "small_ltx20": ("ltx20", 4, "small_id_lora_20"),
    }
    for name, (flavour, num_layers, id_lora_name) in files.items():
        model, metadata = checkpoint(flavour, num_layers)
        write(checkpoints / f"{name}.safetensors", model, metadata)
        write(loras / f"{id_lora_name}.safetensors", id_lora(model))
        if num_layers == 48:
            write(loras / "ltx-2.3-22b-distilled-lora-384-1.1.safetensors", distilled_lora(model))
            write(loras / "ltx-2.3-22b-ic-lora-ingredients-0.9.safetensors", ingredients_lora(model))
    write(out / "text_encoders" / "gemma_3_12B_it_fp4_mixed.safetensors", gemma())
    upscale_metadata = {"config": json.dumps(UPSAMPLER_CONFIG)}
    upscaler = out / "latent_upscale_models" / "ltx-2.3-spatial-upscaler-x2-1.1.safetensors"
    write(upscaler, spatial_upsampler(), upscale_metadata)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--comfy", type=Path, required=True, help="a ComfyUI tree, 0.20.1 or newer")
    parser.add_argument("--out", type=Path, required=True, help="the models folder to fill")
    options = parser.parse_args()
    started = time.monotonic()
    use_comfy(options.comfy.resolve())
    with torch.inference_mode():
        write_all(options.out)
    print(f"done in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
