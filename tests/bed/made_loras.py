"""LoRA files of a few small layers, as tests make them up."""

import torch

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
    outside = ("prompt_adaln_single.linear", "audio_prompt_adaln_single.linear") if gated else (
        "caption_projection.linear_1", "audio_caption_projection.linear_1"
    )  # fmt: skip
    names |= dict.fromkeys(outside, (VIDEO, VIDEO))
    return names | {"adaln_single.linear": ((9 if gated else 6) * VIDEO, VIDEO)}


def pair(module, shape, prefix=OFFICIAL, down="lora_A", up="lora_B", rank=RANK):
    return {
        f"{prefix}{module}.{down}.weight": torch.randn(rank, shape[1]),
        f"{prefix}{module}.{up}.weight": torch.randn(shape[0], rank),
    }


def id_lora(parts=("audio_attn1", "audio_attn2", "audio_to_video_attn"), **options):
    tensors = {}
    for module, shape in layers(gated=False).items():
        if module.startswith("transformer_blocks") and module.split(".")[2] in parts:
            tensors |= pair(module, shape, **options)
    return tensors
