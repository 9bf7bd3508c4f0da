"""The res_2s sampler: second-order exponential steps in log-sigma, with noise added after each.

Of the hosts' samplers (0.20.1 to 0.30.0) none is it: `exp_heun_2_x0` and `seeds_2` step in logSNR time, at other
places, and `res_multistep` reuses earlier steps instead of evaluating the middle.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

LAST_SIGMA = 0.0011
"""Put before a final 0, which lies at infinity in log-sigma; one plain prediction leads from here to 0."""

ETA = 0.5
MIDDLE = 0.5

Denoiser = Callable[..., Tensor]
NoiseSampler = Callable[[Tensor, Tensor], Tensor]


def phi(order: int, z: float) -> float:
    """The functions of exponential integrators.

        phi_j(z) = (e^z - sum over k < j of z^k / k!) / z^j          phi_j(0) = 1 / j!

    Near 0, where the quotient loses all its digits, the series is summed.

    Source:
        Hochbruck and Ostermann, Exponential integrators, Acta Numerica 2010, eq. 2.10.
    """
    if abs(z) < 0.1:
        return math.fsum(z**k / math.factorial(k + order) for k in range(12))
    head = math.fsum(z**k / math.factorial(k) for k in range(order))
    return (math.exp(z) - head) / z**order


def coefficients(h: float, middle: float = MIDDLE) -> tuple[float, float, float]:
    """Weights of one step of length h = log(sigma / sigma_next).

        a21 = c phi_1(-c h)      b2 = phi_2(-h) / c      b1 = phi_1(-h) - b2       c = middle

    Returns:
        a21, b1, b2.

    Source:
        `get_res2s_coefficients` of Lightricks' ltx-pipelines; equal to 1e-12 (tests/parity).
    """
    b2 = phi(2, -h) / middle
    return middle * phi(1, -middle * h), phi(1, -h) - b2, b2


@torch.no_grad()
def sample_res_2s(
    model: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    extra_args: dict[str, Any] | None = None,
    callback: Callable[[dict[str, Any]], Any] | None = None,
    disable: bool | None = None,
    eta: float = ETA,
    refine_anchor: bool = True,
    noise_sampler: NoiseSampler | None = None,
) -> Tensor:
    """Sample with two predictions a step, of which the second is in the middle.

        d1 = model(x, sigma)                                  s_mid = sqrt(sigma sigma_next)
        m  = renoised(x, x + h a21 (d1 - x), sigma, s_mid)
        a  = x, or the point that leads to m without noise:   a + h a21 (d1 - a) = m
        d2 = model(m, s_mid)
        x' = renoised(a, a + h (b1 (d1 - a) + b2 (d2 - a)), sigma, sigma_next)

    The arithmetic is in float64. A schedule of n steps that ends in 0 costs 2 n + 1 predictions, and its result is
    the last of them, so that what a mask keeps comes back as it was.

    Args:
        model: k-diffusion denoiser: (x, sigma per sample, **extra_args) -> x0.
        x: noisy sample at sigmas[0], rectified flow: x = (1 - sigma) x0 + sigma noise.
        sigmas: falling schedule.
        extra_args: for the model; its `seed` also seeds the noise.
        callback: called once a step, as k-diffusion does.
        disable: k-diffusion's switch of a progress bar; this module draws none.
        eta: share of new noise in sigma_next, 0 to below 1; 0 is deterministic.
        refine_anchor: move the anchor as above where h < 0.5 and sigma > 0.03; the source's `bongmath`.
        noise_sampler: (sigma, sigma_next) -> noise like x; default `normalised_noise`.

    Source:
        `res2s_audio_video_denoising_loop` and `Res2sDiffusionStep` of Lightricks' ltx-pipelines and ltx-core, which
        iterate for the anchor; solved here in closed form. Equal to 1e-6 (tests/parity).
    """
    arguments = extra_args or {}
    draw = noise_sampler or normalised_noise(x, arguments.get("seed"))
    ends_clean = sigmas[-1] == 0
    if ends_clean:
        sigmas = torch.cat([sigmas[:-1], sigmas.new_tensor([LAST_SIGMA, 0.0])])
    num_steps = len(sigmas) - (2 if ends_clean else 1)
    for i in range(num_steps):
        denoised = _predict(model, x, sigmas[i], arguments)
        if callback is not None:
            callback({"x": x, "i": i, "sigma": sigmas[i], "sigma_hat": sigmas[i], "denoised": denoised})
        middle = torch.sqrt(sigmas[i].double() * sigmas[i + 1].double())
        h = math.log(sigmas[i].double() / sigmas[i + 1].double())
        a21, b1, b2 = coefficients(h)
        anchor, first = x.double(), denoised.double()
        point = _renoised(anchor, anchor + h * a21 * (first - anchor), sigmas[i].double(), middle, eta, draw)
        if refine_anchor and h < 0.5 and sigmas[i] > 0.03:
            anchor = (point - h * a21 * first) / (1 - h * a21)
        second = _predict(model, point.to(x.dtype), middle, arguments).double()
        stepped = anchor + h * (b1 * (first - anchor) + b2 * (second - anchor))
        x = _renoised(anchor, stepped, sigmas[i], sigmas[i + 1], eta, draw).to(x.dtype)
    return _predict(model, x, sigmas[-2], arguments) if ends_clean else x


def _predict(model: Denoiser, x: Tensor, sigma: Tensor, arguments: dict[str, Any]) -> Tensor:
    return model(x, sigma.to(x.dtype) * x.new_ones([x.shape[0]]), **arguments)


def _renoised(
    start: Tensor, end: Tensor, sigma: Tensor, sigma_next: Tensor, eta: float, draw: NoiseSampler
) -> Tensor:
    """A deterministic step from start to end, with a share of its noise exchanged for new noise.

    v = (start - end) / (sigma - sigma_next)      clean = start - sigma v          noise = clean + v
    up = eta sigma_next                           rest = sqrt(sigma_next^2 - up^2)
    x = (1 - sigma_next) clean + rest noise + up new
    """
    if eta == 0:
        return end
    up = eta * sigma_next
    rest = torch.sqrt(sigma_next**2 - up**2)
    velocity = (start - end) / (sigma - sigma_next)
    clean = start - sigma * velocity
    return (1 - sigma_next) * clean + rest * (clean + velocity) + up * draw(sigma, sigma_next).to(end)


def normalised_noise(x: Tensor, seed: int | None) -> NoiseSampler:
    """Gaussian noise of mean 0 and standard deviation 1 over each sample, drawn on the CPU from a seed.

    The seed is one further than the given one, so that it is not the noise that sampling started from.
    """
    generator = torch.Generator()
    if seed is not None:
        generator.manual_seed((seed + 1) % 2**64)

    def draw(sigma: Tensor, sigma_next: Tensor) -> Tensor:
        noise = torch.randn(x.shape, generator=generator, dtype=torch.float64)
        dims = tuple(range(1, x.ndim))
        return ((noise - noise.mean(dims, keepdim=True)) / noise.std(dims, keepdim=True)).to(x.device)

    return draw
