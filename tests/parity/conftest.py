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

from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import Scales
from idlora_pack.nodes.host.guider import identity_guider
from idlora_pack.nodes.host.settings import GuiderSettings

PAPER = (
    Scales(cfg=3.0, stg=1.0, av_bimodal=3.0),
    Scales(cfg=7.0, identity=4.0, stg=1.0, av_bimodal=3.0),
)
"""Of video and of audio."""


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

    def run(guider, clip: Clip, sigmas, callback=None, audio_mask=None):
        kept = torch.ones_like(clip.audio_noise) if audio_mask is None else audio_mask
        result = guider.sample(
            NestedTensor((clip.video_noise, clip.audio_noise)),
            NestedTensor((clip.clean_video, torch.zeros_like(clip.audio_noise))),
            comfy.samplers.sampler_object("euler"),
            sigmas,
            denoise_mask=NestedTensor((clip.video_mask, kept)),
            callback=callback,
            disable_pbar=True,
            seed=0,
        )
        return result.unbind()

    return run


@pytest.fixture(scope="session")
def guide(model, clip, denoise):
    """One guided run over the made clip: reference, sigmas, scales and settings -> (video, audio)."""

    def run(
        reference,
        sigmas=None,
        video=PAPER[0],
        audio=PAPER[1],
        conditioning=None,
        on=None,
        given=None,
        keeps_sound=False,
        **options,
    ):
        settings = GuiderSettings(video, audio, stg_block_indices="2", **options)
        positive, negative = conditioning or clip.conditioning
        guider = identity_guider(on or model, positive, negative, settings=settings, reference=reference)
        given = given or clip
        sound_mask = torch.zeros_like(given.audio_noise) if keeps_sound else None
        return denoise(guider, given, ltx2_sigmas(1) if sigmas is None else sigmas, audio_mask=sound_mask)

    return run


@pytest.fixture
def block_runs(model):
    """An entry for each run of each block, and each prediction of its batch."""
    runs: list[int] = []
    blocks = model.model.diffusion_model.transformer_blocks
    handles = [
        block.register_forward_hook(lambda _, x, __: runs.extend([1] * x[0][0].shape[0])) for block in blocks
    ]
    yield runs
    for handle in handles:
        handle.remove()
