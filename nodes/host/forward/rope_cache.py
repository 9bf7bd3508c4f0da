"""RoPE cache of one run: positions do not change from step to step, nor most of them between predictions."""

from collections.abc import Callable
from typing import Any

import torch

Table = tuple[Any, ...]
KINDS = 4  # self-attention and audio-video attention, of video and of audio
MOST = 2 * KINDS  # with and without reference


class RopeCache:
    """Keeps what the host's `_precompute_freqs_cis` has computed.

    A pass that batches two conditionings has the positions twice; the rows are equal, so a single one takes the
    first row. Exact: what is kept is what the host computed for these very positions.
    """

    def __init__(self) -> None:
        self._kept: list[tuple[tuple, torch.Tensor, Table]] = []

    def clear(self) -> None:
        """Free the tables of a run."""
        self._kept.clear()

    def table(self, compute: Callable[..., Table], positions: torch.Tensor, *args, **kwargs) -> Table:
        """The host's table for these positions, computed where it is not there yet."""
        key = (positions.shape[1:], positions.dtype, positions.device, repr((args, sorted(kwargs.items()))))
        rows = len(positions)
        for known_key, known, table in self._kept:
            if known_key == key and len(known) >= rows and torch.equal(known[:rows], positions):
                return tuple(part[:rows] if isinstance(part, torch.Tensor) else part for part in table)
        table = compute(positions, *args, **kwargs)
        self._kept = [*self._kept[1 - MOST :], (key, positions.clone(), table)]
        return table
