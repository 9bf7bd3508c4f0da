"""K/V cache of `fast`: the identity pass runs the audio stream alone, attending to the video of `cond`.

Without the reference the audio changes, and through it the video a little; this leaves the video as it is in
`cond`. Keys and values of the video-to-audio attention of each block are kept from `cond`, and the pass runs
audio tokens only: about 3 % of a whole one. Cost while a step lasts: 2 x blocks x video tokens x audio width
numbers, 1.6 GB at 512x512x121 in bfloat16.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

import torch

from ....idlora_core.reference_masks import Attention
from .step_cache import StepCache, Tensors
from .view import View

LAYER = "video_to_audio_attn"


def leave_keys_and_values(view: View, cache: StepCache, uuids: Sequence[UUID]) -> None:
    """Have a pass leave what audio attends to of video. Nothing depends on it, so it need not happen."""
    for block in range(len(view.blocks)):
        view.replace(block, LAYER, partial(_leaving, cache, uuids, block), must_act=False)


def run_audio_alone(view: View, kept: Sequence[Tensors], options: dict[str, Any]) -> None:
    """Have a pass compute the audio stream only, with video's keys and values given block by block."""
    for block, keys_and_values in enumerate(kept):
        view.replace(block, LAYER, partial(_attending_to, keys_and_values))
    carry_one_video_token(view)
    compute_audio_only(options)


def compute_audio_only(options: dict[str, Any]) -> None:
    """Blocks compute audio alone."""
    options["run_vx"] = options["a2v_cross_attn"] = False


def carry_one_video_token(view: View) -> None:
    """One token of video goes through the blocks, in place of all that nobody computes."""

    def process_input(former, *args, **kwargs):
        (video, audio), (video_positions, audio_positions), extra = former(*args, **kwargs)
        extra["num_video_tokens"] = video.shape[1]
        return [video[:, :1], audio], [video_positions[:, :, :1], audio_positions], extra

    def prepare_timestep(former, timestep, *args, **kwargs):
        # The gate of what audio takes from video follows the largest sigma of the video tokens.
        return former(timestep.reshape(len(timestep), -1).amax(1, keepdim=True), *args, **kwargs)

    def process_output(former, x, embedded_timestep, keyframe_idxs, num_video_tokens, **kwargs):
        video = x[0].expand(-1, num_video_tokens, -1)
        return former([video, x[1]], embedded_timestep, keyframe_idxs, **kwargs)

    view.override("_process_input", process_input)
    view.override("_prepare_timestep", prepare_timestep)
    view.override("_process_output", process_output)


def _leaving(
    cache: StepCache, uuids: Sequence[UUID], block: int, attend: Attention, q, k, v, *args, **kwargs
) -> torch.Tensor:
    cache.keep(uuids, block, (k, v))
    return attend(q, k, v, *args, **kwargs)


def _attending_to(kept: Tensors, attend: Attention, q, k, v, *args, **kwargs) -> torch.Tensor:
    return attend(q, *kept, *args, **kwargs)
