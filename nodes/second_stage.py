"""Second Stage: the first stage's latent at twice the size, ready to be refined with its sound kept."""

import torch
from comfy_api.latest import io

from ..idlora_core import frames
from ..idlora_core.options import checked_number
from .host import upscale
from .host import vae as host_vae
from .host.latents import LEAD_IN_FRAMES, streams
from .sockets import CATEGORY, strength_input, video_vae_input


class SecondStage(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_SecondStage",
            display_name="Second Stage",
            category=CATEGORY,
            description=(
                "Doubles the picture of a finished latent for a second, short sampling: the first frame is set again"
                " at the new size, the sound is frozen."
            ),
            search_aliases=["two stage", "upscale latent", "latent upsampler", "refine", "id-lora"],
            inputs=[
                io.Latent.Input("latent", tooltip="Picture and sound from the first stage's sampler."),
                io.LatentUpscaleModel.Input(
                    "upscale_model",
                    tooltip="From Load Latent Upscale Model: a spatial x2 upscaler for LTX-2.",
                ),
                video_vae_input(),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="The same picture as in First-Frame Condition: it is encoded again at twice the size.",
                ),
                strength_input(),
            ],
            outputs=[
                io.Latent.Output(
                    display_name="latent",
                    tooltip="For a sampler with the distilled LoRA, no reference, sigmas 0.909375, 0.725, 0.421875, 0.",
                )
            ],
        )

    @classmethod
    def execute(cls, latent, upscale_model, video_vae, strength, image=None) -> io.NodeOutput:
        host_vae.check_video_vae(video_vae)
        upscale.check_upscale_model(upscale_model)
        checked_number("strength", strength, 0.0, 1.0)
        video, _ = streams(latent)
        video = upscale.upscaled_video(upscale_model, video_vae, video)
        if image is None:
            strength = 0.0
        elif strength > 0:
            still = _encoded(video_vae, image, video, latent.get(LEAD_IN_FRAMES, 0) + 1)
            video[:, :, : still.shape[2]] = still
        return io.NodeOutput(upscale.second_stage_latent(latent, video, strength))


def _encoded(video_vae, image: torch.Tensor, video: torch.Tensor, num_frames: int) -> torch.Tensor:
    """The picture, still for that many frames, at the size of a video latent and no longer than it."""
    height, width = (side * frames.PIXELS_PER_LATENT for side in video.shape[-2:])
    still = host_vae.encode_picture(video_vae, frames.fitted_picture(image, width, height), num_frames)
    return still[:, :, : video.shape[2]]


NODES = [SecondStage]
