"""Clip Length: seconds become the frames that LTX-2 makes, entered once for every node that asks."""

from comfy_api.latest import io

from ..idlora_core import frames
from .host.status import send_status
from .sockets import CATEGORY, frame_rate_input


class ClipLength(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_ClipLength",
            display_name="Clip Length",
            category=CATEGORY,
            description=(
                "Turns seconds into frames: LTX-2 makes 8n + 1 of them, so the clip gets the next length that fits."
                " For First-Frame Condition and ID-LoRA Prompt."
            ),
            search_aliases=["seconds", "duration", "frames", "video length", "id-lora"],
            inputs=[
                io.Float.Input(
                    "seconds",
                    default=4.8,
                    min=0.1,
                    max=frames.CLIP_SECONDS[1],
                    step=0.1,
                    tooltip="How long the clip is to be, at least. 4.8 at 25 fps are the paper's 121 frames.",
                ),
                frame_rate_input("Frames per second. Paper: 25."),
            ],
            outputs=[
                io.Int.Output(display_name="length", tooltip="Frames, 8n + 1."),
                io.Float.Output(display_name="frame_rate", tooltip="Frames per second, as set here."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, seconds, frame_rate) -> io.NodeOutput:
        length = frames.clip_length(seconds, frame_rate)
        send_status(
            cls.hidden.unique_id, f"{length} frames: {length / frame_rate:.2f} s at {frame_rate:g} fps"
        )
        return io.NodeOutput(length, float(frame_rate))


NODES = [ClipLength]
