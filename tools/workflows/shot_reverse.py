"""Two people in two clips, one speaker each, joined: what ID-LoRAs were trained for."""

from dataclasses import dataclass

from .graph import Graph, Node, Output, Section
from .head import (
    COLUMNS,
    CONSENT,
    DECODER_WIDTH,
    GREEN,
    GREY,
    NEGATIVE,
    NOTE_WIDTH,
    ORANGE,
    PLAYER_WIDTH,
    PURPLE,
    SAMPLER_WIDTH,
    STATUS_HEIGHT,
    Conditions,
    Loaders,
    add_clip_length,
    add_introduction,
    add_loaders,
    add_reference,
)
from .tail import PREVIEW_HEIGHT, add_decoder, add_sampler, add_video_file

TITLE = "ID-LoRA Shot Reverse Shot"

INTRODUCTION = """
# Shot and reverse shot: one speaker per clip, joined

1. **Faces and voices**: a picture and a recording for each person.
2. **Two clips**: each has its own face, voice and line, as in the one-stage workflow.
3. **Run**. Both come one after the other in one mp4 in `output/video`.
"""

WHY = """
**Why two clips.** ID-LoRAs were trained on one speaker per clip. This way nothing is asked of them that they have not \
learned; the workflow with two people in one shot asks more. Compare the two with your own faces and voices.

**Pictures.** Both need the same shape, so that the clips can be joined.
"""

ROOM = "in front of a plain, warm wall, in soft light from the left"


@dataclass(frozen=True)
class Shot:
    """Who is seen and heard in one clip."""

    name: str
    picture: str
    recording: str
    visual: str
    speech: str
    sounds: str


SHOTS = (
    Shot(
        "Shot",
        "idlora_portrait.png",
        "idlora_voice.flac",
        f"A medium close-up of a woman with a dark brown bob and a teal jumper, who faces the camera {ROOM} and asks.",
        "Did you hear that noise?",
        "A clear, friendly woman's voice, close to the microphone, in a small quiet room. No music.",
    ),
    Shot(
        "Reverse shot",
        "idlora_portrait_2.png",
        "idlora_voice_2.flac",
        f"A medium close-up of a man with short black hair and a rust jumper, who faces the camera {ROOM} and answers.",
        "What noise? I heard nothing at all.",
        "A clear, deep man's voice, close to the microphone, in a small quiet room. No music.",
    ),
)


@dataclass(frozen=True)
class Shared:
    """What both clips use."""

    loaders: Loaders
    negative: Output
    length: Output
    frame_rate: Output


def shot_reverse() -> Graph:
    graph = Graph(TITLE)
    add_introduction(graph, INTRODUCTION)
    loaders = add_loaders(graph)
    section = graph.section("2 · Both clips", GREEN, COLUMNS[0], is_below=True)
    length, frame_rate = add_clip_length(section)
    section.column(COLUMNS[1])
    section.note("Why two clips", WHY, height=260)
    section.column(COLUMNS[2])
    negative = section.node("CLIPTextEncode", title="Negative", height=100, clip=loaders.clip, text=NEGATIVE)
    graph.section(None, GREY, NOTE_WIDTH, place="foot").note("Consent", CONSENT, height=110)
    shared = Shared(loaders, negative["CONDITIONING"], length, frame_rate)
    clips = [
        _add_shot(graph.section(f"{number} · {shot.name}", PURPLE, COLUMNS[0]), shared, shot)
        for number, shot in enumerate(SHOTS, 3)
    ]
    _add_joined(graph, clips, frame_rate)
    return graph


def _add_shot(section: Section, shared: Shared, shot: Shot) -> Node:
    loaders = shared.loaders
    image = section.node("LoadImage", title=f"Face: {shot.name}", image=shot.picture, height=330)
    recording = section.node("LoadAudio", title=f"Voice: {shot.name}", audio=shot.recording, height=130)
    section.column(COLUMNS[1])
    prompt = section.node(
        "LTXIDLoRA_Prompt",
        height=300 + STATUS_HEIGHT,
        visual=shot.visual,
        speech=shot.speech,
        sounds=shot.sounds,
        length=shared.length,
        frame_rate=shared.frame_rate,
    )
    reference = add_reference(section, loaders, recording["AUDIO"])
    section.column(COLUMNS[2])
    positive = section.node(
        "CLIPTextEncode", title="Positive", height=60, clip=loaders.clip, text=prompt["prompt"]
    )
    latent = section.node(
        "LTXIDLoRA_FirstFrame",
        video_vae=loaders.video_vae,
        audio_vae=loaders.audio_vae,
        image=image["IMAGE"],
        length=shared.length,
        frame_rate=shared.frame_rate,
    )
    section.column(SAMPLER_WIDTH)
    conditions = Conditions(
        positive["CONDITIONING"],
        shared.negative,
        latent["latent"],
        reference,
        image["IMAGE"],
        recording["AUDIO"],
        shared.length,
        shared.frame_rate,
    )
    sampled = add_sampler(section, loaders.model, conditions, latent=latent["latent"], reference=reference)
    section.space(PREVIEW_HEIGHT)
    section.column(DECODER_WIDTH)
    return add_decoder(section, loaders, sampled)


def _add_joined(graph: Graph, clips: list[Node], frame_rate: Output) -> None:
    """One clip after the other, picture and sound."""
    section = graph.section("5 · Save", ORANGE, DECODER_WIDTH)
    first, second = clips
    frames = section.node(
        "ImageBatch", title="Join pictures", image1=first["images"], image2=second["images"]
    )
    sound = section.node("AudioConcat", title="Join sounds", audio1=first["audio"], audio2=second["audio"])
    section.column(DECODER_WIDTH)
    video = section.node("CreateVideo", images=frames["IMAGE"], audio=sound["AUDIO"], fps=frame_rate)
    section.column(PLAYER_WIDTH)
    add_video_file(section, graph.name, video["VIDEO"])
