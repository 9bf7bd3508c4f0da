"""ID-LoRA Prompt: three text boxes become the prompt form that ID-LoRA was trained on."""

from comfy_api.latest import io

from ..idlora_core.frames import MAX_LENGTH
from ..idlora_core.prompt import format_prompt
from ..idlora_core.speech_length import speech_fit, words_fit
from .host.status import send_advised_status
from .sockets import CATEGORY, frame_rate_input, refusal

TITLE = "ID-LoRA Prompt"


class IDLoRAPrompt(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_Prompt",
            display_name=TITLE,
            category=CATEGORY,
            description=(
                "Writes [VISUAL]: .. [SPEECH]: .. [SOUNDS]: .. for the text encoder, and shows how long the words take."
            ),
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
                        " what does not fit the clip is cut off. What is in brackets counts as a direction, not as words."
                    ),
                ),
                io.String.Input(
                    "sounds",
                    multiline=True,
                    default="",
                    tooltip="How it sounds: the room, the tone, an accent, the background. Accents do not come from the reference.",
                ),
                io.Int.Input(
                    "length",
                    default=0,
                    min=0,
                    max=MAX_LENGTH,  # step 1: the frontend counts a step from min, and 8 would round 121 to 120
                    optional=True,
                    tooltip=(
                        "The clip's frames, from where First-Frame Condition has them: the node then says whether"
                        " the words fit. 0 leaves that out. The prompt is the same either way."
                    ),
                ),
                frame_rate_input("The clip's frames per second, to go with length.", optional=True),
            ],
            outputs=[io.String.Output(display_name="prompt")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, visual="", speech="", sounds="") -> bool | str:
        """Before anything runs; of linked texts, the host gives none here."""
        if None in (visual, speech, sounds):
            return True
        return refusal(format_prompt, visual, speech, sounds)

    @classmethod
    def execute(cls, visual, speech, sounds, length=0, frame_rate=25.0) -> io.NodeOutput:
        prompt = format_prompt(visual, speech, sounds)
        fit = speech_fit(speech, length, frame_rate)
        advice = "" if words_fit(speech, length, frame_rate) else fit
        send_advised_status(cls.hidden.unique_id, TITLE, advice, fit)
        return io.NodeOutput(prompt)


NODES = [IDLoRAPrompt]
