"""ID-LoRA Prompt: three text boxes become the prompt form that ID-LoRA was trained on."""

from comfy_api.latest import io

from ..idlora_core.prompt import format_prompt
from .sockets import CATEGORY


class IDLoRAPrompt(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_Prompt",
            display_name="ID-LoRA Prompt",
            category=CATEGORY,
            description="Writes [VISUAL]: .. [SPEECH]: .. [SOUNDS]: .. for the text encoder.",
            search_aliases=["talking head prompt", "speech prompt", "dialogue", "id-lora"],
            inputs=[
                io.String.Input(
                    "visual",
                    multiline=True,
                    default="",
                    tooltip="What is seen: the person, the place, the camera.",
                ),
                io.String.Input(
                    "speech",
                    multiline=True,
                    default="",
                    tooltip=(
                        "The words that are spoken, as they are said. About 2.5 words a second;"
                        " what does not fit the clip is cut."
                    ),
                ),
                io.String.Input(
                    "sounds",
                    multiline=True,
                    default="",
                    tooltip="How it sounds: the room, the tone, an accent, the background. Accents do not come from the reference.",
                ),
            ],
            outputs=[io.String.Output(display_name="prompt")],
        )

    @classmethod
    def execute(cls, visual, speech, sounds) -> io.NodeOutput:
        return io.NodeOutput(format_prompt(visual, speech, sounds))


NODES = [IDLoRAPrompt]
