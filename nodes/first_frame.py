"""First-Frame Condition: a picture, a length and a frame rate become the latent to denoise."""

import torch
from comfy_api.latest import io

from ..idlora_core import frames
from .host import vae as host_vae
from .host.latents import joint_latent
from .sockets import CATEGORY, numerics_input

SIZE_LIMIT = 16384


class FirstFrameCondition(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_FirstFrame",
            display_name="First-Frame Condition",
            category=CATEGORY,
            description=(
                "Makes the joint audio-video latent. With a picture, the clip starts with it;"
                " without one, it is made from the prompt alone."
            ),
            search_aliases=["image to video", "talking head", "talking photo", "first frame", "id-lora"],
            inputs=[
                io.Vae.Input("video_vae", tooltip="The VAE output of the loader that loads LTX-2."),
                io.Vae.Input("audio_vae", tooltip="From LTXV Audio VAE Loader, with the same checkpoint."),
                io.Image.Input(
                    "image", optional=True, tooltip="First frame of the clip: the face. Leave out for text to video."
                ),
                io.Int.Input(
                    "width",
                    default=0,
                    min=0,
                    max=SIZE_LIMIT,
                    step=32,
                    tooltip="Width in pixels, a multiple of 32. 0 and 0: the picture's aspect at max_side.",
                ),
                io.Int.Input(
                    "height",
                    default=0,
                    min=0,
                    max=SIZE_LIMIT,
                    step=32,
                    tooltip="Height in pixels, a multiple of 32. 0 and 0: the picture's aspect at max_side.",
                ),
                io.Int.Input(
                    "max_side",
                    default=512,
                    min=64,
                    max=SIZE_LIMIT,
                    step=32,
                    tooltip="Long side in pixels when width and height are 0 (a square without a picture). Paper: 512.",
                ),
                io.Int.Input(
                    "length",
                    default=121,
                    min=9,
                    max=SIZE_LIMIT,
                    step=8,
                    tooltip="Frames, 8n + 1. 121 frames at 25 fps are 4.84 s, as in the paper.",
                ),
                io.Float.Input(
                    "frame_rate",
                    default=25.0,
                    min=1.0,
                    max=120.0,
                    step=0.01,
                    tooltip="Frames per second. Paper: 25.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="1 keeps the picture as the first frame; less lets it change; 0 ignores it.",
                ),
                numerics_input(),
            ],
            outputs=[io.Latent.Output(display_name="latent", tooltip="For the sampler; knows its frame rate.")],
        )

    @classmethod
    def execute(
        cls, video_vae, audio_vae, width, height, max_side, length, frame_rate, strength, numerics="host", image=None
    ) -> io.NodeOutput:
        host_vae.check_video_vae(video_vae)
        grid = host_vae.audio_grid(audio_vae)
        frames.checked_length(length)
        width, height = _size(image, width, height, max_side)
        audio = host_vae.empty_audio(audio_vae, frames.num_audio_latents(length, frame_rate, numerics, grid))
        video = _video_latent(video_vae, image, width, height, length)
        return io.NodeOutput(joint_latent(video, audio, None if image is None else strength, frame_rate))


def _size(image: torch.Tensor | None, width: int, height: int, max_side: int) -> tuple[int, int]:
    """Explicit size, or the picture's aspect, or a square."""
    if width or height:
        return frames.checked_size(width, height)
    if image is None:
        return frames.fitted_size(1, 1, max_side)
    return frames.fitted_size(image.shape[2], image.shape[1], max_side)


def _video_latent(video_vae, image: torch.Tensor | None, width: int, height: int, length: int) -> torch.Tensor:
    """(1, 128, F, H, W): zeros, with the encoded picture in the first latent frame."""
    pixels = frames.PIXELS_PER_LATENT
    shape = (1, 128, frames.num_video_latents(length), height // pixels, width // pixels)
    latent = torch.zeros(shape)
    if image is not None:
        latent[:, :, :1] = host_vae.encode_picture(video_vae, _fitted(image, width, height))
    return latent


def _fitted(image: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """One picture, cropped and resized, without its alpha channel."""
    if image.shape[0] != 1:
        raise ValueError(f"First-Frame Condition takes one picture, got a batch of {image.shape[0]}.")
    picture = image[..., :3].movedim(-1, 1)  # BHWC -> BCHW
    return frames.centre_crop_resize(picture, width, height).movedim(1, -1)  # BCHW -> BHWC


NODES = [FirstFrameCondition]
