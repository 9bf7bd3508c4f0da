"""The real model files that the workflows name, where they are downloaded from and where they belong."""

from .graph import Model


def _on_hugging_face(repository: str, path: str, directory: str) -> Model:
    """A file of `path` in a repository; ComfyUI keeps it under its bare name."""
    name = path.rsplit("/", 1)[-1]
    return Model(name, f"https://huggingface.co/{repository}/resolve/main/{path}", directory)


CHECKPOINT = _on_hugging_face("Lightricks/LTX-2.3-fp8", "ltx-2.3-22b-dev-fp8.safetensors", "checkpoints")
TEXT_ENCODER = _on_hugging_face(
    "Comfy-Org/ltx-2", "split_files/text_encoders/gemma_3_12B_it_fp4_mixed.safetensors", "text_encoders"
)
ID_LORA = _on_hugging_face(
    "Comfy-Org/ltx-2.3", "split_files/loras/ltx-2.3-id-lora-talkvid-3k.safetensors", "loras"
)
DISTILLED_LORA = _on_hugging_face(
    "Lightricks/LTX-2.3", "ltx-2.3-22b-distilled-lora-384-1.1.safetensors", "loras"
)
INGREDIENTS_LORA = _on_hugging_face(
    "Lightricks/LTX-2.3-22b-IC-LoRA-Ingredients", "ltx-2.3-22b-ic-lora-ingredients-0.9.safetensors", "loras"
)
UPSCALER = _on_hugging_face(
    "Lightricks/LTX-2.3", "ltx-2.3-spatial-upscaler-x2-1.1.safetensors", "latent_upscale_models"
)

# Quantised, for ComfyUI-GGUF: the transformer alone, and what a checkpoint holds beside it as single files.
GGUF_MODEL = _on_hugging_face("unsloth/LTX-2.3-GGUF", "ltx-2.3-22b-dev-Q4_K_M.gguf", "diffusion_models")
GGUF_TEXT_ENCODER = _on_hugging_face(
    "unsloth/gemma-3-12b-it-qat-GGUF", "gemma-3-12b-it-qat-UD-Q4_K_XL.gguf", "text_encoders"
)
TEXT_CONNECTORS = _on_hugging_face(
    "unsloth/LTX-2.3-GGUF",
    "text_encoders/ltx-2.3-22b-dev_embeddings_connectors.safetensors",
    "text_encoders",
)
VIDEO_VAE = _on_hugging_face("unsloth/LTX-2.3-GGUF", "vae/ltx-2.3-22b-dev_video_vae.safetensors", "vae")
# The host's audio VAE loader looks among the checkpoints.
AUDIO_VAE = _on_hugging_face(
    "unsloth/LTX-2.3-GGUF", "vae/ltx-2.3-22b-dev_audio_vae.safetensors", "checkpoints"
)
