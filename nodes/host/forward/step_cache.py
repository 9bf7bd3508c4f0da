"""What one prediction computes and another one of the same step takes over."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

import comfy.model_management
import torch

Tensors = tuple[torch.Tensor, ...]


SPARE = 4.0
"""Kept only where the host has this many times the memory to spare."""


class StepCache:
    """Tensors of one step, from a conditioning of `cond` to one of another prediction.

    Exact: what is taken is what the giver computed. Where something is missing (memory is short, another GPU has
    not got so far, another node answered in the giver's place) nothing is given, and the taker runs whole.
    """

    def __init__(self) -> None:
        self._givers: dict[UUID, UUID] = {}
        self._kept: dict[UUID, Tensors] = {}

    def connect(self, giver: UUID, taker: UUID) -> None:
        """Tell which conditioning takes over from which."""
        self._givers[taker] = giver

    def clear(self) -> None:
        """Free what the step has kept, and forget who wanted it."""
        self._kept.clear()
        self._givers.clear()

    def wants(self, uuids: Sequence[UUID]) -> bool:
        """Whether a pass over these conditionings has something to leave."""
        return not set(uuids).isdisjoint(self._givers.values())

    def keep(self, uuids: Sequence[UUID], tensors: Tensors) -> None:
        """Keep copies of the rows that will be taken; blocks change their inputs in place."""
        for uuid in uuids:
            self._kept.pop(uuid, None)
        if not _fits(tensors):
            return
        wanted = set(self._givers.values())
        rows = zip(uuids, *(part.chunk(len(uuids)) for part in tensors), strict=True)
        self._kept |= {uuid: tuple(part.clone() for part in row) for uuid, *row in rows if uuid in wanted}

    def take(self, uuids: Sequence[UUID], device: torch.device) -> Tensors | None:
        """Hand over what a pass over these conditionings needs, once; None where anything is missing."""
        givers = [self._givers[uuid] for uuid in uuids if uuid in self._givers]
        kept = [self._kept.pop(giver) for giver in givers if giver in self._kept]
        if not kept or len(kept) != len(uuids):
            return None
        return tuple(torch.cat(parts).to(device) for parts in zip(*kept, strict=True))


def _fits(tensors: Tensors) -> bool:
    """Whether the host has memory to spare for copies."""
    return SPARE * sum(part.nbytes for part in tensors) < free_bytes(tensors[0].device)


def free_bytes(device: torch.device) -> float:
    """Memory that the host could give to a computation on a device."""
    return cast(float, comfy.model_management.get_free_memory(device))
