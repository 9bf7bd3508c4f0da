"""Encode Reference Audio: a recording becomes the voice that the clip will speak with."""

from comfy_api.latest import io

from ..idlora_core.positions import LTX2_GRID
from ..idlora_core.reference import Reference
from ..idlora_core.voice.recording import SELECTIONS, Recording, prepare_recording
from .host import vae as host_vae
from .host.status import send_advised_status
from .host.vae_fingerprint import vae_fingerprint
from .pictures import reference_picture
from .pictures.previews import player_and_picture, player_input
from .sockets import CATEGORY, IdentityReference

SECONDS_PER_LATENT = LTX2_GRID.seconds_per_latent


TITLE = "Encode Reference Audio"


class EncodeReferenceAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_EncodeReferenceAudio",
            display_name=TITLE,
            category=CATEGORY,
            description=(
                "Turns a voice recording into the reference that ID-LoRA speaks with."
                " Any sample rate, any number of channels; the best seconds of speech are taken, shown and played, with"
                " advice where the recording is short, clipped or noisy, or holds music or two speakers."
            ),
            search_aliases=[
                "voice clone",
                "reference audio",
                "voice reference",
                "speaker",
                "reference check",
                "id-lora",
            ],
            inputs=[
                io.Audio.Input(
                    "audio",
                    tooltip="3-5 s of clear, continuous speech by one person, without music or noise.",
                ),
                io.Vae.Input("audio_vae", tooltip="From LTXV Audio VAE Loader, with the LTX-2 checkpoint."),
                io.Float.Input(
                    "max_seconds",
                    default=5.0,
                    min=0.5,
                    max=30.0,
                    step=0.1,
                    tooltip=(
                        "Uses at most this many seconds of the recording. The model was trained"
                        " with about 5 s; users report that longer references are echoed in the clip."
                    ),
                ),
                io.Float.Input(
                    "reference_gap_seconds",
                    default=SECONDS_PER_LATENT,
                    min=0.01,
                    max=5.0,
                    step=0.01,
                    tooltip=(
                        "How long before the clip the reference ends, on the model's time line; it costs nothing."
                        " 0.04 s, one audio token, is what ID-LoRAs were trained with. More sets the clip's first"
                        " sound further apart from the reference's last, at distances that were not trained."
                        " Meant against a wrong voice in the first half second; experimental."
                    ),
                    optional=True,
                    advanced=True,
                ),
                io.Combo.Input(
                    "selection",
                    options=list(SELECTIONS),
                    default=SELECTIONS[0],
                    tooltip=(
                        "best part: the seconds with most clear speech, from a pause to a pause where there are any."
                        " from the start: the first seconds, from where sound begins."
                    ),
                    optional=True,
                ),
                io.Boolean.Input(
                    "shorten_pauses",
                    default=True,
                    tooltip=(
                        "Pauses longer than 0.5 s become 0.3 s, so that more of the reference is voice."
                        " Speech without such pauses is left as it is, bit for bit."
                    ),
                    optional=True,
                    advanced=True,
                ),
                io.Boolean.Input(
                    "level_loudness",
                    default=False,
                    tooltip=(
                        "Normalises what is taken to -23 LUFS (EBU R 128), less where it would clip."
                        " For recordings that are much too soft or too loud; off leaves the level alone."
                    ),
                    optional=True,
                    advanced=True,
                ),
                player_input(),
            ],
            outputs=[
                IdentityReference.Output(
                    display_name="reference", tooltip="The voice, for the sampler or the guider."
                ),
                io.Audio.Output(display_name="audio", tooltip="What was really encoded, to listen to."),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,  # else the frontend shows no player; and a voice can be judged before a render
        )

    @classmethod
    def execute(
        cls,
        audio,
        audio_vae,
        max_seconds,
        reference_gap_seconds=SECONDS_PER_LATENT,
        selection=SELECTIONS[0],
        shorten_pauses=True,
        level_loudness=False,
        audioUI=None,
    ) -> io.NodeOutput:
        grid = host_vae.audio_grid(audio_vae)
        if audio is None:
            raise ValueError("Reference audio is missing; the video it comes from may have no sound.")
        recording = prepare_recording(
            audio["waveform"],
            audio["sample_rate"],
            grid.sample_rate,
            max_seconds,
            selection,
            shorten_pauses,
            level_loudness,
        )
        latent = host_vae.encode_reference(audio_vae, recording.waveform)
        family, fingerprint = host_vae.audio_family(audio_vae), vae_fingerprint(audio_vae)
        reference = Reference(latent, grid, reference_gap_seconds, family, fingerprint)
        shown, remark = player_and_picture(
            recording.waveform, grid.sample_rate, lambda: reference_picture.draw(recording, reference)
        )
        remarks = " ".join(filter(None, [*recording.remarks, remark]))
        summary = _summary(recording, reference)
        send_advised_status(cls.hidden.unique_id, TITLE, remarks, f"{remarks} {summary}".lstrip())
        outputs = reference, {"waveform": recording.waveform, "sample_rate": grid.sample_rate}
        return io.NodeOutput(*outputs, ui=shown) if shown else io.NodeOutput(*outputs)


def _summary(recording: Recording, reference: Reference) -> str:
    """4.8 s, 121 tokens, -21 dBFS, 92% speech."""
    return (
        f"{recording.seconds:.1f} s, {reference.num_tokens} tokens, {recording.level_dbfs:.0f} dBFS,"
        f" {100 * recording.diagnosis.speech_share:.0f}% speech"
    )


NODES = [EncodeReferenceAudio]
