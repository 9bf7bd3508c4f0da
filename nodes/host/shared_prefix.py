"""Blocks before the first STG block see in `perturbed` what they see in `cond`: they are run once.

`cond` leaves its hidden states at that block; `perturbed` starts there, on a view of the model that has
only the blocks from there on, so that the host neither runs the others nor loads their weights.
Exact: the same numbers enter the same block. Where they are missing (memory is short, another GPU has not
got so far), the pass runs whole.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import torch
from comfy.ldm.lightricks.av_model import LTXAVModel

from .memory import free_bytes

Block = tuple[str, int]
HiddenStates = tuple[torch.Tensor, torch.Tensor]
FREE_MEMORY_FACTOR = 4


class SharedPrefix:
    """Hidden states of one step, from `cond` to `perturbed`.

    Args:
        first_block: the first STG block; 0 shares nothing.
    """

    def __init__(self, first_block: int):
        self.first_block = first_block
        self._sources: dict[UUID, UUID] = {}
        self._states: dict[UUID, HiddenStates] = {}

    def connect(self, cond_uuid: UUID, perturbed_uuid: UUID) -> None:
        """Tell which conditioning of `perturbed` starts from which of `cond`."""
        self._sources[perturbed_uuid] = cond_uuid

    def clear(self) -> None:
        """Free what the step has kept, and forget who wanted it."""
        self._states.clear()
        self._sources.clear()

    def wants(self, uuids: Sequence[UUID]) -> bool:
        """Whether a pass over these conditionings has something to leave."""
        return self.first_block > 0 and not set(uuids).isdisjoint(self._sources.values())

    def keep(self, uuids: Sequence[UUID], states: HiddenStates) -> None:
        """Keep copies of the rows that `perturbed` will need; blocks change their inputs in place."""
        self._states.clear()
        if not _fits(states):
            return
        wanted = set(self._sources.values())
        rows = zip(uuids, *(part.chunk(len(uuids)) for part in states), strict=True)
        self._states = {key: (video.clone(), audio.clone()) for key, video, audio in rows if key in wanted}

    def take(self, uuids: Sequence[UUID], device: torch.device) -> HiddenStates | None:
        """Hand over the states for a pass over these conditionings, once; None where any is missing."""
        keys = [self._sources[key] for key in uuids if key in self._sources]
        kept = [self._states.pop(key) for key in keys if key in self._states]
        if len(kept) != len(uuids):
            return None
        video, audio = zip(*kept, strict=True)
        return torch.cat(video).to(device), torch.cat(audio).to(device)


def keeping_block(other_patch: Callable | None, prefix: SharedPrefix, args: dict[str, Any], extra: dict):
    """Block patch of the host: leave the hidden states that enter this block, then run it."""
    prefix.keep(args["transformer_options"]["uuids"], args["img"])
    return other_patch(args, extra) if other_patch else extra["original_block"](args)


def start_at(view: LTXAVModel, first_block: int, states: HiddenStates) -> None:
    """Make a view run from a block on, with given hidden states."""
    run_blocks = view._process_transformer_blocks

    def run_from(x, *args, **kwargs):
        return run_blocks(list(states), *args, **kwargs)

    blocks = torch.nn.ModuleList(list(view.transformer_blocks)[first_block:])
    # The dict of submodules is shared with the model; the view gets one of its own.
    vars(view)["_modules"] = {**view._modules, "transformer_blocks": blocks}
    view._process_transformer_blocks = run_from


def shifted(blocks: Mapping[Block, Callable], first_block: int) -> dict[Block, Callable]:
    """Block patches for a view that starts at a block: the host counts its blocks from 0."""
    return {
        (kind, index - first_block): patch for (kind, index), patch in blocks.items() if index >= first_block
    }


def _fits(states: HiddenStates) -> bool:
    """Whether the host has memory to spare for copies."""
    needed = sum(part.nbytes for part in states)
    return needed * FREE_MEMORY_FACTOR < free_bytes(states[0].device)
