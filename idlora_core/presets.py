"""Settings that belong together, each with its source: one table."""

from dataclasses import dataclass
from typing import Literal

from .terms import TERMS, Scales

Schedule = Literal["ltx2", "distilled 8 steps"]
LTX2_SCHEDULE: Schedule = "ltx2"
DISTILLED: Schedule = "distilled 8 steps"

CUSTOM = "custom"
"""Name of no preset: the user's own values."""


@dataclass(frozen=True)
class Preset:
    """How to sample with one kind of model.

    Attributes:
        video, audio: guidance scales of each stream.
        steps: of the schedule.
        schedule: which list of sigmas.
        for_distilled: whether it suits distilled weights, which need no CFG, or undistilled ones.
        source: where the values come from.
    """

    video: Scales
    audio: Scales
    steps: int
    schedule: Schedule
    for_distilled: bool
    source: str


PAPER_KNOBS = {knob.name: knob.default for term in TERMS for knob in term.knobs}

PRESETS = {
    "paper": Preset(
        video=Scales.of_knobs("video", PAPER_KNOBS),
        audio=Scales.of_knobs("audio", PAPER_KNOBS),
        steps=30,
        schedule=LTX2_SCHEDULE,
        for_distilled=False,
        source="arXiv 2603.10256, section 4.4",
    ),
    "distilled": Preset(
        video=Scales(),
        audio=Scales(identity=2.0),
        steps=8,
        schedule=DISTILLED,
        for_distilled=True,
        source="schedule: ltx-pipelines; identity 1.5-2.0: users' reports (Wan2GP issue 1806), not measured",
    ),
}


def described(preset: Preset) -> str:
    """What a preset sets, as a list of widgets and values: "30 steps, video_cfg 3, ..."; what it turns off is left out."""
    scales = [
        f"{knob.name} {value:g}"
        for term in TERMS
        for knob in term.knobs
        if (value := (preset.video if "video" in knob.streams else preset.audio)[term.scale]) != term.off
    ]
    return ", ".join([f"{preset.steps} steps", *scales])
