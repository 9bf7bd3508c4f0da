"""Masks of reference tokens under which the authors trained, and which their inference leaves out.

Both are attention with a change of its inputs, so that no mask tensor is needed and every kernel goes on working.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Attention = Callable[..., Tensor]
"""`(q, k, v, *args, **kwargs) -> (B, Tq, C)`; q is (B, Tq, C), k and v are (B, Tk, C)."""


@dataclass(frozen=True)
class ReferenceMasks:
    """Which masks hold for the reference tokens at the start of the audio sequence.

    Attributes:
        num_tokens: reference tokens, at least 1.
        hide_from_video: video may not attend to them.
        hide_text: they may not attend to text.
    """

    num_tokens: int
    hide_from_video: bool = False
    hide_text: bool = False


def without_first_keys(num_tokens: int, attend: Attention, q, k, v, *args, **kwargs) -> Tensor:
    """Attention to all but the first keys.

        softmax(q k^T + M) v        M = -inf where key < num_tokens, else 0

    Leaving keys out equals a mask of minus infinity exactly.
    """
    return attend(q, k[:, num_tokens:], v[:, num_tokens:], *args, **kwargs)


def with_uniform_first_queries(num_tokens: int, attend: Attention, q, k, v, *args, **kwargs) -> Tensor:
    """Attention in which the first queries weigh all keys alike.

        out[i] = mean over keys of v               i < num_tokens

    The trainer adds the least bfloat16 number to every score of these queries, in which the scores drown; what
    softmax leaves of a row of equal scores is the mean of the values, and that is what the model learned on.
    Zero would be a state that it has never seen.

    Source:
        the authors' trainer, `audio_ref_only_ic.py`; equal to it in tests/parity.
    """
    read = attend(q[:, num_tokens:], k, v, *args, **kwargs)
    unread = v.mean(dim=1, keepdim=True).expand(-1, num_tokens, -1)
    return torch.cat([unread.to(read.dtype), read], dim=1)
