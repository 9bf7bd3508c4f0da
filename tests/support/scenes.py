"""Scenes for tests that compare numbers: two speakers in a made clip, and what moves when something of one changes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import comfy.sd
import torch

from idlora_core.positions import latent_bounds
from idlora_core.reference import Reference
from idlora_core.region import Box
from idlora_core.scene import Member, Scene
from idlora_core.turns import Turn

from .clip import AUDIO_SHAPE, REFERENCE_SHAPE, Clip

ANNA, BEN = frozenset({0}), frozenset({1})
REGIONS = Box(0, 0, 1 / 3, 1), Box(2 / 3, 0, 1, 1)
"""First and last column of the clip's 2 x 3 cells."""
LINES = (10, 20), (20, 32)
"""Text tokens of the two lines, among the clip's 64."""
LINES_KEY = "idlora_lines"
TURNS = Turn(0.0, 0.2, ANNA, 0), Turn(0.5, 9.0, BEN, 1)
"""In a clip of 0.68 s: Anna has its first two latent frames, Ben the last; the pause between is halved."""


def voice(num_tokens: int, seed: int) -> Reference:
    shape = (*REFERENCE_SHAPE[:2], num_tokens, REFERENCE_SHAPE[3])
    return Reference(torch.randn(shape, generator=torch.Generator().manual_seed(seed)))


def two_speakers(regions=(None, None), seeds=(1, 2), strengths=(1.0, 1.0), **options) -> Scene:
    """Anna, then Ben."""
    names, lengths = ("Anna", "Ben"), (30, 22)
    members = tuple(
        Member(name, voice(length, seed), region, "", strength)
        for name, length, seed, region, strength in zip(
            names, lengths, seeds, regions, strengths, strict=True
        )
    )
    return Scene(members, TURNS, **options)


def spoken_by(scene: Scene, num_latents: int = AUDIO_SHAPE[2]) -> list[list[int]]:
    """Indices of the audio latents of each member."""
    speakers = scene.speakers_at(latent_bounds(num_latents).mean(dim=-1).flatten().tolist())
    return [
        [i for i, places in enumerate(speakers) if place in places] for place in range(len(scene.members))
    ]


def with_lines(clip: Clip, lines=LINES, changed: int | None = None) -> tuple[list, list]:
    """The clip's conditioning with the ranges of its lines, and, if asked for, other words in one of them."""
    positive, negative = clip.conditioning
    text = positive[0][0].clone()
    if changed is not None:
        start, end = lines[changed]
        text[:, start:end] = torch.randn(
            text[:, start:end].shape, generator=torch.Generator().manual_seed(77)
        )
    return [[text, {**positive[0][1], LINES_KEY: lines}]], negative


def with_noise_in(clip: Clip, columns: slice) -> Clip:
    """The clip with other video noise in some columns of cells."""
    noise = clip.video_noise.clone()
    noise[..., columns] += torch.randn(noise[..., columns].shape, generator=torch.Generator().manual_seed(78))
    return replace(clip, video_noise=noise)


def with_blocks(checkpoint: Path, num_blocks: int, silent: tuple[str, ...] = ()):
    """A MODEL of its own with the first blocks of a checkpoint only, in which some layers give nothing."""
    model = comfy.sd.load_checkpoint_guess_config(str(checkpoint), output_vae=False, output_clip=False)[0]
    assert model is not None
    network: Any = model.model.diffusion_model
    network.transformer_blocks = network.transformer_blocks[:num_blocks]
    for block in network.transformer_blocks:
        for name in silent:
            out = getattr(block, name).to_out[0]
            torch.nn.init.zeros_(out.weight)
            torch.nn.init.zeros_(out.bias)
    return model
