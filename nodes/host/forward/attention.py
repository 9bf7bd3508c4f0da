"""An attention layer whose attention is changed; it is known by its name in the block, never by the order of calls.

Other nodes and the host itself split an attention call, add one, or answer one without asking anybody: only the
layer's name says which call it is.
"""

from functools import partial

import torch

from ....idlora_core.reference_masks import Attention

OVERRIDE = "optimized_attention_override"
"""The host's option for a function that is asked in place of its attention."""


class ChangedAttention(torch.nn.Module):
    """A layer of the host with its weights, gate and projection, and another attention.

    Args:
        layer: the host's, which is not written to; another node may have replaced its forward.
        change: `change(attend, q, k, v, ...)` takes the place of `attend(q, k, v, ...)`.
        must_act: whether the pass would be wrong without the change.
        masked: False leaves the layer's mask out.
    """

    def __init__(self, layer: torch.nn.Module, change: Attention, must_act: bool = True, masked: bool = True):
        super().__init__()
        self.layer, self.change, self.must_act, self.masked = layer, change, must_act, masked

    def forward(self, *args, transformer_options, mask=None, **kwargs) -> torch.Tensor:
        acted = False

        def override(attention: Attention, q, k, v, *args, **kwargs) -> torch.Tensor:
            nonlocal acted
            acted = True
            other = transformer_options.get(OVERRIDE)
            attend = partial(other, attention) if other else attention
            return self.change(attend, q, k, v, *args, **kwargs)

        kwargs["transformer_options"] = {**transformer_options, OVERRIDE: override}
        kwargs["mask"] = mask if self.masked else None
        out = self.layer(*args, **kwargs)
        if acted or not self.must_act:
            return out
        # Another node's forward that has a kernel of its own and asks no override: the host's does.
        out = type(self.layer).forward(self.layer, *args, **kwargs)
        if not acted:
            raise RuntimeError(
                f"{type(self.layer).__name__} of this ComfyUI does not ask '{OVERRIDE}'; ID-LoRA needs that."
            )
        return out


def changed(layer: torch.nn.Module, change: Attention, must_act: bool, masked: bool) -> ChangedAttention:
    """The layer with this change around those that it has already."""
    if isinstance(layer, ChangedAttention):
        must_act, masked = must_act or layer.must_act, masked and layer.masked
        layer, change = layer.layer, partial(_around, change, layer.change)
    return ChangedAttention(layer, change, must_act, masked)


def _around(outer: Attention, inner: Attention, attend: Attention, *args, **kwargs) -> torch.Tensor:
    return outer(partial(inner, attend), *args, **kwargs)


def pass_values(attend: Attention, q, k, v, *args, **kwargs) -> torch.Tensor:
    """Spatio-temporal guidance: each token takes its own value."""
    return v
