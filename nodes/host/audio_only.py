"""A prediction of which only the audio is used: what nothing but video needs is left out.

In the last block, audio listens to video before video listens to audio and before video's feed-forward; what
video becomes there, no audio sees.
"""

import copy

import torch
from comfy.ldm.lightricks.av_model import LTXAVModel

ONLY_FOR_VIDEO = ("audio_to_video_attn", "ff")


class _Nothing(torch.nn.Module):
    """Stands for a layer whose output nobody needs."""

    def forward(self, x: torch.Tensor, *args, **kwargs) -> torch.Tensor:
        return x.new_zeros(1)


def without_video_tail(view: LTXAVModel) -> None:
    """Leave out of a view what its last block computes for video alone; the audio stays bit-equal."""
    *blocks, last = view.transformer_blocks
    last = copy.copy(last)
    # Submodules are shared with the model; the view gets dicts of its own.
    vars(last)["_modules"] = {**last._modules, **{name: _Nothing() for name in ONLY_FOR_VIDEO}}
    vars(view)["_modules"] = {**view._modules, "transformer_blocks": torch.nn.ModuleList([*blocks, last])}
