"""Load ID-LoRA: puts an ID-LoRA on the model, once it is sure that it is one and fits."""

from comfy_api.latest import io

from ..idlora_core.lora.match import MAX_STRENGTH
from ..idlora_core.lora.safetensors_header import shown
from .host import lora as host_lora
from .host.status import send_status
from .host.variant import variant_of
from .sockets import CATEGORY


class LoadIDLoRA(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_Load",
            display_name="Load ID-LoRA",
            category=CATEGORY,
            description=(
                "Puts an ID-LoRA on an LTX-2 model, so that it can speak with the voice of a reference."
                " Shows what is in the file and how much of it fits, and refuses a file that was not made for the model."
            ),
            search_aliases=[
                "id-lora",
                "idlora",
                "voice clone",
                "talking head",
                "lora loader",
                "identity",
                "ltx",
            ],
            inputs=[
                io.Model.Input(
                    "model",
                    tooltip="LTX-2 or LTX-2.3 with sound, in any format that ComfyUI can put a LoRA on: bf16, fp8, GGUF.",
                ),
                io.Combo.Input(
                    "lora_name",
                    options=host_lora.lora_names(),
                    tooltip=(
                        "The ID-LoRA, from models/loras, made for the family of the model: for LTX-2.3,"
                        " ltx-2.3-id-lora-talkvid-3k or ltx-2.3-id-lora-celebvhq-3k. A .safetensors file; for a"
                        " PEFT adapter keep adapter_config.json beside it."
                    ),
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=-MAX_STRENGTH,
                    max=MAX_STRENGTH,
                    step=0.01,
                    tooltip="1 is the LoRA as trained. 0 leaves the model as it is.",
                ),
            ],
            outputs=[io.Model.Output(display_name="model", tooltip="The model with the ID-LoRA on it.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, lora_name: str | None = None, **_) -> str:
        return host_lora.lora_fingerprint(lora_name) if lora_name else ""  # the host leaves out linked inputs

    @classmethod
    def execute(cls, model, lora_name, strength) -> io.NodeOutput:
        fit = host_lora.fit_lora(model, lora_name)
        patched = host_lora.apply_lora(model, fit, strength)
        send_status(cls.hidden.unique_id, f"{shown(lora_name)}: {fit} Model: {variant_of(patched)}.")
        return io.NodeOutput(patched)


NODES = [LoadIDLoRA]
