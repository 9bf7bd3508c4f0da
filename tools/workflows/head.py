"""What the workflows have in common: the notes, the loaders, and the face, the voice and the words."""

from dataclasses import dataclass

from .graph import Graph, Model, Output, Section
from .models import CHECKPOINT, DISTILLED_LORA, ID_LORA, INGREDIENTS_LORA, TEXT_ENCODER

BLUE, GREEN, PURPLE, ORANGE, GREY = "#5aa0d0", "#5fae78", "#9a7fc0", "#d0894f", "#888888"

STATUS_HEIGHT = 60  # of the line that a node shows after its run
REFERENCE_PICTURE_HEIGHT = 220  # of the picture below it on Encode Reference Audio

LENGTH_TITLE = "Length (frames)"
NUM_FRAMES, FRAME_RATE = 121, 25.0  # the paper's; 4.84 s have room for ten to twelve words

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
    graph.section(None, GREY, width=420).note("Read me", f"{text}{EXAMPLES}", height=300)


def add_model_note(section: Section, models: tuple[Model, ...]) -> None:
    lines = [f"- `{model.directory}`: [{model.name}]({model.url})" for model in models]
    text = "\n".join(["Each file belongs in its folder of ComfyUI's `models`:", "", *lines])
    section.note("Model files", text, height=60 + 24 * len(models))


def add_loaders(
    graph: Graph,
    distilled_strength: float | None = None,
    second_stage: tuple[Model, ...] = (),
    ingredients: bool = False,
) -> Loaders:
    """The checkpoint with the ID-LoRA.

    Args:
        distilled_strength: of the distilled LoRA below the ID-LoRA; None leaves it out.
        second_stage: files that another section loads, for the note.
        ingredients: whether the LoRA of reference sheets is below the ID-LoRA.
    """
    section = graph.section("1 · Models", BLUE, width=420, is_below=True)
    base = section.node("CheckpointLoaderSimple", ckpt_name=CHECKPOINT.name, models=(CHECKPOINT,))
    audio_vae = section.node("LTXVAudioVAELoader", ckpt_name=CHECKPOINT.name, models=(CHECKPOINT,))
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
    if ingredients:
        model = _add_lora(section, model, "Ingredients LoRA", INGREDIENTS_LORA, 1.0)
    model = add_id_lora(section, model)
    distilled = () if distilled_strength is None else (DISTILLED_LORA,)
    sheet = (INGREDIENTS_LORA,) if ingredients else ()
    files = (CHECKPOINT, TEXT_ENCODER, ID_LORA, *distilled, *sheet, *second_stage)
    add_model_note(section, tuple(dict.fromkeys(files)))
    return Loaders(base["MODEL"], model, text_encoder["CLIP"], base["VAE"], audio_vae["Audio VAE"])


def add_distilled_lora(section: Section, model: Output, strength: float) -> Output:
    return _add_lora(section, model, "Distilled LoRA", DISTILLED_LORA, strength)


def _add_lora(section: Section, model: Output, title: str, file: Model, strength: float) -> Output:
    node = section.node(
        "LoraLoaderModelOnly",
        title=title,
        model=model,
        lora_name=file.name,
        strength_model=strength,
        models=(file,),
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


def add_face_voice_words(graph: Graph, loaders: Loaders) -> Conditions:
    section = graph.section("2 · Face, voice, words", GREEN, width=360)
    image = section.node("LoadImage", title="Face (first frame)", image="idlora_portrait.png", height=330)
    audio = section.node(
        "LoadAudio", title="Voice (3-5 s of one speaker)", audio="idlora_voice.flac", height=150
    )
    reference = section.node(
        "LTXIDLoRA_EncodeReferenceAudio",
        audio=audio["AUDIO"],
        audio_vae=loaders.audio_vae,
    )
    section.space(STATUS_HEIGHT + REFERENCE_PICTURE_HEIGHT)
    length, frame_rate = add_clip_length(section)
    section.note("Consent", CONSENT, height=90)
    section.column(width=460)
    positive = add_words(section, loaders.clip, SPEECH, length, frame_rate)
    negative = section.node("CLIPTextEncode", title="Negative", height=190, clip=loaders.clip, text=NEGATIVE)
    latent = section.node(
        "LTXIDLoRA_FirstFrame",
        video_vae=loaders.video_vae,
        audio_vae=loaders.audio_vae,
        image=image["IMAGE"],
        length=length,
        frame_rate=frame_rate,
    )
    return Conditions(
        positive,
        negative["CONDITIONING"],
        latent["latent"],
        reference["reference"],
        image["IMAGE"],
        audio["AUDIO"],
        length,
        frame_rate,
    )


def add_clip_length(section: Section) -> tuple[Output, Output]:
    """Length and frame rate, entered once for all nodes that ask for them."""
    length = section.node(
        "PrimitiveInt", title=LENGTH_TITLE, value=NUM_FRAMES, control_after_generate="fixed"
    )
    frame_rate = section.node("PrimitiveFloat", title="Frame rate", value=FRAME_RATE)
    return length["INT"], frame_rate["FLOAT"]


def add_words(section: Section, clip: Output, speech: str, length: Output, frame_rate: Output) -> Output:
    """The three-part prompt, encoded; its node knows the clip and says whether the words fit."""
    prompt = section.node(
        "LTXIDLoRA_Prompt",
        height=440 + STATUS_HEIGHT,
        visual=VISUAL,
        speech=speech,
        sounds=SOUNDS,
        length=length,
        frame_rate=frame_rate,
    )
    encoded = section.node("CLIPTextEncode", title="Positive", height=100, clip=clip, text=prompt["prompt"])
    return encoded["CONDITIONING"]
