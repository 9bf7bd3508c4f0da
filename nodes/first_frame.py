"""First-Frame Condition: a picture, a length and a frame rate become the latent to denoise."""

import torch
from comfy_api.latest import io

from ..idlora_core import frames
from ..idlora_core.clean_start import (
    MAX_START_SECONDS,
    num_held_latents,
    num_lead_in_frames,
    num_silent_latents,
)
from ..idlora_core.options import checked_number
from .guidance_options import GuidanceOptions
from .host import vae as host_vae
from .host.latents import joint_latent
from .host.status import send_status
from .sockets import (
    CATEGORY,
    Guidance,
    audio_vae_input,
    frame_rate_input,
    refusal,
    strength_input,
    video_vae_input,
)

LEAST_CROP = 0.05
"""Of the picture: less is lost where sides are rounded to 32 pixels, and is not worth a sentence."""


def _side_input(name: str) -> io.Int.Input:
    return io.Int.Input(
        name,
        default=0,
        min=0,
        max=frames.MAX_SIDE,
        step=32,
        optional=True,
        advanced=True,
        tooltip=(
            f"An exact {name} in pixels, a multiple of 32, in place of shape and max_side; set both width and height."
            " 0 and 0: shape and max_side decide."
        ),
    )


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
                video_vae_input(),
                audio_vae_input(),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="First frame of the clip: the face. Leave out for text to video.",
                ),
                io.Combo.Input(
                    "shape",
                    options=list(frames.SHAPES),
                    default=frames.AS_PICTURE,
                    tooltip=(
                        "Shape of the clip. as the picture: its aspect; a square without a picture. For another shape the"
                        " middle of the picture is taken, and the node says how much is lost."
                    ),
                ),
                io.Int.Input(
                    "max_side",
                    default=512,
                    min=64,
                    max=frames.MAX_SIDE,
                    step=32,
                    tooltip="Long side in pixels; the other follows from the shape, both in steps of 32. Paper: 512.",
                ),
                io.Int.Input(
                    "length",
                    default=121,
                    min=9,
                    max=frames.MAX_LENGTH,
                    step=8,
                    tooltip=(
                        "Frames, 8n + 1: 121 at 25 fps are 4.84 s, as in the paper. Clip Length gives it from seconds."
                    ),
                ),
                frame_rate_input("Frames per second. Paper: 25."),
                strength_input(),
                _side_input("width"),
                _side_input("height"),
                Guidance.Input(
                    "guidance",
                    optional=True,
                    tooltip="From Guidance Options. Only numerics is read: official counts audio latents as the authors do.",
                ),
                io.Float.Input(
                    "silent_start_seconds",
                    default=0.0,
                    min=0.0,
                    max=MAX_START_SECONDS,
                    step=0.01,
                    tooltip=(
                        "The sound's first seconds are silence that the sampler may not change, so that speech begins"
                        " after them. Off at 0. Costs speaking time: the clip does not get longer. With a lead-in it"
                        " counts from the lead-in's start. Meant against a wrong voice in the first half second;"
                        " experimental."
                    ),
                    optional=True,
                    advanced=True,
                ),
                io.Float.Input(
                    "lead_in_seconds",
                    default=0.0,
                    min=0.0,
                    max=MAX_START_SECONDS,
                    step=0.01,
                    tooltip=(
                        "Generates this much more before the clip, in steps of 8 frames, and AV Decode removes it from"
                        " picture and sound; a picture is held still through it. Off at 0. Costs time and memory for"
                        " the extra frames, and words that are spoken too early are cut off. Meant against a wrong"
                        " voice in the first half second; experimental."
                    ),
                    optional=True,
                    advanced=True,
                ),
                io.Image.Input(
                    "continue_from",
                    optional=True,
                    tooltip=(
                        "Frames of an earlier clip, such as the images of AV Decode: the last one becomes the first"
                        " frame, in place of image. With the same reference a chain of clips keeps face and voice;"
                        " the frame at the seam is in both clips."
                    ),
                ),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="For the sampler; knows its frame rate.")
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, length=None, width=None, height=None) -> bool | str:
        """Before anything runs; what is linked is looked at in `execute`."""
        reason = True if length is None else refusal(frames.checked_length, length)
        if reason is True and (width or height):
            return refusal(frames.checked_size, width or 0, height or 0)
        return reason

    @classmethod
    def execute(
        cls,
        video_vae,
        audio_vae,
        max_side,
        length,
        frame_rate,
        strength,
        shape=frames.AS_PICTURE,
        width=0,
        height=0,
        guidance=None,
        image=None,
        silent_start_seconds=0.0,
        lead_in_seconds=0.0,
        continue_from=None,
    ) -> io.NodeOutput:
        host_vae.check_video_vae(video_vae)
        grid = host_vae.audio_grid(audio_vae)
        frames.checked_length(length)
        frames.checked_frame_rate(frame_rate)
        checked_number("strength", strength, 0.0, 1.0)
        picture = _first_frame(image, continue_from)
        lead_in_frames = num_lead_in_frames(lead_in_seconds, frame_rate)
        total = length + lead_in_frames
        numerics = (guidance or GuidanceOptions()).numerics
        num_audio = frames.num_audio_latents(total, frame_rate, numerics, grid)
        num_silent = min(num_silent_latents(silent_start_seconds, total, frame_rate, grid), num_audio)

        size = _size(picture, (width, height), shape, max_side)
        video = _video_latent(video_vae, picture, size, total, lead_in_frames)
        audio = _audio_latent(audio_vae, num_audio, num_silent)
        crop = _crop(picture, size)
        send_status(cls.hidden.unique_id, f"{crop}{_summary(size, length, frame_rate, lead_in_frames)}")
        strength = None if picture is None else strength
        return io.NodeOutput(joint_latent(video, audio, strength, frame_rate, lead_in_frames, num_silent))


def _first_frame(image: torch.Tensor | None, continue_from: torch.Tensor | None) -> torch.Tensor | None:
    """(1, H, W, C): the picture, or the last frame of an earlier clip."""
    if continue_from is None:
        return None if image is None else frames.checked_picture(image)
    if image is not None:
        raise ValueError(
            "First-Frame Condition got both image and continue_from, and each is the first frame."
            " Disconnect one of them."
        )
    return frames.checked_picture(continue_from)[-1:]


def _size(
    picture: torch.Tensor | None, explicit: tuple[int, int], shape: str, max_side: int
) -> tuple[int, int]:
    """(width, height): the explicit size, or that of the shape."""
    if any(explicit):
        return frames.checked_size(*explicit)
    return frames.shaped_size(shape, None if picture is None else _pixels(picture), max_side)


def _pixels(picture: torch.Tensor) -> tuple[int, int]:
    """(width, height) of (B, H, W, C)."""
    return picture.shape[2], picture.shape[1]


def _crop(picture: torch.Tensor | None, size: tuple[int, int]) -> str:
    """A sentence where the clip's shape takes more of the picture than the rounding to whole latents does."""
    if picture is None:
        return ""
    share, sides = frames.cropped_share(_pixels(picture), size)
    return f"The crop takes {100 * share:.0f} % of the picture, {sides}. " if share >= LEAST_CROP else ""


def _summary(size: tuple[int, int], length: int, frame_rate: float, lead_in_frames: int) -> str:
    """512x512, 121 frames, 4.84 s at 25 fps; with a lead-in also how many frames are sampled."""
    width, height = size
    clip = f"{width}x{height}, {length} frames, {length / frame_rate:.2f} s at {frame_rate:g} fps"
    return f"{clip}; {lead_in_frames} more of lead-in" if lead_in_frames else clip


def _video_latent(
    video_vae, picture: torch.Tensor | None, size: tuple[int, int], num_frames: int, lead_in_frames: int
) -> torch.Tensor:
    """(1, 128, F, H, W): zeros, with the encoded picture in the lead-in and the clip's first frame."""
    width, height = (side // frames.PIXELS_PER_LATENT for side in size)
    latent = torch.zeros(1, video_vae.latent_channels, frames.num_video_latents(num_frames), height, width)
    if picture is not None:
        still = host_vae.encode_picture(video_vae, frames.fitted_picture(picture, *size), lead_in_frames + 1)
        latent[:, :, : num_held_latents(lead_in_frames)] = still
    return latent


def _audio_latent(audio_vae, num_latents: int, num_silent: int) -> torch.Tensor:
    """(1, 8, T, 16): zeros, with encoded silence at the start."""
    latent = host_vae.empty_audio(audio_vae, num_latents)
    if num_silent:
        latent[:, :, :num_silent] = host_vae.encode_silence(audio_vae, num_silent)
    return latent


NODES = [FirstFrameCondition]
