"""Encode Reference Audio: a recording becomes the voice that the clip will speak with."""

from comfy_api.latest import io

from ..idlora_core.positions import LTX2_GRID
from ..idlora_core.reference import Reference, prepare_waveform
from .host import vae as host_vae
from .host.status import send_status
from .sockets import CATEGORY, IdentityReference

SECONDS_PER_LATENT = LTX2_GRID.seconds_per_latent


class EncodeReferenceAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_EncodeReferenceAudio",
            display_name="Encode Reference Audio",
            category=CATEGORY,
            description=(
                "Turns a voice recording into the reference that ID-LoRA speaks with."
                " Any sample rate, mono or stereo; the first seconds of speech are taken."
            ),
            search_aliases=["voice clone", "reference audio", "voice reference", "speaker", "id-lora"],
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
                        "At most so much of the recording, from where speech begins. The model was trained"
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
                        " Meant against a wrong voice in the first half second; nobody has heard yet whether it helps."
                    ),
                    optional=True,
                    advanced=True,
                ),
            ],
            outputs=[
                IdentityReference.Output(
                    display_name="reference", tooltip="The voice, for the sampler or the guider."
                ),
                io.Audio.Output(display_name="audio", tooltip="What was really encoded, to listen to."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, audio, audio_vae, max_seconds, reference_gap_seconds=SECONDS_PER_LATENT
    ) -> io.NodeOutput:
        grid = host_vae.audio_grid(audio_vae)
        if audio is None:
            raise ValueError("Reference audio is missing; the video it comes from may have no sound.")
        waveform = prepare_waveform(audio["waveform"], audio["sample_rate"], grid.sample_rate, max_seconds)
        reference = Reference(host_vae.encode_reference(audio_vae, waveform), grid, reference_gap_seconds)
        seconds = waveform.shape[-1] / grid.sample_rate
        send_status(cls.hidden.unique_id, f"{seconds:.1f} s, {reference.num_tokens} tokens")
        return io.NodeOutput(reference, {"waveform": waveform, "sample_rate": grid.sample_rate})


NODES = [EncodeReferenceAudio]
