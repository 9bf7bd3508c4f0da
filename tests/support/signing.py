"""Signing in the test process: an installation of its own, a clip, and who saves and checks it."""

import importlib
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from idlora_core.credentials.manifest import manifest

CONSENT = "Jane Doe agreed on 3 May 2026 to this clip."
FACE = torch.rand(1, 32, 32, 3, generator=torch.Generator().manual_seed(1))
VOICE = {
    "waveform": torch.rand(1, 1, 16_000, generator=torch.Generator().manual_seed(2)),
    "sample_rate": 16_000,
}
METADATA = {"workflow": {"nodes": ["w" * 10_000]}, "prompt": {"1": "p" * 10_000}}


@pytest.fixture(scope="session")
def host():
    """The pack's host adapter, by module name."""
    return lambda name: importlib.import_module(f"idlora_pack.nodes.host.{name}")


@pytest.fixture
def installation(tmp_path):
    """A fresh installation: its user and output folders."""
    import folder_paths

    folder_paths.set_user_directory(str(tmp_path / "user"))
    folder_paths.set_output_directory(str(tmp_path / "output"))
    return tmp_path


def film(side: int = 64, num_frames: int = 25):
    """A VIDEO of noise with a tone, as the host makes it from frames."""
    from comfy_api.latest import InputImpl, Types

    generator = torch.Generator().manual_seed(0)
    images = torch.rand(num_frames, side, side, 3, generator=generator)
    wave = torch.sin(torch.arange(48_000) * 0.05).repeat(1, 2, 1) * 0.3
    return InputImpl.VideoFromComponents(
        Types.VideoComponents(
            images=images,
            audio={"waveform": wave[..., : 1920 * num_frames], "sample_rate": 48_000},
            frame_rate=Fraction(25),
        )
    )


@pytest.fixture
def save(host, installation):
    """Save and sign; the file."""

    def run(video=None, signer="Jane Doe", consent=CONSENT, allows_training=False, signs=True):
        who = host("signing_identity").identity(signer)
        origin = host("origin").new_origin(FACE, VOICE, consent, allows_training)

        def last_step(source, target, title):
            host("c2pa_files").sign(source, target, manifest(origin, title), who)

        return (
            host("saved_video")
            .save_video(video or film(), "video/clip", METADATA, last_step if signs else None)
            .path
        )

    return run


@pytest.fixture
def check(host, installation):
    def run(file: Path):
        from comfy_api.latest import InputImpl

        return host("credential_check").check(InputImpl.VideoFromFile(str(file)))

    return run
