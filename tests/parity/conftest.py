"""The real host in the test process, for tests that compare numbers."""

from pathlib import Path

import pytest
import torch

from support import in_process
from support.clip import Clip, made_clip
from support.signing import check, host, installation, save

__all__ = ["check", "host", "installation", "save"]

in_process.import_all()

import comfy.samplers
import comfy.sd
from comfy.nested_tensor import NestedTensor


@pytest.fixture(scope="session", params=["small_ltx23", "small_ltx20"])
def checkpoint(request: pytest.FixtureRequest, small_models: Path) -> Path:
    return small_models / "checkpoints" / f"{request.param}.safetensors"


@pytest.fixture(scope="session")
def model(checkpoint: Path):
    """The MODEL of a small checkpoint, as the host's loader makes it."""
    return comfy.sd.load_checkpoint_guess_config(str(checkpoint), output_vae=False, output_clip=False)[0]


@pytest.fixture(scope="session")
def clip(model) -> Clip:
    return made_clip(model.model.diffusion_model)


@pytest.fixture(scope="session")
def denoise():
    """Run a guider of the host over a made clip: (guider, clip, sigmas) -> (video, audio) latents."""

    def run(guider, clip: Clip, sigmas, callback=None):
        result = guider.sample(
            NestedTensor((clip.video_noise, clip.audio_noise)),
            NestedTensor((clip.clean_video, torch.zeros_like(clip.audio_noise))),
            comfy.samplers.sampler_object("euler"),
            sigmas,
            denoise_mask=NestedTensor((clip.video_mask, torch.ones_like(clip.audio_noise))),
            callback=callback,
            disable_pbar=True,
            seed=0,
        )
        return result.unbind()

    return run
