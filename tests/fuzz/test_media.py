"""Recordings and pictures as tensors, of any shape, type, range and rate, into the nodes that take them."""

import random
from pathlib import Path
from typing import Any

import pytest
import torch

from support import vaes
from support.small_graph import CHECKPOINT

RATES = (16_000, 44_100, 48_000, 8_000, 192_000, 1, 0, -16_000, 16_000.0, 10**9)
VALUES = (0.0, 1.0, -1.0, 1e-30, 1e4, 1e20, 3e38, float("nan"), float("inf"))
LENGTHS = (0, 1, 2, 159, 8_000, 16_000, 100_000)
SIDES = (0, 1, 2, 31, 64, 100, 640)


@pytest.fixture(scope="module")
def audio_vae(small_models: Path):
    return vaes.audio_vae(small_models / "checkpoints" / CHECKPOINT)


@pytest.fixture(scope="module")
def video_vae(small_models: Path):
    return vaes.video_vae(small_models / "checkpoints" / CHECKPOINT)


def made_up(shape: tuple[int, ...], chance: random.Random) -> torch.Tensor:
    """Noise, silence, one value everywhere, or one value in one place."""
    generator = torch.Generator().manual_seed(chance.randrange(2**31))
    tensor = torch.rand(shape, generator=generator) * chance.choice([0.0, 0.5, 1.0, 1.0, 1.0])
    if chance.random() < 0.2:
        tensor = torch.full(shape, chance.choice(VALUES))
    if chance.random() < 0.3 and tensor.numel():
        tensor.view(-1)[chance.randrange(tensor.numel())] = chance.choice(VALUES)
    return tensor.to(chance.choice([torch.float32] * 6 + [torch.float16, torch.float64, torch.int16]))


def recording(chance: random.Random) -> dict[str, Any]:
    shape = chance.choice([1, 1, 1, 0, 2]), chance.choice([1, 2, 2, 0, 6]), chance.choice(LENGTHS)
    return {"waveform": made_up(shape, chance), "sample_rate": chance.choice(RATES[:3] * 3 + RATES)}


def picture(chance: random.Random) -> torch.Tensor:
    shape = (
        chance.choice([1, 1, 1, 0, 2]),
        chance.choice(SIDES),
        chance.choice(SIDES),
        chance.choice([3, 3, 3, 4, 1, 2, 0]),
    )
    return made_up(shape, chance)


def good_recording() -> dict[str, Any]:
    waveform = 0.1 * torch.rand(1, 1, 16_000, generator=torch.Generator().manual_seed(0))
    return {"waveform": waveform, "sample_rate": 16_000}


def good_picture() -> torch.Tensor:
    return torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(0))


@torch.inference_mode()
def encoded(audio_vae, audio) -> torch.Tensor:
    node = vaes.node("reference", "EncodeReferenceAudio")
    return node.execute(audio, audio_vae, max_seconds=5.0).args[0].latent


@torch.inference_mode()
def conditioned(video_vae, audio_vae, image) -> torch.Tensor:
    node = vaes.node("first_frame", "FirstFrameCondition")
    size = {"width": 64, "height": 64, "max_side": 64, "length": 9, "frame_rate": 25.0, "strength": 1.0}
    return node.execute(video_vae, audio_vae, image=image, **size).args[0]["samples"].unbind()[0]


def test_a_recording(audio_vae, chance, bounded, is_one_sentence):
    audio = recording(chance)
    require(
        lambda: encoded(audio_vae, audio),
        lambda: encoded(audio_vae, good_recording()),
        "audio",
        bounded,
        is_one_sentence,
    )


def test_a_picture(video_vae, audio_vae, chance, bounded, is_one_sentence):
    image = picture(chance)
    require(
        lambda: conditioned(video_vae, audio_vae, image),
        lambda: conditioned(video_vae, audio_vae, good_picture()),
        "picture",
        bounded,
        is_one_sentence,
    )


def require(made_up, good, name: str, bounded, is_one_sentence) -> None:
    before = good()
    try:
        with bounded():
            result = made_up()
    except ValueError as error:
        assert is_one_sentence(str(error)), str(error)
        assert name in str(error).lower(), str(error)
    else:
        assert result.isfinite().all()
    assert torch.equal(good(), before)
