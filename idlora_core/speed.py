"""What `speed` means: `exact` computes every prediction, `fast` leaves out what changes the result little.

fast, beside `exact`'s savings:
    identity    the pass without reference runs the audio stream only, listening to the video of `cond`
    STG, coupling    only while sigma >= 0.75: in the first 22 of the paper's 30 steps, in which layout, motion and
                     lip movement are decided; limiting guidance to an interval of noise levels is known to
                     cost little (Kynkaanniemi et al., arXiv 2404.07724)
"""

import math
from typing import Literal, get_args

Speed = Literal["exact", "fast"]
SPEEDS: tuple[Speed, ...] = get_args(Speed)
ALWAYS = (math.inf, 0.0)
FAST_SIGMAS = (math.inf, 0.75)


def checked_speed(name: str) -> Speed:
    """The speed of that name.

    Raises:
        ValueError: there is none.
    """
    for speed in SPEEDS:
        if speed == name:
            return speed
    raise ValueError(f"speed is '{name}'; choose one of {', '.join(SPEEDS)}.")


def perturbation_sigmas(speed: Speed) -> tuple[float, float]:
    """(highest, lowest) sigma at which STG and coupling act."""
    return FAST_SIGMAS if speed == "fast" else ALWAYS
