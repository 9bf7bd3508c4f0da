"""Text embeddings as trainers store them: before the connectors, without padding."""

import torch
from comfy.sd import CLIP


def check_text_encoder(clip: CLIP) -> None:
    """Refuse anything but the text encoder of LTX-2.

    Raises:
        ValueError: it has no projection from all layers of Gemma.
    """
    model = getattr(clip, "cond_stage_model", None)
    if not hasattr(model, "text_embedding_projection"):
        raise ValueError(
            f"The CLIP socket got {type(model).__name__}; connect LTXV Audio Text Encoder Loader with Gemma 3 and the"
            " LTX-2 checkpoint."
        )


def text_features(clip: CLIP, prompt: str) -> dict[str, torch.Tensor]:
    """What the video and the audio connector take: (N, width) bfloat16 each.

    LTX-2.3 projects the text once per stream; LTX-2 once for both, so that both are the same.

    Raises:
        RuntimeError: the checkpoint's connectors are part of the text encoder.
    """
    entry = clip.encode_from_tokens_scheduled(clip.tokenize(prompt))[0]
    embeds, extra = entry[0], entry[1]
    if not extra.get("unprocessed_ltxav_embeds"):
        raise RuntimeError(
            "The text encoder has run its connectors already, which is an early LTX-2 checkpoint; training needs the"
            " embeddings before them: load the checkpoint that Lightricks publishes now."
        )
    projection = clip.cond_stage_model.text_embedding_projection
    embeds = embeds[0].to("cpu", torch.bfloat16)
    first = getattr(projection, "video_aggregate_embed", None)
    if first is None:
        return {"video": embeds, "audio": embeds.clone()}
    width = first.out_features
    return {"video": embeds[:, :width], "audio": embeds[:, width:]}
