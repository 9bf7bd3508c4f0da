"""A second clip that starts where the first one ends, and both in one file."""

from dataclasses import replace

from .graph import Graph, Node, Output, Section
from .head import (
    COLUMNS,
    DECODER_WIDTH,
    ORANGE,
    PLAYER_WIDTH,
    PURPLE,
    SAMPLER_WIDTH,
    Conditions,
    Loaders,
    add_face_voice_words,
    add_introduction,
    add_loaders,
    add_words,
)
from .tail import PREVIEW_HEIGHT, add_decoder, add_sampler, add_video_file

INTRODUCTION = """
# A longer talk: clip after clip

1. **First clip**: face, voice and words as in the one-stage workflow.
2. **Second clip**: starts with the last frame of the first one and has the same voice, with words of its own.
3. **Run**. Both come in one mp4 in `output/video`; the frame that they share is there once.
"""

CHAIN = """
**More clips.** Copy this group and connect `continue_from` to the images of the clip before. The reference stays \
the same recording: a chain that takes its voice from its own clips drifts.

**Trade-off.** Only the last frame is handed on, so that movement starts anew at the seam. End a clip in a \
pause, and write words that end in one.

**Sound at the seam.** One frame, 0.04 s at 25 frames a second, is cut from the second clip's picture and \
sound. At another frame rate set `start_index` to one frame's length.
"""

SECOND_SPEECH = "And now a second clip follows, with the same face and the same voice."
FRAME_SECONDS = 0.04
LONGEST_BATCH = 4096  # what the host's node takes


def continued() -> Graph:
    graph = Graph("ID-LoRA Talking Head, long speech")
    add_introduction(graph, INTRODUCTION)
    loaders = add_loaders(graph)
    conditions = add_face_voice_words(graph, loaders)
    first = _add_clip(graph.section("3 · First clip", PURPLE, SAMPLER_WIDTH), loaders, conditions)
    second = _add_second_clip(graph, loaders, conditions, first)
    _add_joined(graph, first, second, conditions.frame_rate)
    return graph


def _add_clip(section: Section, loaders: Loaders, conditions: Conditions) -> Node:
    sampled = add_sampler(
        section, loaders.model, conditions, latent=conditions.latent, reference=conditions.reference
    )
    section.space(PREVIEW_HEIGHT)
    section.column(DECODER_WIDTH)
    return add_decoder(section, loaders, sampled)


def _add_second_clip(graph: Graph, loaders: Loaders, conditions: Conditions, first: Node) -> Node:
    section = graph.section("4 · Second clip", PURPLE, COLUMNS[1])
    length, frame_rate = conditions.length, conditions.frame_rate
    positive = add_words(section, loaders.clip, SECOND_SPEECH, length, frame_rate)
    latent = section.node(
        "LTXIDLoRA_FirstFrame",
        video_vae=loaders.video_vae,
        audio_vae=loaders.audio_vae,
        continue_from=first["images"],
        length=length,
        frame_rate=frame_rate,
    )
    section.note("A chain", CHAIN, height=330)
    section.column(SAMPLER_WIDTH)
    return _add_clip(section, loaders, replace(conditions, positive=positive, latent=latent["latent"]))


def _add_joined(graph: Graph, first: Node, second: Node, frame_rate: Output) -> None:
    """Both clips, the second without the frame at the seam."""
    section = graph.section("5 · Save", ORANGE, COLUMNS[2])
    rest = section.node(
        "ImageFromBatch",
        title="Without its first frame",
        image=second["images"],
        batch_index=1,
        length=LONGEST_BATCH,
    )
    sound = section.node(
        "TrimAudioDuration", title="Without its first frame", audio=second["audio"], start_index=FRAME_SECONDS
    )
    section.column(DECODER_WIDTH)
    frames = section.node("ImageBatch", title="Join pictures", image1=first["images"], image2=rest["IMAGE"])
    joined = section.node("AudioConcat", title="Join sounds", audio1=first["audio"], audio2=sound["AUDIO"])
    section.column(DECODER_WIDTH)
    video = section.node("CreateVideo", images=frames["IMAGE"], audio=joined["AUDIO"], fps=frame_rate)
    section.column(PLAYER_WIDTH)
    add_video_file(section, graph.name, video["VIDEO"])
