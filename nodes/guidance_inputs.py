"""The inputs that say how to guide, shared by the sampler and the guider node."""

from collections.abc import Mapping
from typing import Any

from comfy_api.latest import io

from ..idlora_core.presets import CUSTOM, PAPER_KNOBS, PRESETS, described
from ..idlora_core.terms import MAX_SCALE, TERMS, Scales
from .guidance_options import GuidanceOptions
from .host.settings import GuiderSettings
from .sockets import Guidance


def preset_input(*others: io.Input) -> io.DynamicCombo.Input:
    """The preset; `custom` brings the widgets of its own values, the scales and `others`.

    The other presets show no value, as none on the node would be read.
    """
    tables = " ".join(
        f"{name}, for {'distilled models and LoRAs' if preset.for_distilled else 'dev models'}: {described(preset)}."
        for name, preset in PRESETS.items()
    )
    return io.DynamicCombo.Input(
        "preset",
        options=[
            # Optional: a blueprint shows the preset alone, and `custom` there means the defaults.
            io.DynamicCombo.Option(CUSTOM, [*others, *_scale_inputs()]),
            *(io.DynamicCombo.Option(name, []) for name in PRESETS),
        ],
        tooltip=(
            f"custom: the values below, which start at the paper's. {tables} Guidance that is not listed is off."
        ),
    )


def _scale_inputs() -> list[io.Input]:
    return [
        io.Float.Input(
            knob.name,
            default=knob.default,
            min=0.0,
            max=MAX_SCALE,
            step=0.1,
            tooltip=knob.tooltip,
            optional=True,
        )
        for term in TERMS
        for knob in term.knobs
    ]


def guidance_input() -> io.Input:
    """The socket of Guidance Options."""
    return Guidance.Input("guidance", optional=True, tooltip="From Guidance Options: the finer settings.")


def guider_settings(preset: Mapping[str, Any], options: GuidanceOptions | None) -> GuiderSettings:
    """The preset's scales, or those of its widgets, with the options.

    Args:
        preset: what the host makes of `preset_input`: the name under `preset`, and the widgets of `custom`.
        options: None where the node is not connected.
    """
    options = options or GuidanceOptions()
    video, audio = _scales(preset)
    video = video.replaced(rescale=options.video_rescale)
    audio = audio.replaced(rescale=options.audio_rescale)
    if options.identity_on_video:
        video = video.replaced(identity=audio["identity"])
    return GuiderSettings(
        video=video,
        audio=audio,
        stg_block_indices=options.stg_block_indices,
        windows=options.windows,
        numerics=options.numerics,
        hide_reference_from_video=options.hide_reference_from_video,
        hide_text_from_reference=options.hide_text_from_reference,
        speed=options.speed,
    )


def _scales(preset: Mapping[str, Any]) -> tuple[Scales, Scales]:
    """Of video and audio."""
    if preset["preset"] in PRESETS:
        chosen = PRESETS[preset["preset"]]
        return chosen.video, chosen.audio
    given = {
        name: value for name, value in preset.items() if value is not None
    }  # the host's word for not given
    knobs = {**PAPER_KNOBS, **given}
    return Scales.of_knobs("video", knobs), Scales.of_knobs("audio", knobs)
