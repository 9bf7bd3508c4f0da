"""A view of the network: a shallow copy that shares every weight and in which methods and layers can be changed.

The model itself, which other graphs share, is never written to, so there is nothing to restore when a run is
interrupted, and each GPU of a multi-GPU run changes its own copy. Names are checked: on a host that has renamed
one, a change is an error and never a setting without effect.
"""

import copy
from collections.abc import Callable
from functools import partial
from types import MethodType
from typing import Any, Literal, get_args

import comfyui_version
import torch
from comfy.ldm.lightricks.av_model import LTXAVModel

from ....idlora_core.reference_masks import Attention
from .attention import changed

Method = Literal[
    "_process_input",
    "_prepare_timestep",
    "_prepare_positional_embeddings",
    "_precompute_freqs_cis",
    "_process_transformer_blocks",
    "_process_output",
]
Layer = Literal[
    "attn1",
    "attn2",
    "audio_attn1",
    "audio_attn2",
    "audio_to_video_attn",
    "video_to_audio_attn",
    "ff",
]
SHARED = ("_forward", "transformer_blocks")
"""Names that are used as they are."""


class View:
    """One pass's view of a network; `network` is the copy."""

    def __init__(self, network: LTXAVModel):
        self.network: Any = _twin(network, "_forward", "_process_transformer_blocks")
        self.blocks: list[Any] = list(network.transformer_blocks)
        self._shared = set(range(len(self.blocks)))

    def override(self, method: Method, function: Callable) -> None:
        """`function(former, *args, **kwargs)` takes the place of a method; `former` is what was there.

        Raises:
            RuntimeError: the host has no such method.
        """
        _check(self.network, method)
        setattr(self.network, method, partial(function, getattr(self.network, method)))

    def replace(self, block: int, layer: Layer, function: Attention, masked=True) -> None:
        """`function(attend, q, k, v, ...)` takes the place of the attention in one layer of one block.

        Changes of one layer are nested, the last one outermost. For the others see `ChangedAttention`.

        Raises:
            RuntimeError: the host has no such layer, or another node hides the block's layers.
        """
        layers = self._layers(block, layer)
        layers[layer] = changed(layers[layer], function, masked)

    def leave_out(self, block: int, layer: Layer) -> None:
        """Nothing is computed in a layer whose output nobody needs.

        Raises:
            RuntimeError: as `replace`.
        """
        self._layers(block, layer)[layer] = _Nothing()

    def uncompile(self) -> None:
        """Run every block as Python: a compiled one may be blind to transformer options (the host's own is)."""
        for index in sorted(self._shared):
            if _is_compiled(self.blocks[index]):
                self._own(index)

    def finish(self, first_block: int = 0) -> LTXAVModel:
        """The network with the blocks from one on. It refers to itself: `release` it after the pass."""
        if first_block or len(self._shared) < len(self.blocks):
            self.network._modules["transformer_blocks"] = torch.nn.ModuleList(self.blocks[first_block:])
        return self.network

    def release(self) -> None:
        """Overrides refer to the view that holds them: a cycle, which would keep tensors till garbage collection."""
        vars(self.network).clear()

    def _layers(self, block: int, layer: Layer) -> dict[str, Any]:
        own = self._own(block)
        _check(own, layer)
        return own._modules

    def _own(self, block: int) -> Any:
        """This view's own copy of a block, made when it is first asked for."""
        if block in self._shared:
            self.blocks[block] = _twin(self.blocks[block], "forward")
            self._shared.remove(block)
        return self.blocks[block]


def check_names(network: LTXAVModel) -> None:
    """Refuse a host on which a change would have no effect.

    Raises:
        RuntimeError: it lacks a method or a layer.
    """
    for name in (*get_args(Method), *SHARED):
        _check(network, name)
    for block in network.transformer_blocks:
        for name in get_args(Layer):
            _check(_original(block), name)


def _check(module: torch.nn.Module, name: str) -> None:
    if not hasattr(module, name):
        raise RuntimeError(
            f"ComfyUI {comfyui_version.__version__} has no '{name}' in {type(module).__name__}, which this version of"
            " ID-LoRA changes. Update ID-LoRA, or use a ComfyUI version that docs/compatibility.md lists."
        )


class _Nothing(torch.nn.Module):
    """Stands for a layer whose output nobody needs."""

    def forward(self, x: torch.Tensor, *args, **kwargs) -> torch.Tensor:
        return x.new_zeros(1)


def _twin(module: Any, *looked_into: str) -> Any:
    """A shallow copy, not compiled, with other nodes' replaced methods at work on the copy.

    Raises:
        RuntimeError: one that has to be looked into is a function that holds on to the module itself.
    """
    module = _original(module)
    twin = copy.copy(module)
    own = vars(twin)
    own["_modules"] = dict(module._modules)
    own["_compiled_call_impl"] = None
    for name, method in vars(module).items():
        method = getattr(method, "_torchdynamo_orig_callable", method)
        if isinstance(method, MethodType) and method.__self__ is module and name != "_compiled_call_impl":
            own[name] = MethodType(method.__func__, twin)
        elif name in looked_into:
            raise RuntimeError(
                f"Another node (module '{getattr(method, '__module__', None)}') has replaced '{name}' of"
                f" {type(module).__name__} by a function that ID-LoRA cannot look into: guidance would have no effect"
                " there. Remove that node from the model's chain."
            )
    return twin


def _original(block: Any) -> Any:
    """The block inside a compiled one."""
    return getattr(block, "_orig_mod", block)


def _is_compiled(block: Any) -> bool:
    own = vars(block)
    return (
        hasattr(block, "_orig_mod")
        or own.get("_compiled_call_impl") is not None
        or hasattr(own.get("forward"), "_torchdynamo_orig_callable")
    )
