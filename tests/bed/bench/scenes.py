"""Guided steps of a scene beside one voice: the same clip, two and four speakers, exact and `fast`."""

from functools import partial

import torch
from comfy.model_patcher import ModelPatcher

from bed.clip import Clip
from idlora_core.positions import LTX2_GRID
from idlora_core.reference import Reference
from idlora_core.region import Box
from idlora_core.scene import Member, Scene
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.turns import Turn

from . import ways
from .relay import Run, run_together
from .setting import Size, made_clip
from .steps import RUN_STEPS, synchronizer
from .table import Report

SPEAKERS = (2, 4)
LINES_KEY = "idlora_lines"


def scene_of(clip: Clip, num_speakers: int) -> Scene:
    """Everybody has a voice, a column of the picture and one turn."""
    # By the sound: scaled, it is shorter than the picture, and the last speaker has the picture's rest.
    part = clip.audio_noise.shape[2] * LTX2_GRID.seconds_per_latent / num_speakers
    members = tuple(
        Member(
            f"Speaker {place}",
            Reference(clip.reference),
            Box(place / num_speakers, 0, (place + 1) / num_speakers, 1),
        )
        for place in range(num_speakers)
    )
    turns = (Turn(n * part, (n + 1) * part, frozenset({n}), n) for n in range(num_speakers))
    return Scene(members, tuple(turns))


def with_lines(clip: Clip, num_lines: int) -> tuple[list, list]:
    """The clip's conditioning; half of its text are lines of equal length."""
    positive, negative = clip.conditioning
    length = positive[0][0].shape[1] // (2 * num_lines)
    ranges = tuple((n * length, (n + 1) * length) for n in range(num_lines))
    return [[positive[0][0], {**positive[0][1], LINES_KEY: ranges}]], negative


def measure_scenes(
    model: ModelPatcher, name: str, size: Size, num_steps: int, device: torch.device, report: Report
) -> None:
    """Rows: a step with one voice and with each number of speakers, in turn, step by step."""
    clip, sigmas = made_clip(size), ltx2_sigmas(RUN_STEPS)
    for speed in ("exact", "fast"):
        makers = {1: partial(ways.ours, model, clip, speed=speed)} | {
            count: partial(
                ways.ours,
                model,
                clip,
                speed=speed,
                reference=scene_of(clip, count),
                conditioning=with_lines(clip, count),
            )
            for count in SPEAKERS
        }
        for steps in (range(1), range(num_steps)):
            runs = {count: Run(make(), steps) for count, make in makers.items()}
            run_together([*runs.values()], clip, sigmas[: len(steps) + 1], synchronizer(device))
        alone = runs[1].whole
        for count in SPEAKERS:
            ratio = runs[count].whole / alone
            note = f"{ratio:.3f} x one voice; {name}, {num_steps} steps"
            report.add(f"{count} speakers, {speed}: mean of a step", runs[count].whole / num_steps, "s", note)
            report.figures[f"speakers_{count}_{speed}"] = ratio
