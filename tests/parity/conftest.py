"""The real host in the test process, for tests that compare numbers."""

import importlib
from pathlib import Path

import pytest

from bed import in_process
from bed.clip import Clip, made_clip


@pytest.fixture(scope="session")
def pack(comfy_tree: Path, small_models: Path, tmp_path_factory: pytest.TempPathFactory):
    """This pack, loaded beside the host's own modules."""
    in_process.import_host(comfy_tree, tmp_path_factory.mktemp("in_process"), small_models)
    return in_process.import_pack()


@pytest.fixture(scope="session")
def guider_module(pack):
    return importlib.import_module(f"{pack.__name__}.nodes.host.guider")


@pytest.fixture(scope="session", params=["small_ltx23", "small_ltx20"])
def checkpoint(request: pytest.FixtureRequest, small_models: Path) -> Path:
    return small_models / "checkpoints" / f"{request.param}.safetensors"


@pytest.fixture(scope="session")
def model(pack, checkpoint: Path):
    """The MODEL of a small checkpoint, as the host's loader makes it."""
    import comfy.sd

    return comfy.sd.load_checkpoint_guess_config(str(checkpoint), output_vae=False, output_clip=False)[0]


@pytest.fixture(scope="session")
def clip(model) -> Clip:
    return made_clip(model.model.diffusion_model)


@pytest.fixture(scope="session")
def denoise():
    """Run a guider of the host over a made clip: (guider, clip, sigmas) -> (video, audio) latents."""

    def run(guider, clip: Clip, sigmas, callback=None, audio_mask=None):
        import comfy.samplers
        import torch
        from comfy.nested_tensor import NestedTensor

        result = guider.sample(
            NestedTensor((clip.video_noise, clip.audio_noise)),
            NestedTensor((clip.clean_video, torch.zeros_like(clip.audio_noise))),
            comfy.samplers.sampler_object("euler"),
            sigmas,
            denoise_mask=NestedTensor(
                (clip.video_mask, torch.ones_like(clip.audio_noise) if audio_mask is None else audio_mask)
            ),
            callback=callback,
            disable_pbar=True,
            seed=0,
        )
        return result.unbind()

    return run


@pytest.fixture(scope="session")
def guide(guider_module, model, clip, denoise):
    """One guided run over the made clip: reference, sigmas, scales and settings -> (video, audio)."""
    import torch

    from idlora_core.sigmas import ltx2_sigmas
    from idlora_core.terms import Scales

    video_scales = Scales(cfg=3.0, stg=1.0, av_bimodal=3.0)
    audio_scales = Scales(cfg=7.0, identity=4.0, stg=1.0, av_bimodal=3.0)

    def run(
        reference,
        sigmas=None,
        video=video_scales,
        audio=audio_scales,
        conditioning=None,
        on=None,
        given=None,
        keeps_sound=False,
        **settings,
    ):
        settings = guider_module.GuiderSettings(video, audio, stg_block_indices="2", **settings)
        conditioning = conditioning or clip.conditioning
        guider = guider_module.identity_guider(on or model, *conditioning, settings, reference)
        sound_mask = torch.zeros_like(clip.audio_noise) if keeps_sound else None
        return denoise(
            guider, given or clip, ltx2_sigmas(1) if sigmas is None else sigmas, audio_mask=sound_mask
        )

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


@pytest.fixture(scope="session")
def forward_module(pack):
    return importlib.import_module(f"{pack.__name__}.nodes.host.forward.passes")
