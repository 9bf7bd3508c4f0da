"""The real model files that the workflows name, where they are downloaded from and where they belong."""

from .graph import Model


def _on_hugging_face(repository: str, path: str, directory: str) -> Model:
    name = path.rsplit("/", 1)[-1]
    return Model(name, f"https://huggingface.co/{repository}/resolve/main/{path}", directory)


CHECKPOINT = _on_hugging_face("Lightricks/LTX-2.3-fp8", "ltx-2.3-22b-dev-fp8.safetensors", "checkpoints")
TEXT_ENCODER = _on_hugging_face(
    "Comfy-Org/ltx-2", "split_files/text_encoders/gemma_3_12B_it_fp4_mixed.safetensors", "text_encoders"
)
ID_LORA = _on_hugging_face(
    "Comfy-Org/ltx-2.3", "split_files/loras/ltx-2.3-id-lora-talkvid-3k.safetensors", "loras"
)
