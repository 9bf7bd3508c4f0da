"""res_2s against Lightricks' ltx-pipelines: coefficients, and the whole audio-video loop on made denoisers."""

from dataclasses import replace

import pytest
import torch
from ltx_core.components.diffusion_steps import Res2sDiffusionStep
from ltx_core.types import LatentState
from ltx_pipelines.utils.res2s import get_res2s_coefficients
from ltx_pipelines.utils.samplers import _get_new_noise, res2s_audio_video_denoising_loop

from idlora_core.res2s import ETA, coefficients, sample_res_2s
from idlora_core.sigmas import STAGE_2_SIGMAS, ltx2_sigmas

SEED, SUBSTEP_OFFSET = 7, 10_000
VIDEO_TOKENS, AUDIO_TOKENS, CHANNELS = 24, 10, 16
SCHEDULES = {"15 steps": ltx2_sigmas(15), "stage 2": torch.tensor(STAGE_2_SIGMAS), "4 steps": ltx2_sigmas(4)}


def linear(x, sigma):
    """Pulls towards a pattern, the more the noisier."""
    pattern = torch.linspace(-2, 2, x.shape[-1]).to(x)
    return (1 - sigma) * x + sigma * pattern


def nonlinear(x, sigma):
    return torch.tanh(1.5 * x) * (1 - 0.3 * sigma) + 0.2 * torch.roll(x, 1, dims=-1) * sigma


DENOISERS = {"linear": linear, "nonlinear": nonlinear}


class NoNoise(Res2sDiffusionStep):
    """The authors' step with nothing injected."""

    def step(self, sample, denoised_sample, sigmas, step_index, noise):
        return denoised_sample


def state(latent, mask, clean):
    return LatentState(latent=latent, denoise_mask=mask, positions=torch.zeros(1), clean_latent=clean)


@pytest.fixture
def streams():
    """Noisy video and audio tokens; the first video tokens are clean and kept."""
    generator = torch.Generator().manual_seed(0)
    video, audio, clean = (
        torch.randn(1, n, CHANNELS, generator=generator) for n in (VIDEO_TOKENS, AUDIO_TOKENS, VIDEO_TOKENS)
    )
    mask = torch.ones(1, VIDEO_TOKENS, 1)
    mask[:, :6] = 0
    video = video * mask + clean * (1 - mask)
    return state(video, mask, clean), state(audio, torch.ones(1, AUDIO_TOKENS, 1), torch.zeros_like(audio))


def theirs(denoiser, streams, sigmas, stepper, **options):
    def denoise(video_state, audio_state, sigmas, step_index):
        sigma = sigmas[step_index].float()
        return tuple(denoiser(s.latent, sigma) for s in (video_state, audio_state))

    video, audio = (replace(s) for s in streams)
    ended = res2s_audio_video_denoising_loop(
        sigmas, video, audio, stepper, denoise, noise_seed=SEED, model_dtype=torch.float32, **options
    )
    return torch.cat([s.latent for s in ended], dim=1)


def ours(denoiser, streams, sigmas, **options):
    """Both streams in one tensor, the mask applied around the model as the host applies it."""
    mask, clean, x = (
        torch.cat([getattr(s, name) for s in streams], dim=1)
        for name in ("denoise_mask", "clean_latent", "latent")
    )

    def model(x, sigma):
        x = x * mask + clean * (1 - mask)
        parts = x.split([VIDEO_TOKENS, AUDIO_TOKENS], dim=1)
        return torch.cat([denoiser(part, sigma) for part in parts], dim=1) * mask + clean * (1 - mask)

    return sample_res_2s(model, x, sigmas, **options)


def their_noise(streams):
    """The authors' draws: the middle's and the step's generator in turn, video before audio."""
    step, substep = (torch.Generator().manual_seed(seed) for seed in (SEED, SEED + SUBSTEP_OFFSET))
    turns = iter([substep, step] * 100)

    def draw(sigma, sigma_next):
        generator = next(turns)
        return torch.cat([_get_new_noise(s.latent, generator) for s in streams], dim=1)

    return draw


@pytest.mark.parametrize("h", [1e-3, 0.05, 0.2, 0.5, 1.0, 2.3, 6.0])
def test_coefficients(h):
    for value, expected in zip(coefficients(h), get_res2s_coefficients(h, {}), strict=True):
        assert value == pytest.approx(expected, abs=1e-12 if h > 0.01 else 1e-9)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("denoiser", DENOISERS)
def test_without_noise(streams, denoiser, name, record_property):
    expected = theirs(DENOISERS[denoiser], streams, SCHEDULES[name], NoNoise())
    value = ours(DENOISERS[denoiser], streams, SCHEDULES[name], eta=0.0)
    record_property("difference", (value - expected).abs().max().item())
    torch.testing.assert_close(value, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("denoiser", DENOISERS)
@pytest.mark.parametrize("bongmath", [True, False])
def test_with_the_authors_noise(streams, denoiser, name, bongmath, record_property):
    expected = theirs(DENOISERS[denoiser], streams, SCHEDULES[name], Res2sDiffusionStep(), bongmath=bongmath)
    value = ours(
        DENOISERS[denoiser],
        streams,
        SCHEDULES[name],
        eta=ETA,
        refine_anchor=bongmath,
        noise_sampler=their_noise(streams),
    )
    record_property("difference", (value - expected).abs().max().item())
    torch.testing.assert_close(value, expected, rtol=1e-6, atol=1e-6)


def test_what_the_mask_keeps_comes_back_as_it_was(streams):
    ended = ours(nonlinear, streams, SCHEDULES["stage 2"])
    assert torch.equal(ended[:, :6], streams[0].clean_latent[:, :6])
