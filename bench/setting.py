"""The model and the clip of the bench: the real architecture, its sizes scaled by one factor or real."""

import json
import re
import zlib
from dataclasses import dataclass, replace
from typing import Any

import comfy.model_detection
import torch
from comfy.ldm.lightricks.av_model import LTXAVModel
from comfy.model_patcher import ModelPatcher
from comfy.ops import disable_weight_init

from support import small_models
from support.clip import FRAME_RATE, Clip

NUM_BLOCKS, STG_BLOCK = 48, 29
REAL_CONFIG = small_models.CONFIGS / "ltx23.json"
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Size:
    """Widths and token counts. LTX-2.3 at 512x512x121: 4096, 32 heads; 4096 video, 126 + 126 audio, 1024 text.

    Attributes:
        width: of the video stream; audio has half of it.
        heads: of both streams.
        frames, height, width_latents: of the video latent; their product is the number of video tokens.
        audio, reference, text: numbers of tokens.
    """

    width: int
    heads: int
    frames: int
    height: int
    width_latents: int
    audio: int
    reference: int
    text: int

    def with_frames(self, frames: int, audio: int) -> "Size":
        return replace(self, frames=frames, audio=audio)


REAL = Size(4096, 32, 16, 16, 16, 126, 126, 1024)
REAL_1024 = replace(REAL, height=32, width_latents=32)
FULL = Size(320, 10, 16, 4, 5, 10, 10, 80)  # all of REAL / 12.8
WIDE = Size(2048, 16, 16, 2, 2, 4, 4, 32)  # latents have 128 channels: one sixteenth, as good as nothing
QUICK = Size(128, 4, 16, 2, 4, 4, 4, 32)  # all of REAL / 32


def made_model(
    size: Size, device: torch.device, dtype: torch.dtype, num_blocks: int = NUM_BLOCKS
) -> ModelPatcher:
    """The host's own model with random weights, made where and as they stay: no copy in between."""
    config = _config(size, num_blocks)
    shapes = dict(_network(config, dtype).state_dict())
    model_config: Any = comfy.model_detection.model_config_from_unet(
        shapes, "", metadata={"config": json.dumps(config)}
    )
    model_config.set_inference_dtype(dtype, None)
    model = model_config.get_model(shapes, "", device=device)
    with torch.random.fork_rng(), torch.no_grad():
        for name, parameter in model.diffusion_model.named_parameters():
            parameter.copy_(_values(small_models.TRANSFORMER + name, parameter))
    return ModelPatcher(model, load_device=device, offload_device=device)


def weight_bytes(size: Size, dtype: torch.dtype, num_blocks: int = NUM_BLOCKS) -> int:
    """What the weights take, counted without making them."""
    network = _network(_config(size, num_blocks), dtype)
    return sum(parameter.nbytes for parameter in network.parameters())


def _config(size: Size, num_blocks: int) -> dict[str, Any]:
    config = json.loads(REAL_CONFIG.read_text(encoding="utf-8"))
    head = size.width // size.heads
    changes = {"num_layers": num_blocks, "num_attention_heads": size.heads, "attention_head_dim": head}
    changes |= {"audio_num_attention_heads": size.heads, "audio_attention_head_dim": head // 2}
    changes |= {"cross_attention_dim": size.width, "audio_cross_attention_dim": size.width // 2}
    config["transformer"] |= changes
    return config


def _network(config: dict[str, Any], dtype: torch.dtype) -> LTXAVModel:
    """Shapes and types without memory."""
    return LTXAVModel(**config["transformer"], dtype=dtype, device="meta", operations=disable_weight_init)


def _values(name: str, like: torch.Tensor) -> torch.Tensor:
    """Random values of the tests' small models, drawn on the device in the type of the weight."""
    fill = next(fill for pattern, fill in small_models.RULES if re.search(pattern, name))
    torch.manual_seed(zlib.crc32(name.encode()))
    with torch.device(like.device):
        return fill(torch.randn(like.shape, dtype=like.dtype))


def made_clip(size: Size, seed: int = 0) -> Clip:
    """Random noise, first frame, reference voice and texts."""
    generator = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    shape = (1, 128, size.frames, size.height, size.width_latents)
    clean, mask = torch.zeros(shape), torch.ones(1, 1, *shape[2:])
    clean[:, :, :1] = noise(1, 128, 1, *shape[3:])
    mask[:, :, :1] = 0
    widths = size.width, size.width // 2
    texts = noise(1, size.text, sum(widths)), noise(1, size.text, sum(widths))
    audio, reference = noise(1, 8, size.audio, 16), noise(1, 8, size.reference, 16)
    return Clip(noise(*shape), audio, clean, mask, reference, texts, widths)


def conditioning_with_reference(clip: Clip) -> tuple[list, list]:
    """Positive and negative as the host's LTXV Reference Audio leaves them."""
    tokens = clip.reference.permute(0, 2, 1, 3).flatten(2)
    values = {"frame_rate": FRAME_RATE, "ref_audio": {"tokens": tokens}}
    positive, negative = ([[text, values]] for text in clip.texts)
    return positive, negative
