"""What signing a clip costs beside saving it."""

import importlib
import statistics
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import folder_paths
import torch
from comfy_api.latest import InputImpl, Types

from idlora_core.credentials.manifest import manifest
from support import in_process

SIDE, NUM_FRAMES, FRAME_RATE = 512, 121, 25
SAMPLE_RATE = 48_000
REPEATS = 5


def saving_and_signing() -> tuple[float, float, float]:
    """Seconds to save, to sign and to check a clip of 512x512x121; saved once, the others the median of 5."""

    def module(name: str):
        return importlib.import_module(f"{in_process.PACK}.nodes.host.{name}")

    with tempfile.TemporaryDirectory() as folder:
        folder_paths.set_user_directory(str(Path(folder) / "user"))
        folder_paths.set_output_directory(str(Path(folder) / "output"))
        start = time.perf_counter()
        saved = module("saved_video").save_video(_clip(), "clip", None, None).path
        saving = time.perf_counter() - start
        signed, sign = saved.with_name("signed.mp4"), module("c2pa_files").sign
        who = module("signing_identity").identity("Bench")
        origin = module("origin").new_origin(None, None, "", False)
        signing = _median(lambda: sign(saved, signed, manifest(origin, "clip.mp4"), who))
        return saving, signing, _median(lambda: module("c2pa_files").read_file(signed))


def _clip():
    """Soft noise, whose file is of a usual size, with sound."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(NUM_FRAMES, 3, SIDE // 32, SIDE // 32, generator=generator)
    images = torch.nn.functional.interpolate(coarse, scale_factor=32, mode="bilinear").movedim(1, -1)
    sound = torch.randn(1, 2, SAMPLE_RATE * NUM_FRAMES // FRAME_RATE, generator=generator) * 0.1
    components = Types.VideoComponents(
        images=images,
        audio={"waveform": sound, "sample_rate": SAMPLE_RATE},
        frame_rate=Fraction(FRAME_RATE),
    )
    return InputImpl.VideoFromComponents(components)


def _median(call) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
