"""Cast Member: a name, a voice and a place in the picture, for Scene Script."""

from typing import Any

from comfy_api.latest import io

from ..idlora_core.reference import Reference
from ..idlora_core.region import PLACES, Box, Region, checked_mask
from ..idlora_core.scene import MAX_STRENGTH, Member, with_member
from .host.found_faces import found_faces
from .host.status import send_status
from .sockets import SCENE_CATEGORY, Cast, FaceLandmarks, IdentityReference

ANYWHERE, FACE, BOX = "anywhere", "found face", "box"
MOST_FACES = 16
SIDES = {"left": 0.0, "top": 0.0, "right": 0.5, "bottom": 1.0}


class CastMember(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_CastMember",
            display_name="Cast Member",
            category=SCENE_CATEGORY,
            description=(
                "One person of a scene: the name that the script uses, the voice, and where the face is in the first"
                " picture. Chain one per person, then connect Scene Script."
            ),
            search_aliases=[
                "speaker",
                "two people talking",
                "dialogue",
                "character",
                "multi speaker",
                "id-lora",
            ],
            inputs=[
                io.String.Input("name", default="Anna", tooltip="As the script writes it, in any case."),
                IdentityReference.Input(
                    "voice",
                    optional=True,
                    tooltip="From Encode Reference Audio. Without one the model makes up a voice.",
                ),
                io.Mask.Input(
                    "region",
                    optional=True,
                    tooltip=(
                        "A mask over the face, drawn on the first picture. It stays closed to speech while others"
                        " speak. Takes the place of the widget."
                    ),
                ),
                FaceLandmarks.Input(
                    "faces",
                    optional=True,
                    tooltip="From Detect Face Landmarks on the first picture, for place: found face.",
                ),
                io.DynamicCombo.Input(
                    "place",
                    options=[
                        io.DynamicCombo.Option(ANYWHERE, []),
                        *(io.DynamicCombo.Option(name, []) for name in PLACES),
                        io.DynamicCombo.Option(FACE, [_number_of_face()]),
                        io.DynamicCombo.Option(BOX, [_side(name) for name in SIDES]),
                    ],
                    tooltip=(
                        "Where the face is, if no mask is connected. left and right: half of the picture. centre: the"
                        " middle third. found face: one of those connected to faces. box: by numbers. anywhere: not told,"
                        " or a voice from outside the picture."
                    ),
                ),
                io.String.Input(
                    "look",
                    default="",
                    tooltip="Who that is in the picture, for the prompt: the woman on the left.",
                ),
                io.Float.Input(
                    "identity_strength",
                    default=1.0,
                    min=0.0,
                    max=MAX_STRENGTH,
                    step=0.05,
                    tooltip="Of identity guidance while this person speaks: a factor on the sampler's. 1 leaves it as it is.",
                    optional=True,
                    advanced=True,
                ),
                Cast.Input("cast", optional=True, tooltip="The Cast Member before this one."),
            ],
            outputs=[
                Cast.Output(display_name="cast", tooltip="For the next Cast Member, or for Scene Script.")
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, name, place, look, voice=None, region=None, faces=None, identity_strength=1.0, cast=()
    ) -> io.NodeOutput:
        name = " ".join(name.split())
        member = Member(
            name, _checked_voice(voice, name), _region(region, place, faces, name), look, identity_strength
        )
        cast = with_member(tuple(cast), member)
        send_status(cls.hidden.unique_id, "; ".join(_described(member) for member in cast))
        return io.NodeOutput(cast)


def _number_of_face() -> io.Int.Input:
    return io.Int.Input(
        "face", default=1, min=1, max=MOST_FACES, tooltip="Which of the faces found, counted from the left."
    )


def _side(name: str) -> io.Float.Input:
    return io.Float.Input(
        name,
        default=SIDES[name],
        min=0.0,
        max=1.0,
        step=0.01,
        tooltip=f"{name.capitalize()} side of the box, as a part of the picture from its upper left corner.",
    )


def _checked_voice(voice: Any, name: str) -> Reference | None:
    if voice is None or isinstance(voice, Reference):
        return voice
    raise ValueError(
        f"The voice of {name} is the reference of a Scene Script, which holds several. Connect Encode Reference Audio."
    )


def _region(mask: Any, place: dict[str, Any], faces: dict[str, Any] | None, name: str) -> Region | None:
    if mask is not None:
        return checked_mask(mask, name)
    chosen = place["place"]
    if chosen == FACE:
        if faces is None:
            raise ValueError(
                f"The place of {name} is a found face, and nothing is connected to faces. Connect Detect Face Landmarks"
                " (MediaPipe) of ComfyUI 0.30 or newer, or choose another place."
            )
        return found_faces(faces).mask(place["face"], name)
    if chosen == BOX:
        return Box(*(place[side] for side in SIDES))
    return PLACES.get(chosen)


def _described(member: Member) -> str:
    """Anna: voice of 4.8 s, in the picture."""
    seconds = member.voice and member.voice.num_tokens * member.voice.grid.seconds_per_latent
    voice = f"voice of {seconds:.1f} s" if seconds else "no voice"
    return f"{member.name}: {voice}, {'anywhere' if member.region is None else 'with a region'}"


NODES = [CastMember]
