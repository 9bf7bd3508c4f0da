"""Attention of a scene: a call run part by part, and one whose result is gated. No mask tensor is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .scene_masks import Part

Attention = Callable[..., Tensor]
"""`(q, k, v, *args, **kwargs) -> (B, Tq, C)`; q is (B, Tq, C), k and v are (B, Tk, C)."""

Selection = slice | Tensor


@dataclass(frozen=True, eq=False)
class Split:
    """How an attention call is split.

    Attributes:
        num_queries, num_keys: that it was made for.
        parts: queries and keys of each call, a slice where they are neighbours; empty = the call stays whole.
    """

    num_queries: int
    num_keys: int
    parts: tuple[tuple[Selection, Selection], ...]


def split_of(parts: Sequence[Part], num_keys: int, device: torch.device) -> Split:
    """The split of these parts, on the device of the tokens; whole where every query sees every key."""
    num_queries = sum(len(part.queries) for part in parts)
    if all(part.keys is None or len(part.keys) == num_keys for part in parts):
        return Split(num_queries, num_keys, ())
    everything = slice(0, num_keys)
    selections = (
        (
            _selection(part.queries, device),
            everything if part.keys is None else _selection(part.keys, device),
        )
        for part in parts
    )
    return Split(num_queries, num_keys, tuple(selections))


def in_parts(split: Split, attend: Attention, q, k, v, *args, **kwargs) -> Tensor:
    """Attention in which each part of the queries sees its own keys.

        out[Q_p] = softmax(q[Q_p] k[K_p]^T) v[K_p]        for each part p

    A mask of the caller's is cut to each part; none is added.

    Raises:
        RuntimeError: another number of tokens than the split was made for.
    """
    if (q.shape[1], k.shape[1]) != (split.num_queries, split.num_keys):
        raise RuntimeError(
            f"A scene was laid out for {split.num_queries} tokens that attend to {split.num_keys}; the model has"
            f" {q.shape[1]} and {k.shape[1]}. Another node changes the tokens: remove it from the model's chain."
        )
    if not split.parts:
        return attend(q, k, v, *args, **kwargs)
    mask = kwargs.pop("mask", None)
    out = None
    for queries, keys in split.parts:
        if mask is not None:
            kwargs["mask"] = _cut(mask, queries, keys, split)
        part = attend(_taken(q, queries), _taken(k, keys), _taken(v, keys), *args, **kwargs)
        out = part.new_empty(part.shape[0], q.shape[1], part.shape[2]) if out is None else out
        out[:, queries] = part
    assert out is not None
    return out


def gated(gate: Tensor, attend: Attention, q, k, v, *args, **kwargs) -> Tensor:
    """Attention whose result is multiplied token by token.

        out[i] = gate[i] * softmax(q[i] k^T) v

    Args:
        gate: (Tq,), on the device of the tokens.

    Raises:
        RuntimeError: another number of queries than the gate has.
    """
    if q.shape[1] != len(gate):
        raise RuntimeError(
            f"A scene was laid out for {len(gate)} tokens of video; the model has {q.shape[1]}."
            " Another node changes the tokens: remove it from the model's chain."
        )
    out = attend(q, k, v, *args, **kwargs)
    return out * gate.to(out.dtype)[:, None]


def _selection(indices: Tensor, device: torch.device) -> Selection:
    """Neighbours as a slice, which copies nothing."""
    first, last = int(indices[0]), int(indices[-1])
    if last - first + 1 == len(indices) and bool((indices.diff() == 1).all()):
        return slice(first, last + 1)
    return indices.to(device)


def _taken(tokens: Tensor, selection: Selection) -> Tensor:
    return tokens[:, selection]


def _cut(mask: Tensor, queries: Selection, keys: Selection, split: Split) -> Tensor:
    """The caller's mask (.., Tq or 1, Tk or 1) for one part."""
    if mask.shape[-1] == split.num_keys:
        mask = mask[..., keys]
    if mask.ndim > 1 and mask.shape[-2] == split.num_queries:
        mask = mask[..., queries, :]
    return mask
