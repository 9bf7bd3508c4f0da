"""What the sampler's plot costs: the sizes of the guidance terms in each step, and the drawing at the end."""

import statistics
import time
from collections.abc import Callable

import torch

from idlora_core.term_sizes import CallSizes, Sizes, TermRecord, term_sizes
from idlora_core.terms import TERMS, Prediction

from .ways import AUDIO, VIDEO

VIDEO_SHAPE, AUDIO_SHAPE = (1, 128, 16, 16, 16), (1, 8, 126, 16)
REPEATS, STEPS = 15, 30


def record_ms() -> float:
    """One step, at the real size of the latents: there every width has 128 channels."""
    video, audio = _predictions(VIDEO_SHAPE), _predictions(AUDIO_SHAPE)

    def record() -> None:
        sizes = TermRecord()
        sizes.begin(1.0, 5, ())
        sizes.add(term_sizes(video, VIDEO))
        sizes.add(term_sizes(audio, AUDIO))
        sizes.read()

    return _median_ms(record)


def plot_ms(plot) -> float:
    """The picture of a run of 30 steps."""
    even: Sizes = {term.scale: 0.3 for term in TERMS}
    calls = [CallSizes(1.0 - step / STEPS, even, even, frozenset()) for step in range(STEPS)]
    return _median_ms(lambda: plot.guidance_plot(calls, VIDEO, AUDIO))


def _predictions(shape: tuple[int, ...]) -> dict[Prediction, torch.Tensor]:
    names: tuple[Prediction, ...] = ("cond", *(term.prediction for term in TERMS))
    return {name: torch.randn(shape) for name in names}


def _median_ms(call: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times[1:])
