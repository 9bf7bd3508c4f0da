"""`fast`: the identity pass on the audio stream alone, listening to the video of `cond`.

Without the reference the audio changes, and through it the video a little; this leaves the video as it is in
`cond`. What audio hears of video in each block, keys and values of the video-to-audio attention, is kept from
`cond`, and the pass runs audio tokens only: about 3 % of a whole one. Cost while a step lasts: 2 x blocks x
video tokens x audio width numbers, 1.6 GB at 512x512x121 in bfloat16. Where that does not fit, or is missing,
the pass runs whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import torch
from comfy.ldm.lightricks.av_model import LTXAVModel

from .attention import Attention
from .memory import free_bytes

KeysAndValues = tuple[torch.Tensor, torch.Tensor]
FREE_MEMORY_FACTOR = 2


class HeardVideo:
    """Keys and values of one step, per block, from `cond` to `no_reference`."""

    def __init__(self, num_blocks: int):
        self.num_blocks = num_blocks
        self._sources: dict[UUID, UUID] = {}
        self._kept: dict[UUID, dict[int, KeysAndValues]] = {}

    def connect(self, cond_uuid: UUID, no_reference_uuid: UUID) -> None:
        """Tell which conditioning of `no_reference` listens to which of `cond`."""
        self._sources[no_reference_uuid] = cond_uuid

    def clear(self) -> None:
        """Free what the step has kept, and forget who wanted it."""
        self._kept.clear()
        self._sources.clear()

    def wants(self, uuids: Sequence[UUID]) -> bool:
        """Whether a pass over these conditionings has something to leave."""
        return not set(uuids).isdisjoint(self._sources.values())

    def keep(self, uuids: Sequence[UUID], block: int, heard: KeysAndValues) -> None:
        """Keep the rows of `cond`, from the first block on or not at all."""
        if block == 0 and not self._fits(heard):
            return
        for key, *row in zip(uuids, *(part.chunk(len(uuids)) for part in heard), strict=True):
            if key in self._sources.values() and (block == 0 or key in self._kept):
                keys, values = (part.clone() for part in row)
                self._kept.setdefault(key, {})[block] = keys, values

    def take(self, uuids: Sequence[UUID], device: torch.device) -> list[KeysAndValues] | None:
        """Hand over what a pass over these conditionings hears, once; None where anything is missing."""
        kept = [self._kept.pop(self._sources[key], {}) for key in uuids if key in self._sources]
        if len(kept) != len(uuids) or any(len(rows) != self.num_blocks for rows in kept):
            return None
        return [
            (
                torch.cat([rows[block][0] for rows in kept]).to(device),
                torch.cat([rows[block][1] for rows in kept]).to(device),
            )
            for block in range(self.num_blocks)
        ]

    def _fits(self, heard: KeysAndValues) -> bool:
        """Whether the host has memory to spare for all blocks."""
        needed = self.num_blocks * sum(part.nbytes for part in heard)
        return needed * FREE_MEMORY_FACTOR < free_bytes(heard[0].device)


@dataclass(frozen=True)
class Leaves:
    """Video-to-audio attention of `cond`: leave what is heard in this block."""

    heard: HeardVideo
    uuids: Sequence[UUID]
    block: int

    def __call__(self, attend: Attention, q, k, v, *args, **kwargs) -> torch.Tensor:
        self.heard.keep(self.uuids, self.block, (k, v))
        return attend(q, k, v, *args, **kwargs)


@dataclass(frozen=True)
class Hears:
    """Video-to-audio attention of `no_reference`: hear what `cond` has left."""

    heard: KeysAndValues

    def __call__(self, attend: Attention, q, k, v, *args, **kwargs) -> torch.Tensor:
        return attend(q, *self.heard, *args, **kwargs)


def audio_stream_only(options: Mapping[str, Any]) -> dict[str, Any]:
    """Transformer options in which blocks compute audio alone."""
    return {**options, "run_vx": False, "a2v_cross_attn": False}


def with_one_video_token(view: LTXAVModel) -> None:
    """Make a view carry one token of video through the blocks, in place of all that nobody computes."""
    take_in, prepare, put_out = view._process_input, view._prepare_timestep, view._process_output

    def process_input(*args, **kwargs):
        (video, audio), (video_positions, audio_positions), extra = take_in(*args, **kwargs)
        extra["num_video_tokens"] = video.shape[1]
        return [video[:, :1], audio], [video_positions[:, :, :1], audio_positions], extra

    def prepare_timestep(timestep, *args, **kwargs):
        # The gate of what audio hears follows the largest sigma of the video tokens.
        return prepare(timestep.reshape(len(timestep), -1).amax(1, keepdim=True), *args, **kwargs)

    def process_output(x, embedded_timestep, keyframe_idxs, num_video_tokens, **kwargs):
        video = x[0].expand(-1, num_video_tokens, -1)
        return put_out([video, x[1]], embedded_timestep, keyframe_idxs, **kwargs)

    view._process_input = process_input
    view._prepare_timestep = prepare_timestep
    view._process_output = process_output
