"""The pure parts against Lightricks' own package, bit for bit."""

from typing import Any

import pytest
import torch
from ltx_core.components.guiders import MultiModalGuider, MultiModalGuiderParams
from ltx_core.components.patchifiers import AudioPatchifier
from ltx_core.components.schedulers import LTX2Scheduler
from ltx_core.types import AudioLatentShape, VideoLatentShape, VideoPixelShape
from ltx_pipelines.utils.constants import DISTILLED_SIGMA_VALUES
from ltx_pipelines.utils.media_io import resize_and_center_crop

from idlora_core.frames import centre_crop_resize, num_audio_latents, num_video_latents
from idlora_core.guidance import combine
from idlora_core.positions import audio_tokens, latent_bounds
from idlora_core.sigmas import DISTILLED_8_STEPS, ltx2_sigmas
from idlora_core.terms import Scales


@pytest.mark.parametrize("num_latents", [1, 2, 126, 750])
def test_audio_time_bounds(num_latents):
    shape = AudioLatentShape(batch=1, channels=8, frames=num_latents, mel_bins=16)
    expected = AudioPatchifier(patch_size=1).get_patch_grid_bounds(shape, torch.device("cpu"))
    assert torch.equal(latent_bounds(num_latents), expected)


def test_audio_tokens():
    latent = torch.randn(2, 8, 7, 16)
    assert torch.equal(audio_tokens(latent), AudioPatchifier(patch_size=1).patchify(latent))


@pytest.mark.parametrize("steps", [4, 8, 15, 30])
def test_ltx2_schedule(steps):
    assert torch.equal(ltx2_sigmas(steps), LTX2Scheduler().execute(steps=steps))


def test_distilled_schedule():
    assert list(DISTILLED_8_STEPS) == DISTILLED_SIGMA_VALUES


@pytest.mark.parametrize(
    ("cfg", "stg", "modality", "rescale"),
    [
        (3.0, 1.0, 3.0, 0.0),
        (7.0, 1.0, 3.0, 0.0),
        (7.0, 0.0, 1.0, 0.0),
        (1.0, 0.5, 1.0, 0.0),
        (3.0, 1.0, 3.0, 0.7),
    ],
)
def test_combination_of_cfg_stg_and_modality(cfg, stg, modality, rescale):
    generator = torch.Generator().manual_seed(1)
    names = ("cond", "uncond", "perturbed", "uncoupled")
    values: dict[Any, torch.Tensor] = {
        name: torch.randn(1, 128, 3, 8, 8, generator=generator) for name in names
    }
    params = MultiModalGuiderParams(
        cfg_scale=cfg, stg_scale=stg, modality_scale=modality, rescale_scale=rescale
    )
    expected = MultiModalGuider(params).calculate(*(values[name] for name in names))
    assert torch.equal(
        combine(values, Scales(cfg=cfg, stg=stg, av_bimodal=modality, rescale=rescale)), expected
    )


@pytest.mark.parametrize("frame_rate", [24.0, 25.0, 29.97, 30.0])
@pytest.mark.parametrize("num_frames", [9, 33, 97, 121, 241, 497])
def test_latent_counts(num_frames, frame_rate):
    shape = VideoPixelShape(batch=1, frames=num_frames, height=512, width=512, fps=frame_rate)
    audio = AudioLatentShape.from_video_pixel_shape(shape).frames
    assert num_audio_latents(num_frames, frame_rate, "official") == audio
    assert num_video_latents(num_frames) == VideoLatentShape.from_pixel_shape(shape).frames


def test_centre_crop_covers_as_the_packages_own_where_no_side_is_rounded():
    picture = torch.rand(96, 192, 3)
    ours = centre_crop_resize(picture.movedim(-1, 0)[None], 64, 64)
    theirs = resize_and_center_crop(picture, 64, 64)
    torch.testing.assert_close(ours, theirs[:, :, 0])
