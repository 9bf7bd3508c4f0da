"""Runs of True in a mask over time, (F,) bool."""

import torch
import torch.nn.functional as F
from torch import Tensor


def runs(mask: Tensor) -> list[tuple[int, int]]:
    """[start, end) of each run of True in (F,) bool."""
    edges = torch.diff(F.pad(mask.to(torch.int8), (1, 1)))
    starts, ends = (edges == 1).nonzero()[:, 0].tolist(), (edges == -1).nonzero()[:, 0].tolist()
    return list(zip(starts, ends, strict=True))


def widened(mask: Tensor, frames: int) -> Tensor:
    """True wherever (F,) bool is, and that many frames before and after."""
    padded = F.pad(mask.float()[None], (frames, frames))
    return F.max_pool1d(padded, 2 * frames + 1, stride=1)[0] > 0


def without_short_runs(mask: Tensor, shortest: int, is_edge_kept: bool = False) -> Tensor:
    """A copy without runs of True shorter than `shortest` frames; those at either end may stay."""
    kept = torch.zeros_like(mask)
    for start, end in runs(mask):
        at_edge = is_edge_kept and (start == 0 or end == mask.numel())
        kept[start:end] = end - start >= shortest or at_edge
    return kept
