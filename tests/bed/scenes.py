"""Scenes for tests that compare numbers: two speakers in a made clip, and what moves when something of one changes."""

from dataclasses import replace

import torch

from .clip import AUDIO_SHAPE, FRAME_RATE, REFERENCE_SHAPE, TEXT_TOKENS, VIDEO_SHAPE, Clip
from .in_process import import_core

import_core()

from idlora_core.positions import latent_bounds  # noqa: E402
from idlora_core.reference import Reference  # noqa: E402
from idlora_core.region import Box  # noqa: E402
from idlora_core.scene import Member, Scene  # noqa: E402
from idlora_core.turns import Turn  # noqa: E402

ANNA, BEN = frozenset({0}), frozenset({1})
REGIONS = Box(0, 0, 1 / 3, 1), Box(2 / 3, 0, 1, 1)
LINES = (10, 20), (20, 32)
"""Text tokens of the two lines, of `TEXT_TOKENS`."""
BORDER_SECONDS = 0.3
"""Anna speaks before, Ben after; the clip has 0.68 s."""


def voice(num_tokens: int, seed: int) -> Reference:
    shape = (*REFERENCE_SHAPE[:2], num_tokens, REFERENCE_SHAPE[3])
    return Reference(torch.randn(shape, generator=torch.Generator().manual_seed(seed)))


def two_speakers(regions=(None, None), seeds=(1, 2), border=BORDER_SECONDS, **options) -> Scene:
    """Anna, then Ben."""
    members = (
        Member("Anna", voice(30, seeds[0]), regions[0]),
        Member("Ben", voice(22, seeds[1]), regions[1]),
    )
    return Scene(members, (Turn(0.0, border, ANNA, 0), Turn(border, 9.0, BEN, 1)), **options)


def spoken_by(scene: Scene, num_latents: int = AUDIO_SHAPE[2]) -> list[torch.Tensor]:
    """Indices of the audio latents of each member."""
    speakers = scene.speakers_at(latent_bounds(num_latents).mean(dim=-1).flatten().tolist())
    return [
        torch.tensor([i for i, places in enumerate(speakers) if place in places])
        for place in range(len(scene.members))
    ]
