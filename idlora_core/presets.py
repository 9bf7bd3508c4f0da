"""Settings that belong together, each with its source: one table."""

from dataclasses import dataclass
from typing import Literal

from .terms import TERMS, Scales

Schedule = Literal["ltx2", "distilled 8 steps"]
LTX2: Schedule = "ltx2"
DISTILLED: Schedule = "distilled 8 steps"

CUSTOM = "custom"
"""Name of no preset: the person's own values."""


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


PRESETS = {
    "paper": Preset(
        video=Scales(**{term.scale: term.default("video") for term in TERMS}),
        audio=Scales(**{term.scale: term.default("audio") for term in TERMS}),
        steps=30,
        schedule=LTX2,
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
