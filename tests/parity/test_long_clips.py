"""What our own parts cost as a clip gets longer: memory grows as the clip does, never as its square.

`pytest -s` prints the table. The VAEs and the transformer are the host's and are not in it.
"""

import pytest
import torch

from idlora_core.clean_start import without_lead_in
from idlora_core.frames import num_audio_latents, num_video_latents
from idlora_core.guidance import combine
from idlora_core.positions import latent_bounds
from idlora_core.reference import Reference
from idlora_core.sound import fitted_to_frames
from idlora_core.terms import Prediction, Scales
from support import vaes
from support.allocations import Cost, cost

LENGTHS = (33, 65, 121, 241, 497)
FRAME_RATE, LEAD_IN_SECONDS, LEAD_IN_FRAMES = 25.0, 0.5, 16
SIDE = 512
DECODED_SIDE = 64  # what is cut off is a view whatever the size
SAMPLE_RATE = 48_000
PAPER = {"stg": 1.0, "av_bimodal": 3.0}
VIDEO, AUDIO = Scales(0.7, **PAPER, cfg=3.0), Scales(0.7, **PAPER, cfg=7.0, identity=4.0)
PREDICTIONS: tuple[Prediction, ...] = ("cond", "uncond", "no_reference", "perturbed", "uncoupled")


@pytest.fixture(scope="module")
def parts(small_models):
    """Names of our parts and what runs them: (length) -> a function to measure."""
    checkpoint = small_models / "checkpoints" / "small_ltx23.safetensors"
    video_vae, audio_vae = vaes.video_vae(checkpoint), vaes.audio_vae(checkpoint)
    node = vaes.node("first_frame", "FirstFrameCondition")
    size = {"width": SIDE, "height": SIDE, "max_side": SIDE, "strength": 1.0, "frame_rate": FRAME_RATE}

    def first_frame(length, **inputs):
        return lambda: node.execute(video_vae, audio_vae, length=length, **size, **inputs)

    return {
        "First-Frame Condition": first_frame,
        "with a lead-in of 0.5 s": lambda length: first_frame(length, lead_in_seconds=LEAD_IN_SECONDS),
        "guidance of one step": guidance_of_a_step,
        "AV Decode's cut": cut_of_the_decoder,
        "audio positions": lambda length: lambda: latent_bounds(num_audio_latents(length, FRAME_RATE)),
    }


def guidance_of_a_step(length: int):
    """Five predictions of both streams become one, with every term on."""
    latent_side = SIDE // 32
    shapes = (
        (1, 128, num_video_latents(length), latent_side, latent_side),
        (1, 8, num_audio_latents(length, FRAME_RATE), 16),
    )
    predictions: list[dict[Prediction, torch.Tensor]]
    predictions = [{name: torch.randn(shape) for name in PREDICTIONS} for shape in shapes]
    return lambda: [
        combine(stream, scales) for stream, scales in zip(predictions, (VIDEO, AUDIO), strict=True)
    ]


def cut_of_the_decoder(length: int):
    """A lead-in removed from picture and sound, and the sound fitted to the picture."""
    total = length + LEAD_IN_FRAMES
    images = torch.zeros(total, DECODED_SIDE, DECODED_SIDE, 3)
    waveform = torch.zeros(1, 2, int((total / FRAME_RATE - 0.03) * SAMPLE_RATE))

    def cut():
        kept, sound = without_lead_in(images, waveform, SAMPLE_RATE, LEAD_IN_FRAMES, FRAME_RATE)
        assert kept.untyped_storage().data_ptr() == images.untyped_storage().data_ptr()
        return fitted_to_frames(sound, SAMPLE_RATE, length, FRAME_RATE)

    return cut


@pytest.fixture(scope="module")
def table(parts) -> dict[str, dict[int, Cost]]:
    """Every part at every length, after one run to warm up."""
    measured: dict[str, dict[int, Cost]] = {}
    with torch.inference_mode():
        for name, part in parts.items():
            part(LENGTHS[0])()
            measured[name] = {length: cost(part(length)) for length in LENGTHS}
    print("\n" + _lines(measured))
    return measured


def _lines(measured: dict[str, dict[int, Cost]]) -> str:
    """Milliseconds and MB of each part, one row per length."""
    rows = [f"frames  seconds  {'  '.join(f'{name:>24}' for name in measured)}"]
    for length in LENGTHS:
        cells = (
            f"{by[length].seconds * 1e3:8.2f} ms {by[length].peak_bytes / 1e6:9.3f} MB"
            for by in measured.values()
        )
        rows.append(f"{length:6d}  {length / FRAME_RATE:7.2f}  " + "  ".join(cells))
    return "\n".join(rows)


def test_memory_grows_as_the_clip(table):
    for name, by_length in table.items():
        for shorter, longer in zip(LENGTHS, LENGTHS[1:], strict=False):
            growth = by_length[longer].peak_bytes / by_length[shorter].peak_bytes
            assert growth <= 1.05 * longer / shorter, (
                f"{name}: {growth:.2f} times for {shorter} -> {longer} frames"
            )


def test_a_lead_in_costs_its_own_frames_only(table):
    for length in LENGTHS:
        more = (
            table["with a lead-in of 0.5 s"][length].peak_bytes
            - table["First-Frame Condition"][length].peak_bytes
        )
        latents = num_video_latents(length + LEAD_IN_FRAMES) - num_video_latents(length)
        audio = num_audio_latents(length + LEAD_IN_FRAMES, FRAME_RATE) - num_audio_latents(length, FRAME_RATE)
        assert more <= 4 * (latents * 128 * (SIDE // 32) ** 2 + audio * 128)


def test_a_reference_costs_its_tokens_only():
    reference = Reference(torch.randn(1, 8, 126, 16))
    assert cost(lambda: reference.tokens).peak_bytes <= reference.latent.nbytes
    assert cost(reference.bounds).peak_bytes <= 6 * 4 * 2 * reference.num_tokens + 64


def test_masks_are_no_larger_than_the_latents(small_models):
    checkpoint = small_models / "checkpoints" / "small_ltx23.safetensors"
    node = vaes.node("first_frame", "FirstFrameCondition")
    with torch.inference_mode():
        latent = node.execute(
            vaes.video_vae(checkpoint),
            vaes.audio_vae(checkpoint),
            width=64,
            height=64,
            max_side=64,
            length=497,
            frame_rate=FRAME_RATE,
            strength=1.0,
            image=torch.rand(1, 64, 64, 3),
            silent_start_seconds=0.5,
            lead_in_seconds=LEAD_IN_SECONDS,
        ).args[0]
    video_mask, audio_mask = latent["noise_mask"].unbind()
    video, audio = latent["samples"].unbind()
    assert video.shape[2] == 65 and audio.shape[2] == 513
    assert video_mask.numel() == video.shape[2] and audio_mask.numel() == audio.numel()
