"""What one prediction computes and another one of the same step takes over."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

import comfy.model_management
import torch

Tensors = tuple[torch.Tensor, ...]


class StepCache:
    """Tensors of one step, from a conditioning of `cond` to one of another prediction.

    Exact: what is taken is what the giver computed. Where something is missing (memory is short, another GPU has
    not got so far, another node answered in the giver's place) nothing is given, and the taker runs whole.

    Args:
        num_entries: how many `keep` makes complete: one, or one for each block.
        spare: kept only where the host has so many times the memory to spare.
    """

    def __init__(self, num_entries: int = 1, spare: float = 4.0):
        self.num_entries, self.spare = num_entries, spare
        self._givers: dict[UUID, UUID] = {}
        self._kept: dict[UUID, list[Tensors]] = {}

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

    def keep(self, uuids: Sequence[UUID], entry: int, tensors: Tensors) -> None:
        """Keep copies of the rows that will be taken, entry by entry; blocks change their inputs in place.

        An entry out of order, such as a second one of the same block, drops all: nobody can tell them apart.
        """
        rows = zip(uuids, *(part.chunk(len(uuids)) for part in tensors), strict=True)
        if entry == 0:
            for uuid in uuids:
                self._kept.pop(uuid, None)
            if not self._fits(tensors):
                return
        for uuid, *row in rows:
            if uuid not in self._givers.values():
                continue
            if entry == 0 and uuid not in self._kept:
                self._kept[uuid] = []
            kept = self._kept.get(uuid)
            if kept is not None and len(kept) == entry:
                kept.append(tuple(part.clone() for part in row))
            else:
                self._kept.pop(uuid, None)

    def take(self, uuids: Sequence[UUID], device: torch.device) -> list[Tensors] | None:
        """Hand over what a pass over these conditionings needs, once; None where anything is missing."""
        kept = [self._kept.pop(self._givers[uuid], []) for uuid in uuids if uuid in self._givers]
        if not kept or len(kept) != len(uuids) or any(len(rows) != self.num_entries for rows in kept):
            return None
        return [
            tuple(torch.cat(parts).to(device) for parts in zip(*entry, strict=True))
            for entry in zip(*kept, strict=True)
        ]

    def _fits(self, tensors: Tensors) -> bool:
        """Whether the host has memory to spare for all entries."""
        needed = self.num_entries * sum(part.nbytes for part in tensors)
        return needed * self.spare < free_bytes(tensors[0].device)


def free_bytes(device: torch.device) -> float:
    """Memory that the host could give to a computation on a device."""
    return cast(float, comfy.model_management.get_free_memory(device))
