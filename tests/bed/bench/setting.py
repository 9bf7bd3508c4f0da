"""The model and the clip of the bench: the real architecture, every size scaled by one factor."""

import json
from dataclasses import dataclass

import comfy.sd
import torch
from comfy.model_patcher import ModelPatcher

from bed import small_models
from bed.clip import FRAME_RATE, Clip

STG_BLOCK = 29
REAL_CONFIG = small_models.CONFIGS / "ltx23.json"


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
        return Size(**{**vars(self), "frames": frames, "audio": audio})


REAL = Size(4096, 32, 16, 16, 16, 126, 126, 1024)
FULL = Size(320, 10, 16, 4, 5, 10, 10, 80)  # all of REAL / 12.8
WIDE = Size(2048, 16, 16, 2, 2, 4, 4, 32)  # latents have 128 channels: one sixteenth, as good as nothing
QUICK = Size(128, 4, 16, 2, 4, 4, 4, 32)  # all of REAL / 32


def made_model(size: Size, device: torch.device, dtype: torch.dtype, num_blocks: int = 48) -> ModelPatcher:
    """A model with random weights, loaded by the host's own loader."""
    config = json.loads(REAL_CONFIG.read_text(encoding="utf-8"))
    head = size.width // size.heads
    changes = {"num_layers": num_blocks, "num_attention_heads": size.heads, "attention_head_dim": head}
    changes |= {"audio_num_attention_heads": size.heads, "audio_attention_head_dim": head // 2}
    changes |= {"cross_attention_dim": size.width, "audio_cross_attention_dim": size.width // 2}
    config["transformer"] |= changes
    weights = small_models.transformer(config["transformer"])
    weights = {name: value.to(dtype) for name, value in weights.items()}
    options = {"dtype": dtype, "load_device": device}
    model = comfy.sd.load_diffusion_model_state_dict(weights, options, {"config": json.dumps(config)})
    assert model is not None
    return model


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
