"""AV Decode: a joint latent becomes a video with sound of exactly its length."""

from comfy_api.latest import io

from ..idlora_core.clean_start import without_lead_in
from ..idlora_core.sound import fitted_to_frames
from .host import vae as host_vae
from .host.decoded_sound import decoded_sound
from .host.latents import LEAD_IN_FRAMES, frame_rate_of, streams
from .sockets import CATEGORY, audio_vae_input, known_frame_rate_input, video_vae_input


class DecodeAV(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_DecodeAV",
            display_name="AV Decode",
            category=CATEGORY,
            description=(
                "Decodes picture and sound; a lead-in is removed from both, and the sound is cut or padded to the"
                " picture's length exactly."
            ),
            search_aliases=["decode audio video", "vae decode", "id-lora"],
            inputs=[
                io.Latent.Input("latent", tooltip="A joint audio-video latent from any sampler."),
                video_vae_input(),
                audio_vae_input(),
                known_frame_rate_input(
                    "0: the latent's (First-Frame Condition sets it), else 25. Any other value plays the picture at"
                    " that rate; lips then match only if it was sampled at it.",
                    advanced=True,
                ),
                io.Combo.Input(
                    "tiling",
                    options=["auto", "on", "off"],
                    default="auto",
                    optional=True,
                    advanced=True,
                    tooltip="Decode in tiles. auto: only when a whole decode would not fit in free memory.",
                ),
            ],
            outputs=[
                io.Video.Output(display_name="video"),
                io.Image.Output(display_name="images"),
                io.Audio.Output(display_name="audio"),
            ],
        )

    @classmethod
    def execute(cls, latent, video_vae, audio_vae, frame_rate=0.0, tiling="auto") -> io.NodeOutput:
        host_vae.check_video_vae(video_vae)
        host_vae.audio_model(audio_vae)
        video_latent, _ = streams(latent)
        if video_latent.shape[0] != 1:
            raise ValueError(f"AV Decode takes one clip, got a batch of {video_latent.shape[0]}.")
        frame_rate = frame_rate_of(latent, frame_rate)
        images = host_vae.decode_video(video_vae, video_latent, tiling)
        waveform, sample_rate = decoded_sound(latent, audio_vae)
        lead_in_frames = latent.get(LEAD_IN_FRAMES, 0)
        images, waveform = without_lead_in(images, waveform, sample_rate, lead_in_frames, frame_rate)
        waveform = fitted_to_frames(waveform, sample_rate, images.shape[0], frame_rate)
        video = host_vae.video_with_sound(images, waveform, sample_rate, frame_rate)
        return io.NodeOutput(video, images, {"waveform": waveform, "sample_rate": sample_rate})


NODES = [DecodeAV]
