"""Noise schedules of LTX-2: sigma runs from 1 (pure noise) to 0."""

import math

import torch
from torch import Tensor

DISTILLED_8_STEPS = (1.0, 0.99375, 0.9875, 0.98125, 0.975, 0.909375, 0.725, 0.421875, 0.0)
"""Schedule of the distilled models. Source: Lightricks' ltx-pipelines, `DISTILLED_SIGMA_VALUES`."""

STAGE_2_SIGMAS = (0.909375, 0.725, 0.421875, 0.0)
"""Schedule of a second stage at twice the size, with the distilled LoRA.

Source: Lightricks' ltx-pipelines, `STAGE_2_DISTILLED_SIGMA_VALUES`. The host's templates use .85, .725, .4219, 0.
"""

SHIFT_TOKENS = (1024, 4096)
MAX_STEPS = 1000


def ltx2_sigmas(
    steps: int,
    num_tokens: int = 4096,
    max_shift: float = 2.05,
    base_shift: float = 0.95,
    terminal: float = 0.1,
) -> Tensor:
    """The LTX-2 schedule: uniform steps, shifted by sequence length, stretched to a terminal value.

        mu = base_shift + (max_shift - base_shift) * (num_tokens - 1024) / (4096 - 1024)
        s[i] = e^mu / (e^mu + 1/u[i] - 1)                 u = 1, ..., 0 in equal steps
        sigma[i] = 1 - (1 - s[i]) * (1 - terminal) / (1 - s[last above 0])

    Args:
        steps: number of steps, 1 to 1000; the paper uses 30.
        num_tokens: sequence length that sets the shift; the authors always use 4096.
        max_shift, base_shift: mu at 4096 and at 1024 tokens.
        terminal: last sigma above 0.

    Returns:
        (steps + 1,) float32, from 1 to 0.

    Raises:
        ValueError: steps outside 1 to 1000.

    Source:
        `LTX2Scheduler` of ltx-core; equal to it bit for bit (tests/parity).
    """
    if not 1 <= steps <= MAX_STEPS:
        raise ValueError(f"Number of steps is {steps}; give 1 to {MAX_STEPS} (the paper uses 30).")
    slope = (max_shift - base_shift) / (SHIFT_TOKENS[1] - SHIFT_TOKENS[0])
    shift = math.exp(num_tokens * slope + (base_shift - slope * SHIFT_TOKENS[0]))
    uniform = torch.linspace(1.0, 0.0, steps + 1)
    inner = shift / (shift + (1 / uniform[:-1] - 1) ** 1)
    if steps > 1:  # one step has nothing to stretch: its only sigma is 1
        distance = 1.0 - inner
        inner = 1.0 - (distance / (distance[-1] / (1.0 - terminal)))
    return torch.cat([inner, torch.zeros(1)])


def checked_sigmas(sigmas: Tensor) -> Tensor:
    """The schedule as given, once it is known to be one.

    Raises:
        ValueError: fewer than two values, not finite, not falling, or outside [0, 1].
    """
    values = [round(v, 4) for v in sigmas.flatten().tolist()]
    if len(values) < 2:
        raise ValueError(f"SIGMAS has {len(values)} value(s); a schedule needs at least 2, such as 1, 0.")
    falling = all(a > b for a, b in zip(sigmas[:-1].tolist(), sigmas[1:].tolist(), strict=True))
    if not (torch.isfinite(sigmas).all() and falling and values[0] <= 1.0 and values[-1] >= 0.0):
        raise ValueError(f"SIGMAS must fall from at most 1 to at least 0, got {values[:12]}.")
    return sigmas
