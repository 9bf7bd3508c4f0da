"""The inputs that say how to guide, shared by the sampler and the guider node."""

from comfy_api.latest import io

from ..idlora_core.numerics import checked_numerics
from ..idlora_core.presets import CUSTOM, PRESETS
from ..idlora_core.speed import SPEEDS, checked_speed
from ..idlora_core.terms import MAX_SCALE, Scales
from .host.settings import GuiderSettings
from .sockets import numerics_input

AUDIO, BOTH = "audio", "audio and video"


def preset_input() -> io.Combo.Input:
    """Which table of values to use; first among the widgets."""
    return io.Combo.Input(
        "preset",
        options=[CUSTOM, *PRESETS],
        default=CUSTOM,
        tooltip=(
            "custom: the values below, which start at the paper's. paper: 3/7/4/3, STG 1, 30 steps, whatever is"
            " set below. distilled: 1/1/2/1, STG 0, 8 steps, for distilled models and LoRAs."
        ),
    )


def _scale(name: str, default: float, tooltip: str) -> io.Float.Input:
    return io.Float.Input(name, default=default, min=0.0, max=MAX_SCALE, step=0.1, tooltip=tooltip)


def _fraction(name: str, default: float, tooltip: str) -> io.Float.Input:
    return io.Float.Input(
        name, default=default, min=0.0, max=1.0, step=0.01, tooltip=tooltip, optional=True, advanced=True
    )


def _window(term: str, title: str) -> list[io.Float.Input]:
    """From where to where a guidance acts; outside it runs no pass."""
    return [
        _fraction(
            f"{term}_start_percent", 0.0, f"{title} acts from this part of the sampling on; 0 is the start."
        ),
        _fraction(f"{term}_end_percent", 1.0, f"{title} acts up to this part of the sampling; 1 is the end."),
    ]


def _switch(name: str, tooltip: str) -> io.Boolean.Input:
    return io.Boolean.Input(name, default=False, tooltip=tooltip, optional=True, advanced=True)


def guidance_inputs() -> list[io.Input]:
    """Inputs of both nodes that say how to guide, in the order shown.

    Advanced ones are optional, so that a script's graph goes on working when one is added.
    """
    return [
        _scale("video_cfg", 3.0, "How strictly the picture follows the prompt. Paper: 3. Off at 1."),
        _scale("audio_cfg", 7.0, "How strictly the sound follows the prompt. Paper: 7. Off at 1."),
        _scale(
            "identity_scale",
            4.0,
            "How strongly the voice is pulled towards the reference. Paper: 4; distilled models sound better"
            " with 1.5-2 by users' reports. Off at 1. 4.0 here is 3.0 in LTXV Reference Audio and in the"
            " authors' scripts, which count from 0.",
        ),
        _scale(
            "stg_scale",
            1.0,
            "Spatio-temporal guidance: away from a prediction whose self-attention is cut in some blocks. Paper: 1. Off at 0.",
        ),
        _scale(
            "av_bimodal_scale",
            3.0,
            "Audio-video coupling: away from a prediction in which the two do not see each other. Paper: 3. Off at 1.",
        ),
        io.String.Input(
            "stg_block_indices",
            default="29",
            tooltip="Transformer blocks that STG perturbs, such as 29 or 14, 19. Paper: 29 of 48.",
            optional=True,
            advanced=True,
        ),
        *_window("identity", "Identity guidance"),
        *_window("stg", "STG"),
        *_window("av_bimodal", "Audio-video coupling"),
        io.Combo.Input(
            "identity_applies_to",
            options=[AUDIO, BOTH],
            default=AUDIO,
            tooltip="The paper guides the sound only. LTXV Reference Audio guides the picture as well.",
            optional=True,
            advanced=True,
        ),
        _switch(
            "hide_reference_from_video",
            "Video may not attend to the reference, as in training. The authors' inference leaves this out.",
        ),
        _switch(
            "hide_text_from_reference",
            "The reference may not read the prompt, as in training. The authors' inference leaves this out.",
        ),
        _fraction(
            "video_rescale",
            0.0,
            "Pulls the spread of the video latent back to the unguided one. HQ recipe: 0.45. Off at 0.",
        ),
        _fraction(
            "audio_rescale",
            0.0,
            "Pulls the spread of the audio latent back to the unguided one. HQ recipe: 1. Off at 0.",
        ),
        numerics_input(),
        io.Combo.Input(
            "speed",
            options=list(SPEEDS),
            default="exact",
            tooltip=(
                "exact: every prediction, nothing computed twice. fast: the identity pass runs the sound only, and"
                " every second step takes STG and coupling from the one before. The clip changes a little."
            ),
            optional=True,
            advanced=True,
        ),
    ]


def guider_settings(
    preset,
    video_cfg,
    audio_cfg,
    identity_scale,
    stg_scale,
    av_bimodal_scale,
    stg_block_indices="29",
    identity_start_percent=0.0,
    identity_end_percent=1.0,
    stg_start_percent=0.0,
    stg_end_percent=1.0,
    av_bimodal_start_percent=0.0,
    av_bimodal_end_percent=1.0,
    identity_applies_to=AUDIO,
    hide_reference_from_video=False,
    hide_text_from_reference=False,
    video_rescale=0.0,
    audio_rescale=0.0,
    numerics="host",
    speed="exact",
) -> GuiderSettings:
    """The values of the widgets, or those of the preset, as the guider takes them."""
    if preset in PRESETS:
        video, audio = PRESETS[preset].video, PRESETS[preset].audio
    else:
        video = Scales(video_rescale, cfg=video_cfg, stg=stg_scale, av_bimodal=av_bimodal_scale)
        audio = Scales(
            audio_rescale, cfg=audio_cfg, identity=identity_scale, stg=stg_scale, av_bimodal=av_bimodal_scale
        )
    if identity_applies_to == BOTH:
        video = video.replaced(identity=audio["identity"])
    return GuiderSettings(
        video=video,
        audio=audio,
        stg_block_indices=stg_block_indices,
        windows={
            "identity": (identity_start_percent, identity_end_percent),
            "stg": (stg_start_percent, stg_end_percent),
            "av_bimodal": (av_bimodal_start_percent, av_bimodal_end_percent),
        },
        numerics=checked_numerics(numerics),
        hide_reference_from_video=hide_reference_from_video,
        hide_text_from_reference=hide_text_from_reference,
        speed=checked_speed(speed),
    )
