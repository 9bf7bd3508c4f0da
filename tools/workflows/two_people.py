"""Two people in one picture who speak in turn: a cast of two and a script."""

from dataclasses import dataclass
from typing import Any

from .graph import Graph, Node, Output, Section
from .head import (
    COLUMNS,
    CONSENT,
    GREEN,
    GREY,
    NEGATIVE,
    NOTE_WIDTH,
    STATUS_HEIGHT,
    Conditions,
    Loaders,
    add_clip_length,
    add_introduction,
    add_loaders,
    add_reference,
)
from .tail import add_sampling, add_save

TITLE = "ID-LoRA Two People Talking"
TIMELINE_HEIGHT = 160
SCRIPT_WIDTH = 400

INTRODUCTION = """
# Two people talk in one clip, each in their own voice

1. **Picture**: the first frame of the clip, with both people in it.
2. **Cast Member**, one per person: the name, the voice, where the face is. `left` and `right` are half of the picture; a \
mask drawn over the face (right-click the picture, *Open in MaskEditor*) is finer.
3. **Scene Script**: one line per turn. Its time line shows who speaks when.
4. **Run**. The mp4 is saved in `output/video`.
"""

VISUAL = (
    "A medium shot of two people who sit side by side in front of a plain, warm wall and face the camera, in soft light "
    "from the left. While one speaks, the other listens with closed mouth."
)
SCRIPT = "ANNA: Did you hear that?\nBEN (whispering): Hear what?"
SOUNDS = "Two clear, close voices, one after the other, in a small quiet room. No music."
TWO_PEOPLE_NEGATIVE = NEGATIVE.replace("second speaker, ", "")

SETTINGS = """
**Times.** Lines without times share the clip by how long they take to say. `[2.5-4.8] BEN: Hear what?` sets them. They \
are a frame: within it the model decides when it speaks, and a line that overruns ends in the other voice. If the node \
says that the script is too long, believe it.

**Not trained.** ID-LoRAs were trained on one speaker. Two at once (`ANNA + BEN:`) and people who walk out of their \
region are beyond them; docs/scenes.md has the details.

**Guidance.** The paper's values, as in the one-stage workflow.
"""


def two_people() -> Graph:
    graph = Graph(TITLE)
    add_introduction(graph, INTRODUCTION)
    loaders = add_loaders(graph)
    conditions = add_cast_and_script(graph, loaders)
    sampled = add_sampling(graph, "3 · Sample", loaders, conditions, SETTINGS)
    add_save(graph, 4, loaders, sampled)
    return graph


def add_cast_and_script(graph: Graph, loaders: Loaders) -> Conditions:
    section = graph.section("2 · Cast and script", GREEN, COLUMNS[0], is_below=True)
    image = section.node(
        "LoadImage", title="Picture (first frame)", image="idlora_two_people.png", height=330
    )
    cast = add_cast(section, loaders)
    latent = section.node(
        "LTXIDLoRA_FirstFrame",
        video_vae=loaders.video_vae,
        audio_vae=loaders.audio_vae,
        image=image["IMAGE"],
        length=cast.length,
        frame_rate=cast.frame_rate,
    )
    values = {"image": image["IMAGE"], "visual": VISUAL, "script": SCRIPT, "sounds": SOUNDS}
    return add_conditions(graph, section, loaders, cast, values, image["IMAGE"], latent["latent"])


@dataclass(frozen=True)
class Cast:
    """Two people with their voices, and the clip that they share; `recording` is of the first."""

    members: Output
    recording: Output
    length: Output
    frame_rate: Output


def add_cast(section: Section, loaders: Loaders) -> Cast:
    """Recordings below what stands in the first column, then their references, then the members, one behind the other."""
    recordings = [
        section.node("LoadAudio", title=f"Voice on the {place}", audio=audio, height=130)["AUDIO"]
        for place, audio in (("left", "idlora_voice.flac"), ("right", "idlora_voice_2.flac"))
    ]
    length, frame_rate = add_clip_length(section)
    section.column(COLUMNS[1])
    left, right = (add_reference(section, loaders, recording) for recording in recordings)
    section.column(COLUMNS[2])
    first = add_member(section, "Anna", left, "left", "the woman on the left")
    section.column(COLUMNS[2])
    members = add_member(section, "Ben", right, "right", "the man on the right", cast=first)
    return Cast(members, recordings[0], length, frame_rate)


def add_conditions(
    graph: Graph,
    section: Section,
    loaders: Loaders,
    cast: Cast,
    values: dict[str, Any],
    image: Output,
    latent: Output,
) -> Conditions:
    """The script, and what it makes of the cast."""
    negative = section.node(
        "CLIPTextEncode", title="Negative", height=100, clip=loaders.clip, text=TWO_PEOPLE_NEGATIVE
    )
    section.column(SCRIPT_WIDTH)
    script = add_script(section, loaders, cast.members, cast.length, cast.frame_rate, values)
    graph.section(None, GREY, NOTE_WIDTH, place="foot").note("Consent", CONSENT, height=110)
    return Conditions(
        script["positive"],
        negative["CONDITIONING"],
        latent,
        script["reference"],
        image,
        cast.recording,
        cast.length,
        cast.frame_rate,
    )


def add_script(
    section: Section,
    loaders: Loaders,
    cast: Output,
    length: Output,
    frame_rate: Output,
    values: dict[str, Any],
) -> Node:
    """The script's node, with the room for its time line; `values` are its texts, and the picture."""
    inputs = {"cast": cast, "clip": loaders.clip, "length": length, "frame_rate": frame_rate, **values}
    script = section.node("LTXIDLoRA_SceneScript", height=440 + STATUS_HEIGHT, **inputs)
    section.space(TIMELINE_HEIGHT)
    return script


def add_member(
    section: Section, name: str, voice: Output, place: str, look: str, cast: Output | None = None
) -> Output:
    """A Cast Member behind the one before."""
    chained: dict[str, Any] = {} if cast is None else {"cast": cast}
    member = section.node(
        "LTXIDLoRA_CastMember",
        title=f"Cast: {place}",
        name=name,
        voice=voice,
        place=place,
        look=look,
        **chained,
    )
    section.space(STATUS_HEIGHT)
    return member["cast"]
