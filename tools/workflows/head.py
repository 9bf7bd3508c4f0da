"""What the workflows have in common: the notes, the loaders, and the face, the voice and the words."""

from dataclasses import dataclass

from .graph import Graph, Model, Output, Section
from .layout import GAP
from .models import CHECKPOINT, DISTILLED_LORA, ID_LORA, TEXT_ENCODER

BLUE, GREEN, PURPLE, ORANGE, GREY = "#5aa0d0", "#5fae78", "#9a7fc0", "#d0894f", "#888888"

# Widths: what is linked stands in columns side by side, so that no wire goes back; and a one-stage graph is no wider than
# the classic renderer can show with its text on a window of 1600 x 1000.
COLUMNS = (320, 320, 290)
SAMPLER_WIDTH, DECODER_WIDTH, PLAYER_WIDTH = 290, 220, 300
NOTE_WIDTH = DECODER_WIDTH + GAP + PLAYER_WIDTH

STATUS_HEIGHT = 60  # of the line that a node shows after its run
REFERENCE_PICTURE_HEIGHT = 220  # of the picture below it on Encode Reference Audio

CLIP_LENGTH = "LTXIDLoRA_ClipLength"
WORDS_TITLE = "What is said"
SHIPPED_VOICE = "Synthetic Ada (British)"
SECONDS, FRAME_RATE = 4.8, 25.0  # the paper's 121 frames: room for ten to twelve words

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

EXAMPLES = """
To try it first, press Run: the example face and voice are in ComfyUI's `input` folder already. Your own come \
in with the two upload buttons.
"""

CONSENT = """
Use a face and a voice only of people who agreed to it, and say that the clip is synthetic where you show \
it. The example face is drawn and the example voice is a speech synthesiser: neither is a person.
"""


@dataclass(frozen=True)
class Loaders:
    """What the model files give: `base` is the bare model, `model` has the LoRAs of the first stage."""

    base: Output
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
    image: Output
    recording: Output
    length: Output
    frame_rate: Output


def add_introduction(graph: Graph, text: str) -> None:
    graph.section(None, GREY, NOTE_WIDTH, place="head").note("Read me", f"{text}{EXAMPLES}", height=300)


def add_model_note(section: Section, models: tuple[Model, ...]) -> None:
    section = section.graph.section(None, GREY, NOTE_WIDTH, place="foot")
    lines = [f"- `{model.directory}`: [{model.name}]({model.url})" for model in models]
    text = "\n".join(["Each file belongs in its folder of ComfyUI's `models`:", "", *lines])
    section.note("Model files", text, height=60 + 24 * len(models))


def add_loaders(
    graph: Graph, distilled_strength: float | None = None, second_stage: tuple[Model, ...] = ()
) -> Loaders:
    """The checkpoint with the ID-LoRA.

    Args:
        distilled_strength: of the distilled LoRA below the ID-LoRA; None leaves it out.
        second_stage: files that another section loads, for the note.
    """
    section = graph.section("1 · Models", BLUE, COLUMNS[0])
    base = section.node("CheckpointLoaderSimple", ckpt_name=CHECKPOINT.name, models=(CHECKPOINT,))
    audio_vae = section.node("LTXVAudioVAELoader", ckpt_name=CHECKPOINT.name, models=(CHECKPOINT,))
    section.column(COLUMNS[1])
    text_encoder = section.node(
        "LTXAVTextEncoderLoader",
        text_encoder=TEXT_ENCODER.name,
        ckpt_name=CHECKPOINT.name,
        device="default",
        models=(TEXT_ENCODER, CHECKPOINT),
    )
    model = base["MODEL"]
    if distilled_strength is not None:
        model = add_distilled_lora(section, model, distilled_strength)
    section.column(COLUMNS[2])
    model = add_id_lora(section, model)
    distilled = () if distilled_strength is None else (DISTILLED_LORA,)
    files = (CHECKPOINT, TEXT_ENCODER, ID_LORA, *distilled, *second_stage)
    add_model_note(section, tuple(dict.fromkeys(files)))
    return Loaders(base["MODEL"], model, text_encoder["CLIP"], base["VAE"], audio_vae["Audio VAE"])


def add_distilled_lora(section: Section, model: Output, strength: float) -> Output:
    node = section.node(
        "LoraLoaderModelOnly",
        title="Distilled LoRA",
        model=model,
        lora_name=DISTILLED_LORA.name,
        strength_model=strength,
        models=(DISTILLED_LORA,),
    )
    return node["MODEL"]


def add_id_lora(section: Section, model: Output) -> Output:
    node = section.node(
        "LTXIDLoRA_Load",
        height=82 + STATUS_HEIGHT,
        model=model,
        lora_name=ID_LORA.name,
        models=(ID_LORA,),
    )
    return node["model"]


def add_face_voice_words(
    graph: Graph, loaders: Loaders, is_saved_voice: bool = False, has_shared_words: bool = False
) -> Conditions:
    """The conditions of the first stage.

    Args:
        is_saved_voice: a voice on file in place of a recording.
        has_shared_words: the words stand in a node of their own, for others to read.
    """
    section = graph.section("2 · Face, voice, words", GREEN, COLUMNS[0], is_below=True)
    image = section.node("LoadImage", title="Face (first frame)", image="idlora_portrait.png", height=300)
    recording = None if is_saved_voice else add_recording(section)
    words = add_shared_words(section) if has_shared_words else SPEECH
    length, frame_rate = add_clip_length(section)
    section.column(COLUMNS[1])
    prompt = add_prompt(section, words, length, frame_rate)
    latent = section.node(
        "LTXIDLoRA_FirstFrame",
        video_vae=loaders.video_vae,
        audio_vae=loaders.audio_vae,
        image=image["IMAGE"],
        length=length,
        frame_rate=frame_rate,
    )
    section.column(COLUMNS[2])
    positive = section.node("CLIPTextEncode", title="Positive", height=60, clip=loaders.clip, text=prompt)
    negative = section.node("CLIPTextEncode", title="Negative", height=100, clip=loaders.clip, text=NEGATIVE)
    if recording is None:
        reference, recording = add_saved_voice(section, loaders)
    else:
        reference = add_reference(section, loaders, recording)
    graph.section(None, GREY, NOTE_WIDTH, place="foot").note("Consent", CONSENT, height=110)
    return Conditions(
        positive["CONDITIONING"],
        negative["CONDITIONING"],
        latent["latent"],
        reference,
        image["IMAGE"],
        recording,
        length,
        frame_rate,
    )


def add_recording(section: Section) -> Output:
    node = section.node(
        "LoadAudio", title="Voice (3-5 s of one speaker, or a video)", audio="idlora_voice.flac", height=130
    )
    return node["AUDIO"]


def add_reference(section: Section, loaders: Loaders, audio: Output) -> Output:
    """A recording, encoded."""
    node = section.node("LTXIDLoRA_EncodeReferenceAudio", audio=audio, audio_vae=loaders.audio_vae)
    section.space(REFERENCE_PICTURE_HEIGHT)
    return node["reference"]


def add_saved_voice(section: Section, loaders: Loaders) -> tuple[Output, Output]:
    """Reference and recording of a voice on file; the VAE is for those that are a recording alone, as ours are."""
    voice = section.node("LTXIDLoRA_LoadVoice", voice=SHIPPED_VOICE, audio_vae=loaders.audio_vae)
    section.space(STATUS_HEIGHT + REFERENCE_PICTURE_HEIGHT)
    return voice["reference"], voice["audio"]


def add_shared_words(section: Section) -> Output:
    return section.node("PrimitiveStringMultiline", title=WORDS_TITLE, value=SPEECH, height=100)["STRING"]


def add_clip_length(section: Section) -> tuple[Output, Output]:
    """Length and frame rate, entered once for all nodes that ask for them."""
    clip = section.node(CLIP_LENGTH, seconds=SECONDS, frame_rate=FRAME_RATE)
    return clip["length"], clip["frame_rate"]


def add_prompt(section: Section, speech: str | Output, length: Output, frame_rate: Output) -> Output:
    """The three-part prompt; its node knows the clip and says whether the words fit."""
    prompt = section.node(
        "LTXIDLoRA_Prompt",
        height=300 + STATUS_HEIGHT,
        visual=VISUAL,
        speech=speech,
        sounds=SOUNDS,
        length=length,
        frame_rate=frame_rate,
    )
    return prompt["prompt"]


def add_words(section: Section, clip: Output, speech: str, length: Output, frame_rate: Output) -> Output:
    """The prompt, and in the next column its encoding."""
    prompt = add_prompt(section, speech, length, frame_rate)
    section.column(COLUMNS[2])
    encoded = section.node("CLIPTextEncode", title="Positive", height=60, clip=clip, text=prompt)
    return encoded["CONDITIONING"]
