"""Save Voice and Load Voice: a voice is encoded once and kept, with the consent of its speaker."""

from datetime import date

from comfy_api.latest import io

from ..idlora_core.consent import Consent
from ..idlora_core.voice_file import Voice, read_voice, write_voice
from .host import saved_voices
from .host.flac import encode_flac
from .host.metric_models import AUTO
from .host.metric_models import FOLDER as METRICS_FOLDER
from .host.scoring import embedding_of
from .host.status import missing_output, send_status
from .host.voice_folder import FOLDER, new_voice_path, voice_names, voice_path
from .pictures import voice_picture
from .pictures.previews import player_input, players_and_picture
from .sockets import CATEGORY, IdentityReference

VOICES = f"{CATEGORY}/voices"
REFUSE, NUMBER, REPLACE = "refuse", "add a number", "replace it"


def _consent_input(name: str, tooltip: str, multiline: bool = False) -> io.String.Input:
    return io.String.Input(f"consent_{name}", default="", multiline=multiline, optional=True, tooltip=tooltip)


class SaveVoice(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_SaveVoice",
            display_name="Save Voice",
            category=VOICES,
            description=(
                f"Keeps an encoded voice in models/{FOLDER}, with its speaker's consent, so that Load Voice gives it"
                " again without the recording. Such a file is biometric data: keep it as you would the recording."
            ),
            search_aliases=[
                "voice library",
                "voice preset",
                "voice profile",
                "speaker",
                "consent",
                "id-lora",
            ],
            inputs=[
                IdentityReference.Input("reference", tooltip="The voice, from Encode Reference Audio."),
                io.String.Input(
                    "name", default="", tooltip="What Load Voice lists it as, and the file's name."
                ),
                io.Audio.Input(
                    "audio",
                    optional=True,
                    tooltip="The audio output of Encode Reference Audio, to be kept in the file with the voice.",
                ),
                io.Boolean.Input(
                    "keep_audio",
                    default=True,
                    optional=True,
                    tooltip=(
                        "Keep the recording in the file, as 16 kHz FLAC: Load Voice can then play it, and encode it"
                        " again for another VAE. Off: the voice can only be used with the VAE that encoded it."
                    ),
                ),
                io.Boolean.Input(
                    "keep_embedding",
                    default=False,
                    optional=True,
                    advanced=True,
                    tooltip=(
                        "Keep what the voice encoder makes of the recording, so that Pick Take can compare takes with"
                        " the voice where the recording is not in the file. Needs a voice encoder in"
                        f" models/{METRICS_FOLDER}."
                    ),
                ),
                io.String.Input(
                    "language",
                    default="",
                    optional=True,
                    tooltip="The recording's language; shown by Load Voice.",
                ),
                _consent_input("by", "Who agreed to the use of the voice: the speaker's name."),
                _consent_input("date", "When, as 2026-11-21."),
                _consent_input("scope", "For what: a project, a product, private use."),
                _consent_input(
                    "until", "The last day on which the voice may be used, as 2027-11-21. Empty: no end."
                ),
                _consent_input("statement", "The consent in the speaker's own words.", multiline=True),
                io.Combo.Input(
                    "if_exists",
                    options=[REFUSE, NUMBER, REPLACE],
                    default=REFUSE,
                    optional=True,
                    tooltip="What to do where a voice of that name is there already.",
                ),
            ],
            outputs=[],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        reference,
        name,
        audio=None,
        keep_audio=True,
        keep_embedding=False,
        language="",
        consent_by="",
        consent_date="",
        consent_scope="",
        consent_until="",
        consent_statement="",
        if_exists=REFUSE,
    ) -> io.NodeOutput:
        path = new_voice_path(name, is_numbered=if_exists == NUMBER)
        fields = (consent_by, consent_date, consent_scope, consent_until, consent_statement)
        flac, embedding = b"", reference.embedding
        if audio is not None:
            recording = saved_voices.matching_recording(reference, audio)
            flac = encode_flac(*recording) if keep_audio else b""
            embedding = embedding_of(audio, AUTO) if keep_embedding else None
        elif keep_embedding and embedding is None:
            raise ValueError("keep_embedding needs the recording: connect audio, or switch it off.")
        voice = Voice(
            name=path.stem,
            reference=reference,
            flac=flac,
            embedding=embedding,
            language=language.strip(),
            created=date.today().isoformat(),
            consent=Consent(*(text.strip() for text in fields)),
        )
        write_voice(voice, path, replace=if_exists == REPLACE)
        kept = "with the recording" if flac else "without the recording"
        send_status(
            cls.hidden.unique_id, f"Saved {path.name} in {path.parent}, {kept}. {voice.consent.summary}"
        )
        return io.NodeOutput()


class LoadVoice(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_LoadVoice",
            display_name="Load Voice",
            category=VOICES,
            description=(
                "Gives a saved voice, bit for bit as it was encoded; plays it and shows whose it is and for what it"
                " may be used. A voice whose consent has ended is refused."
            ),
            search_aliases=["voice library", "voice preset", "saved voice", "speaker", "consent", "id-lora"],
            inputs=[
                io.Combo.Input(
                    "voice",
                    options=voice_names(),
                    tooltip=f"A voice in models/{FOLDER}, or one of the synthetic ones that come with the pack.",
                ),
                io.Vae.Input(
                    "audio_vae",
                    optional=True,
                    tooltip=(
                        "Needed only for a voice that another VAE encoded, or that is a recording alone: it is then"
                        " encoded with this one. From LTXV Audio VAE Loader."
                    ),
                ),
                player_input("Plays the recording in the voice file."),
            ],
            outputs=[
                IdentityReference.Output(
                    display_name="reference", tooltip="The voice, for the sampler or the guider."
                ),
                io.Audio.Output(
                    display_name="audio", tooltip="The recording, where the file has one: for Pick Take."
                ),
                io.String.Output(
                    display_name="consent",
                    tooltip="Who agreed to what and when, for Save Signed Video; empty where the file does not say.",
                ),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,  # else the frontend shows no player
        )

    @classmethod
    def fingerprint_inputs(cls, voice: str | None = None, **_) -> str:
        return saved_voices.fingerprint(voice) if voice else ""  # the host leaves out linked inputs

    @classmethod
    def execute(cls, voice, audio_vae=None, audioUI=None) -> io.NodeOutput:
        saved = read_voice(voice_path(voice))
        saved_voices.check_consent(voice, saved.consent, date.today())
        audio = saved_voices.recording(saved)
        reference, remark = saved_voices.reference_for(voice, saved, audio, audio_vae)
        shown, problem = _shown(saved, audio)
        summary = f"{reference.num_tokens} tokens. {saved.consent.summary}"
        send_status(cls.hidden.unique_id, " ".join(filter(None, [summary, remark, problem])))
        no_audio = f"The voice {voice!r} was saved without its recording: there is no audio to give on."
        outputs = reference, missing_output(no_audio) if audio is None else audio, saved.consent.in_full
        return io.NodeOutput(*outputs, ui=shown) if shown else io.NodeOutput(*outputs)


def _shown(voice: Voice, audio: dict | None) -> tuple[dict | None, str]:
    """Player and card; the card alone where there is no recording."""
    waveform = None if audio is None else audio["waveform"]
    return players_and_picture([] if audio is None else [audio], lambda: voice_picture.draw(voice, waveform))


NODES = [SaveVoice, LoadVoice]
