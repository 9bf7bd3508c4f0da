"""What a prediction changes inside a transformer block: attention calls, told apart by their order.

A block of LTX-2 attends in this order, each stream only where it runs:

    video self, video text, audio self, audio text, audio-to-video, video-to-audio
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

Attention = Callable[..., torch.Tensor]


@dataclass(frozen=True)
class ReferenceMasks:
    """Masks under which the authors trained and which their inference leaves out. Off by default.

    Attributes:
        hide_from_video: video may not attend to reference tokens.
        hide_text: reference tokens may not attend to text.
        num_tokens: reference tokens at the start of the audio sequence.
    """

    hide_from_video: bool = False
    hide_text: bool = False
    num_tokens: int = 0

    def for_tokens(self, num_tokens: int) -> "ReferenceMasks | None":
        """The masks of a pass with so many reference tokens; None where there is nothing to mask."""
        if not num_tokens or not (self.hide_from_video or self.hide_text):
            return None
        return ReferenceMasks(self.hide_from_video, self.hide_text, num_tokens)


def changed_block(
    other_patch: Callable | None,
    perturbs: bool,
    masks: ReferenceMasks | None,
    others: Mapping[str, Attention],
    args: dict[str, Any],
    extra: dict,
):
    """Block patch of the host: run the block, or another pack's patch of it, with changed attention.

    Args:
        other_patch: patch that another pack has put on this block.
        perturbs: STG: self-attention passes its values through; gate and output projection still apply.
        masks: see `ReferenceMasks`.
        others: further changes, by the name of the call.
    """
    options = dict(args["transformer_options"])
    calls = _changed_calls(options, perturbs, masks, others)
    options["optimized_attention_override"] = _AttentionOverride(
        calls, options.get("optimized_attention_override")
    )
    args = {**args, "transformer_options": options}
    if perturbs:  # values that pass through need no mask, and a guide mask would split the call into several
        args["self_attention_mask"] = None
    return other_patch(args, extra) if other_patch else extra["original_block"](args)


def _changed_calls(
    options: dict[str, Any], perturbs: bool, masks: ReferenceMasks | None, others: Mapping[str, Attention]
) -> dict[int, Attention]:
    """What to do in which attention call of one block."""
    runs_video, runs_audio = options.get("run_vx", True), options.get("run_ax", True)
    names = ["video", "video text"] * runs_video + ["audio", "audio text"] * runs_audio
    names += ["audio to video"] * (runs_video and options.get("a2v_cross_attn", True))
    names += ["video to audio"] * (runs_audio and options.get("v2a_cross_attn", True))
    changes: dict[str, Attention] = dict(others)
    if perturbs:
        changes |= {"video": _pass_values, "audio": _pass_values}
    if masks and masks.hide_from_video:
        changes["audio to video"] = _Hidden(masks.num_tokens)
    if masks and masks.hide_text:
        changes["audio text"] = _Unread(masks.num_tokens)
    return {call: changes[name] for call, name in enumerate(names) if name in changes}


class _AttentionOverride:
    """Attention override of the host for one block: changes the chosen calls, leaves the others."""

    def __init__(self, calls: dict[int, Attention], other_override: Callable | None):
        self.calls = calls
        self.other_override = other_override
        self.count = 0

    def __call__(self, attention: Attention, q, k, v, *args, **kwargs):
        call, self.count = self.count, self.count + 1

        def attend(q, k, v, *args, **kwargs):
            if self.other_override is not None:
                return self.other_override(attention, q, k, v, *args, **kwargs)
            return attention(q, k, v, *args, **kwargs)

        change = self.calls.get(call)
        return change(attend, q, k, v, *args, **kwargs) if change else attend(q, k, v, *args, **kwargs)


def _pass_values(attend: Attention, q, k, v, *args, **kwargs) -> torch.Tensor:
    """Spatio-temporal guidance: each token takes its own value."""
    return v


@dataclass(frozen=True)
class _Hidden:
    """Nobody attends to the first keys: leaving them out equals a mask of minus infinity exactly."""

    num_tokens: int

    def __call__(self, attend: Attention, q, k, v, *args, **kwargs) -> torch.Tensor:
        return attend(q, k[:, self.num_tokens :], v[:, self.num_tokens :], *args, **kwargs)


@dataclass(frozen=True)
class _Unread:
    """The first queries read nothing: in training their scores drown in the mask's least number.

    What softmax leaves of a row of equal scores is the mean of the values, and that is what the model
    learned on; zero would be a state that it has never seen.
    """

    num_tokens: int

    def __call__(self, attend: Attention, q, k, v, *args, **kwargs) -> torch.Tensor:
        read = attend(q[:, self.num_tokens :], k, v, *args, **kwargs)
        unread = v.mean(dim=1, keepdim=True).expand(-1, self.num_tokens, -1)
        return torch.cat([unread.to(read.dtype), read], dim=1)
