"""Scene Script: a cast and a script become the conditioning, the voices and the time line of one clip."""

from comfy_api.latest import io, ui

from ..idlora_core.frames import MAX_LENGTH
from ..idlora_core.turns import GAP_SECONDS
from ..idlora_core.written_scene import WrittenScene, written_scene
from .host.line_tokens import encoded_prompt
from .host.status import missing_output, send_advised_status
from .pictures import timeline
from .pictures.drawing import CannotDraw
from .sockets import SCENE_CATEGORY, Cast, IdentityReference, frame_rate_input

EXAMPLE = "ANNA: Did you hear that?\nBEN (whispering): Hear what?"


class SceneScript(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_SceneScript",
            display_name="Scene Script",
            category=SCENE_CATEGORY,
            description=(
                "Who says what, and when: gives each line its time, each voice its turns and each face its moments."
                " A script of one name is the same as ID-LoRA Prompt with that voice."
            ),
            search_aliases=[
                "two people talking",
                "dialogue",
                "conversation",
                "multi speaker",
                "screenplay",
                "id-lora",
            ],
            inputs=[
                Cast.Input("cast", tooltip="From the last Cast Member."),
                io.Clip.Input("clip", tooltip="The text encoder of LTX-2."),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="The first picture, to check that the masks were drawn on it.",
                ),
                io.String.Input(
                    "visual",
                    multiline=True,
                    default="",
                    tooltip="What is seen: the people, the place, the camera.",
                ),
                io.String.Input(
                    "script",
                    multiline=True,
                    default=EXAMPLE,
                    tooltip=(
                        "One line per turn. ANNA: words. BEN (whispering): words. [3.2-4.5] ANNA + BEN: words, at"
                        " seconds 3.2 to 4.5, both at once. (pause 0.5). Lines without times share the clip by how"
                        f" long they take to say, {GAP_SECONDS} s apart."
                    ),
                ),
                io.String.Input(
                    "sounds",
                    multiline=True,
                    default="",
                    tooltip="How it sounds: the room, the tone, the background.",
                ),
                io.Int.Input(
                    "length",
                    default=121,
                    min=9,
                    max=MAX_LENGTH,  # step 1: the frontend counts a step from min, and 8 would round 121 to 120
                    tooltip="The clip's frames, as in First-Frame Condition.",
                ),
                frame_rate_input("The clip's frames per second, as in First-Frame Condition."),
                io.Boolean.Input(
                    "route_words",
                    default=True,
                    tooltip=(
                        "Each line is read only in its own turn. Off: every moment reads the whole script, as in a"
                        " plain prompt."
                    ),
                    optional=True,
                    advanced=True,
                ),
                io.Float.Input(
                    "region_strength",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="How far the faces of listeners are closed to speech. 1: fully. Off at 0.",
                    optional=True,
                    advanced=True,
                ),
                io.Float.Input(
                    "lead_in_seconds",
                    default=0.0,
                    min=0.0,
                    max=10.0,
                    step=0.01,
                    tooltip=(
                        "Only for Identity Guider with a lead-in in First-Frame Condition: the seconds before the"
                        " clip. Identity-Guided KSampler knows them."
                    ),
                    optional=True,
                    advanced=True,
                ),
            ],
            outputs=[
                io.Conditioning.Output(
                    display_name="positive", tooltip="The encoded prompt, for the sampler."
                ),
                IdentityReference.Output(
                    display_name="reference",
                    tooltip="All voices with their turns, for the sampler; in a second stage, the faces alone.",
                ),
                io.String.Output(display_name="prompt", tooltip="The text that was encoded."),
                io.Image.Output(display_name="timeline", tooltip="Who speaks when."),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,  # a script can be checked before a render
        )

    @classmethod
    def execute(
        cls,
        cast,
        clip,
        visual,
        script,
        sounds,
        length,
        frame_rate,
        image=None,
        route_words=True,
        region_strength=1.0,
        lead_in_seconds=0.0,
    ) -> io.NodeOutput:
        picture = None if image is None else (image.shape[2], image.shape[1])
        written = written_scene(
            cast, script, visual, sounds, length, frame_rate, region_strength, lead_in_seconds, picture
        )
        positive = encoded_prompt(clip, written.prompt, written.scene.turns, route_words)
        advice = " ".join(written.remarks)
        text = " ".join(filter(None, [advice, f"{_summary(written)}."]))
        send_advised_status(cls.hidden.unique_id, "Scene Script", advice, text)
        outputs = positive, written.reference, written.prompt.text
        try:
            drawn = timeline.draw(written)
        except CannotDraw as reason:
            return io.NodeOutput(*outputs, missing_output(str(reason)))
        return io.NodeOutput(*outputs, drawn, ui=ui.PreviewImage(drawn))


def _summary(written: WrittenScene) -> str:
    """Anna 0.0-2.3 s, Ben 2.5-4.8 s."""
    names = [member.name for member in written.scene.members]
    return ", ".join(
        f"{' + '.join(names[place] for place in sorted(turn.speakers))} {turn.start:.1f}-{turn.end:.1f} s"
        for turn in written.scene.turns
    )


NODES = [SceneScript]
