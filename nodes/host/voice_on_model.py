"""What of a voice is on a MODEL and in a LATENT of the host."""

from comfy.model_patcher import ModelPatcher

AUDIO_SELF_ATTENTION, VIDEO_SELF_ATTENTION = ".audio_attn1.", ".attn1."


def has_id_lora(model: ModelPatcher) -> bool:
    """Whether a LoRA on the model is like an ID-LoRA: it changes audio self-attention and no video self-attention.

    A distilled LoRA changes both. The host gives all adapters of one file the same set of keys, which tells LoRAs apart.
    """
    changed: dict[int, set[str]] = {}
    for key, patches in model.patches.items():
        layer = next((name for name in (AUDIO_SELF_ATTENTION, VIDEO_SELF_ATTENTION) if name in key), None)
        for strength, adapter, *_ in patches if layer else ():
            if strength:
                changed.setdefault(id(getattr(adapter, "loaded_keys", None)), set()).add(layer)
    return {AUDIO_SELF_ATTENTION} in changed.values()


def keeps_sound(latent: dict) -> bool:
    """Whether the mask keeps all of the sound as it is."""
    mask = latent.get("noise_mask")
    if mask is None or not mask.is_nested:
        return False
    return not mask.unbind()[1].any()
