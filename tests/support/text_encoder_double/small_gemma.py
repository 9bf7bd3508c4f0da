"""What the small Gemma is: its sizes, as read from a file or as chosen for a new one, and its tokenizer.

The builder of the file and the node pack that loads it both start from here, so they cannot disagree.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

REAL_HIDDEN = 3840

VISION = {
    "num_channels": 3,
    "hidden_act": "gelu_pytorch_tanh",
    "hidden_size": 16,
    "image_size": 896,
    "intermediate_size": 32,
    "model_type": "siglip_vision_model",
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "patch_size": 14,
}

# What the tokenizer learns its pieces from: prompt-like text, so that prompts become words, not bytes.
CORPUS = """
[VISUAL]: A medium close-up of a young woman with dark hair, looking at the camera and talking.
[SPEECH]: Good morning, it is a real pleasure to meet you here today. [SOUNDS]: A quiet room, soft voice.
The man in a grey jacket stands outside in the street, cars pass behind him and the wind blows.
She smiles, turns her head slowly and says what she thinks about the weather in the city.
An old person speaks in a warm, low voice with a slight echo, as in a large empty hall.
Camera is static, natural light from the window, shallow depth of field, high quality video.
Worst quality, blurry, jittery, distorted, inconsistent motion, low contrast, static noise, muffled sound.
We walk along the river every evening, and the birds sing while the children play on the grass.
Please call me back as soon as you can, I would like to hear more about your new work and the music.
The quick brown fox jumps over the lazy dog; pack my box with five dozen liquor jugs.
"""


@dataclass(frozen=True)
class Sizes:
    """Widths of a Gemma 3 of 48 layers, the number by which the host recognises the 12B model."""

    vocab: int = 512
    hidden: int = 32
    intermediate: int = 64
    heads: int = 2
    key_value_heads: int = 1
    head_dim: int = 16
    layers: int = 48


def sizes_of(state_dict: dict[str, Any]) -> Sizes | None:
    """The sizes of a small Gemma file; None for the real one and for any other model."""
    embedding = state_dict.get("model.embed_tokens.weight")
    if embedding is None or "model.layers.47.self_attn.q_norm.weight" not in state_dict:
        return None
    vocab, hidden = embedding.shape
    # Quantised real files store packed rows, never rows this short.
    if hidden >= REAL_HIDDEN // 8:
        return None
    layer = "model.layers.0."
    head_dim = state_dict[layer + "self_attn.q_norm.weight"].shape[0]
    return Sizes(
        vocab=vocab,
        hidden=hidden,
        intermediate=state_dict[layer + "mlp.gate_proj.weight"].shape[0],
        heads=state_dict[layer + "self_attn.q_proj.weight"].shape[0] // head_dim,
        key_value_heads=state_dict[layer + "self_attn.k_proj.weight"].shape[0] // head_dim,
        head_dim=head_dim,
    )


def config_class(real_config: type, sizes: Sizes) -> type:
    """A subclass of the host's Gemma3_12B_Config with other sizes and the same everything else."""

    class SmallGemmaConfig(real_config):
        head_dim = sizes.head_dim
        vision_config = VISION

        def __init__(self, **overrides: Any):
            small = {
                "vocab_size": sizes.vocab,
                "hidden_size": sizes.hidden,
                "intermediate_size": sizes.intermediate,
                "num_hidden_layers": sizes.layers,
                "num_attention_heads": sizes.heads,
                "num_key_value_heads": sizes.key_value_heads,
            }
            super().__init__(**{**small, **overrides})

    return SmallGemmaConfig


def tokenizer_model(vocab: int) -> bytes:
    """A serialised sentencepiece model with Gemma's special ids: pad 0, end 1, start 2, unknown 3."""
    import sentencepiece

    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS.strip().splitlines()),
        model_writer=written,
        model_type="bpe",
        vocab_size=vocab,
        hard_vocab_limit=False,
        byte_fallback=True,
        character_coverage=1.0,
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        num_threads=1,
        minloglevel=2,
    )
    return written.getvalue()
