"""Guided steps of a scene beside one voice: the same clip, two and four speakers, exact and `fast`."""

from functools import partial

import comfy.samplers
import torch
from comfy.model_patcher import ModelPatcher

from idlora_core.positions import LTX2_GRID
from idlora_core.reference import Reference
from idlora_core.region import Box
from idlora_core.scene import Member, Scene
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.turns import Turn
from support.clip import Clip

from . import ways
from .relay import Run, run_together
from .setting import Size, made_clip
from .steps import LENGTHS, RUN_STEPS, measure_memory, synchronizer
from .table import Report

SPEAKERS = (2, 4)
EXACT_STEPS = 10  # all of them run the same; fast is timed over its whole pattern
LENGTH_OF_20_SECONDS = 63, 521  # latents of video, of audio
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


def ours(num_speakers: int, model: ModelPatcher, clip: Clip, **options) -> comfy.samplers.CFGGuider:
    """The guider of so many speakers; one is a plain reference."""
    if num_speakers > 1:
        options |= {
            "reference": scene_of(clip, num_speakers),
            "conditioning": with_lines(clip, num_speakers),
        }
    return ways.ours(model, clip, **options)


def measure_scenes(
    model: ModelPatcher, name: str, size: Size, num_steps: int, device: torch.device, report: Report
) -> None:
    """Rows: a step with one voice and with each number of speakers, in turn, step by step."""
    clip = made_clip(size)
    for speed, steps in (("exact", min(num_steps, EXACT_STEPS)), ("fast", num_steps)):
        runs = _in_turn(model, clip, steps, device, (1, *SPEAKERS), speed=speed)
        for count in SPEAKERS:
            ratio = runs[count].whole / runs[1].whole
            note = f"{ratio:.3f} x one voice; {name}, {steps} steps"
            report.add(f"{count} speakers, {speed}: mean of a step", runs[count].whole / steps, "s", note)
            report.figures[f"speakers_{count}_{speed}"] = ratio
    latents, audio = LENGTH_OF_20_SECONDS
    scaled = max(2, round(audio * size.audio / LENGTHS[121][1]))
    runs = _in_turn(model, made_clip(size.with_frames(latents, scaled)), 1, device, (1, 2))
    ratio = runs[2].whole / runs[1].whole
    report.add("2 speakers, exact step, 20 s (497 frames)", runs[2].whole, "s", f"{ratio:.3f} x one voice")


def measure_scene_memory(
    model: ModelPatcher, size: Size, stg_block: int, device: torch.device, report: Report
) -> None:
    """Rows: peak of a scene beside that of one voice, both exact."""
    guiders = {str(count): partial(ours, count, stg_block=stg_block) for count in (1, *SPEAKERS)}
    peaks = measure_memory(model, size, guiders, device)
    for count in SPEAKERS:
        ratio = peaks[str(count)] / peaks["1"]
        note = f"{ratio:.3f} x one voice"
        report.add(f"peak memory, {count} speakers, exact", peaks[str(count)] / 2**20, "MiB", note)
        report.figures[f"speakers_{count}_memory"] = ratio


def _in_turn(
    model: ModelPatcher, clip: Clip, num_steps: int, device: torch.device, counts: tuple[int, ...], **options
) -> dict[int, Run]:
    """Runs of each number of speakers, one step of each after another; one step before to warm up."""
    runs: dict[int, Run] = {}
    for steps in (range(1), range(num_steps)):
        runs = {count: Run(ours(count, model, clip, **options), steps) for count in counts}
        sigmas = ltx2_sigmas(RUN_STEPS)[: len(steps) + 1]
        run_together([*runs.values()], clip, sigmas, synchronizer(device))
    return runs
