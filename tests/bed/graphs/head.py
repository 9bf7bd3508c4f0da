"""What the workflows have in common: the notes, the loaders, and the face, the voice and the words."""

from dataclasses import dataclass

from .graph import Graph, Model, Output, Section
from .models import CHECKPOINT, ID_LORA, TEXT_ENCODER

BLUE, GREEN, PURPLE, ORANGE, GREY = "#5aa0d0", "#5fae78", "#9a7fc0", "#d0894f", "#888888"

STATUS_HEIGHT = 60  # of the line that a node shows after its run

# 121 frames at 25 fps are 4.84 s: room for ten to twelve words.
VISUAL = (
    "A medium close-up of a woman with a dark brown bob and a teal jumper. She faces the camera in front of "
    "a plain, warm wall, in soft light from the left, and speaks calmly with small movements of her head."
)
SPEECH = "Hello! I am only a drawing, but today I can speak."
SOUNDS = (
    "A clear, friendly woman's voice with a British accent at a calm pace, close to the microphone, in a "
    "small quiet room. No music."
)
NEGATIVE = (
    "blurred, low resolution, compression artefacts, flicker, jitter, warped face, asymmetrical eyes, "
    "extra fingers, still picture, closed mouth, lips out of time with the words, subtitles, lettering, "
    "watermark, logo, robotic voice, mumbling, wrong words, second speaker, hiss, hum, clipped sound, "
    "background music"
)

CONSENT = """
Use a face and a voice only of people who agreed to it, and say that the clip is synthetic where you show \
it. The example face is drawn and the example voice is a speech synthesiser: neither is a person.
"""


@dataclass(frozen=True)
class Loaders:
    model: Output
    clip: Output
    video_vae: Output
    audio_vae: Output


@dataclass(frozen=True)
class Conditions:
    positive: Output
    negative: Output
    latent: Output
    reference: Output


def add_introduction(graph: Graph, text: str) -> None:
    graph.section(None, GREY, width=420).note("Read me", text, height=300)


def _add_model_note(section: Section, models: tuple[Model, ...]) -> None:
    lines = [f"- `{model.directory}`: [{model.name}]({model.url})" for model in models]
    text = "\n".join(["Each file belongs in its folder of ComfyUI's `models`:", "", *lines])
    section.note("Model files", text, height=60 + 24 * len(models))


def add_loaders(graph: Graph, checkpoint: Model = CHECKPOINT) -> Loaders:
    section = graph.section("1 · Models", BLUE, width=420, is_below=True)
    base = section.node("CheckpointLoaderSimple", ckpt_name=checkpoint.name, models=(checkpoint,))
    audio_vae = section.node("LTXVAudioVAELoader", ckpt_name=checkpoint.name, models=(checkpoint,))
    text_encoder = section.node(
        "LTXAVTextEncoderLoader",
        text_encoder=TEXT_ENCODER.name,
        ckpt_name=checkpoint.name,
        device="default",
        models=(TEXT_ENCODER, checkpoint),
    )
    id_lora = section.node(
        "LTXIDLoRA_Load",
        height=82 + STATUS_HEIGHT,
        model=base["MODEL"],
        lora_name=ID_LORA.name,
        models=(ID_LORA,),
    )
    _add_model_note(section, (checkpoint, TEXT_ENCODER, ID_LORA))
    return Loaders(id_lora["model"], text_encoder["CLIP"], base["VAE"], audio_vae["Audio VAE"])


def add_face_voice_words(graph: Graph, loaders: Loaders) -> Conditions:
    section = graph.section("2 · Face, voice, words", GREEN, width=360)
    image = section.node("LoadImage", title="Face (first frame)", image="portrait.png", height=330)
    audio = section.node("LoadAudio", title="Voice (3-5 s of one speaker)", audio="voice.flac", height=150)
    reference = section.node(
        "LTXIDLoRA_EncodeReferenceAudio",
        height=78 + STATUS_HEIGHT,
        audio=audio["AUDIO"],
        audio_vae=loaders.audio_vae,
    )
    latent = section.node(
        "LTXIDLoRA_FirstFrame",
        video_vae=loaders.video_vae,
        audio_vae=loaders.audio_vae,
        image=image["IMAGE"],
    )
    section.column(width=460)
    prompt = section.node("LTXIDLoRA_Prompt", height=440, visual=VISUAL, speech=SPEECH, sounds=SOUNDS)
    positive = section.node(
        "CLIPTextEncode", title="Positive", height=100, clip=loaders.clip, text=prompt["prompt"]
    )
    negative = section.node("CLIPTextEncode", title="Negative", height=190, clip=loaders.clip, text=NEGATIVE)
    section.note("Consent", CONSENT, height=90)
    return Conditions(
        positive["CONDITIONING"], negative["CONDITIONING"], latent["latent"], reference["reference"]
    )
