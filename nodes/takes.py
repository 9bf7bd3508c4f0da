"""Takes, Pick Take and Score Take: several seeds of one prompt, heard, scored and ranked before a picture is decoded."""

import json
from typing import Any

from comfy_api.latest import io

from ..idlora_core.options import checked_number
from ..idlora_core.takes.report import TakesReport
from .host.decoded_sound import heard_sound, with_decoded_sound
from .host.metric_models import AUTO, FOLDER, choices, recogniser, state, voice_encoder
from .host.scoring import score_takes, write_report
from .host.status import send_status
from .host.vae import audio_model
from .pictures import takes_picture
from .pictures.previews import player_input, players_and_picture
from .sockets import CATEGORY, IdentityReference, audio_vae_input, known_frame_rate_input

TAKES = f"{CATEGORY}/takes"
MAX_TAKES = 64
MAX_SEED = 2**64 - 1
UNKNOWN_SEED = -1  # of a take whose seed is not connected


def _scoring_inputs() -> list[io.Input]:
    """What both scoring nodes compare with, and by what."""
    return [
        io.Audio.Input(
            "reference_audio",
            optional=True,
            tooltip="The reference's recording: the audio output of Encode Reference Audio or Load Voice.",
        ),
        IdentityReference.Input(
            "reference",
            optional=True,
            tooltip="A saved voice whose file holds an embedding; used where reference_audio is not connected.",
        ),
        io.String.Input(
            "words",
            multiline=True,
            default="",
            optional=True,
            tooltip="What should be said: connect the text that also goes to the speech of ID-LoRA Prompt.",
        ),
        io.Combo.Input(
            "voice_encoder",
            options=choices("voice"),
            default=AUTO,
            optional=True,
            advanced=True,
            tooltip=f"Measures how alike two voices are: a file or folder in models/{FOLDER}. Nothing is downloaded.",
        ),
        io.Combo.Input(
            "speech_recognition",
            options=choices("words"),
            default=AUTO,
            optional=True,
            advanced=True,
            tooltip=f"Writes down what is said: a folder with Whisper or Moonshine in models/{FOLDER}.",
        ),
    ]


class Takes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_Takes",
            display_name="Takes",
            category=TAKES,
            description=(
                "A list of seeds: connected to a sampler's seed, it samples one take for each. Pick Take chooses"
                " the best."
            ),
            search_aliases=["seeds", "batch", "variations", "best of", "seed list", "id-lora"],
            inputs=[
                io.Int.Input(
                    "takes",
                    default=4,
                    min=1,
                    max=MAX_TAKES,
                    tooltip="How many takes to sample, one after the other.",
                ),
                io.Int.Input(
                    "first_seed",
                    default=0,
                    min=0,
                    max=MAX_SEED,
                    control_after_generate=True,
                    tooltip="Seed of the first take; each further one is one higher.",
                ),
            ],
            outputs=[
                io.Int.Output(
                    display_name="seeds",
                    is_output_list=True,
                    tooltip="For the sampler's seed, and for Pick Take.",
                )
            ],
        )

    @classmethod
    def execute(cls, takes, first_seed) -> io.NodeOutput:
        checked_number("takes", takes, 1, MAX_TAKES)
        return io.NodeOutput([(first_seed + number) % (MAX_SEED + 1) for number in range(takes)])


class PickTake(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_PickTake",
            display_name="Pick Take",
            category=TAKES,
            description=(
                "Decodes the sound of every take, scores it by voice and words, and gives the best latent on: picture"
                " and second stage are computed for that one alone. Scores hold within one prompt only."
            ),
            search_aliases=[
                "best of",
                "choose seed",
                "rank takes",
                "voice similarity",
                "word error rate",
                "id-lora",
            ],
            inputs=[
                io.Latent.Input(
                    "latents",
                    lazy=True,
                    tooltip="The takes: the latent of a sampler whose seed comes from Takes.",
                ),
                audio_vae_input(),
                *_scoring_inputs(),
                io.Int.Input(
                    "seeds",
                    default=UNKNOWN_SEED,
                    min=UNKNOWN_SEED,
                    max=MAX_SEED,
                    optional=True,
                    tooltip="The seeds of Takes, by which the takes are named.",
                ),
                known_frame_rate_input("As on AV Decode: 0 is the latent's own, else 25.", advanced=True),
                io.String.Input(
                    "filename_prefix",
                    default="takes/ID-LoRA",
                    optional=True,
                    advanced=True,
                    tooltip="Where in the output folder all scores are written as JSON; the winner's seed is added.",
                ),
                player_input("Plays the best take."),
            ],
            outputs=[
                io.Latent.Output(
                    display_name="latent", tooltip="The best take, for AV Decode or Second Stage."
                ),
                io.Int.Output(display_name="seed", tooltip="Its seed."),
                io.Audio.Output(display_name="audio", tooltip="Its sound."),
                io.String.Output(display_name="report", tooltip="All scores, as JSON."),
            ],
            hidden=[io.Hidden.unique_id],
            is_input_list=True,
            is_output_node=True,  # else the frontend shows no player; and takes can be compared before a decode
        )

    @classmethod
    def fingerprint_inputs(cls, **_) -> str:
        return state()

    @classmethod
    def check_lazy_status(
        cls, audio_vae, latents=None, voice_encoder=None, speech_recognition=None, **_
    ) -> list[str]:
        """Asked before anything is sampled: refuse here what would be refused after the last take."""
        audio_model(_only(audio_vae))
        _check_models(_only(voice_encoder, AUTO), _only(speech_recognition, AUTO))
        return ["latents"] if _only(latents) is None else []

    @classmethod
    def execute(
        cls,
        latents,
        audio_vae,
        reference_audio=None,
        reference=None,
        words=None,
        voice_encoder=None,
        speech_recognition=None,
        seeds=None,
        frame_rate=None,
        filename_prefix=None,
        audioUI=None,
    ) -> io.NodeOutput:
        vae, rate = _only(audio_vae), _only(frame_rate, 0.0)
        names = _names(seeds, len(latents))
        latents = [with_decoded_sound(latent, vae) for latent in latents]
        sounds = [_audio(*heard_sound(latent, vae, rate)) for latent in latents]
        report = score_takes(
            sounds,
            names,
            _only(words, ""),
            _only(reference_audio),
            _only(reference),
            _only(voice_encoder, AUTO),
            _only(speech_recognition, AUTO),
        )
        path = write_report(report, _only(filename_prefix, "takes/ID-LoRA"))
        shown, problem = players_and_picture(
            [sounds[place.take] for place in report.places], lambda: takes_picture.draw(report)
        )
        send_status(
            cls.hidden.unique_id, " ".join(filter(None, [report.status, f"Scores: {path.name}.", problem]))
        )
        best = report.winner
        outputs = latents[best], names[best] or 0, sounds[best], _as_text(report)
        return io.NodeOutput(*outputs, ui=shown) if shown else io.NodeOutput(*outputs)


class ScoreTake(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_ScoreTake",
            display_name="Score Take",
            category=TAKES,
            description=(
                "Measures one finished take: speech, onset, pace, loudness and clipping; voice and words where a model"
                " file is there. Scores can be compared within one prompt only."
            ),
            search_aliases=["voice similarity", "word error rate", "wer", "evaluate", "quality", "id-lora"],
            inputs=[
                io.Audio.Input("audio", optional=True, tooltip="The take's sound; or connect video."),
                io.Video.Input("video", optional=True, tooltip="A video whose sound is scored."),
                *_scoring_inputs(),
            ],
            outputs=[io.String.Output(display_name="report", tooltip="All scores, as JSON.")],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def fingerprint_inputs(cls, **_) -> str:
        return state()

    @classmethod
    def execute(
        cls,
        audio=None,
        video=None,
        reference_audio=None,
        reference=None,
        words="",
        voice_encoder=AUTO,
        speech_recognition=AUTO,
    ) -> io.NodeOutput:
        sound = _sound_of(audio, video)
        models = voice_encoder, speech_recognition
        report = score_takes([sound], [None], words, reference_audio, reference, *models)
        shown, problem = players_and_picture([], lambda: takes_picture.draw(report))
        status = " ".join(filter(None, [f"{report.takes[0].summary}.", *report.remarks, problem]))
        send_status(cls.hidden.unique_id, status)
        text = _as_text(report)
        return io.NodeOutput(text, ui=shown) if shown else io.NodeOutput(text)


def _only(values, default=None) -> Any:
    """The one value of an input that comes as a list."""
    return default if not values or values[0] is None else values[0]


def _check_models(encoder_choice: str, recogniser_choice: str) -> None:
    """Load them, which the scoring then need not; refused where they are not what they should be."""
    voice_encoder(encoder_choice)
    recogniser(recogniser_choice)


def _names(seeds: list[int] | None, num_takes: int) -> list[int | None]:
    """The seeds of the takes; None for each where they are not connected."""
    is_known = seeds is not None and len(seeds) == num_takes and UNKNOWN_SEED not in seeds
    return list(seeds) if is_known and seeds is not None else [None] * num_takes


def _audio(waveform, sample_rate: int) -> dict:
    return {"waveform": waveform, "sample_rate": sample_rate}


def _sound_of(audio, video) -> dict:
    """The sound of whichever of the two is connected."""
    if (audio is None) == (video is None):
        raise ValueError("Score Take scores one sound: connect either audio or video.")
    sound = audio if video is None else video.get_components().audio
    if sound is None:
        raise ValueError("The video has no sound to score. Connect a video with sound, or an audio.")
    return sound


def _as_text(report: TakesReport) -> str:
    return json.dumps(report.as_dict(), ensure_ascii=False, indent=1)


NODES = [Takes, PickTake, ScoreTake]
