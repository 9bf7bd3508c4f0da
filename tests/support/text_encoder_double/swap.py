"""Builds the CLIP with small sizes while a small Gemma file is being loaded, and only then.

The swap lasts for the one call of the host's loader that got the file; a real file goes through untouched.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator
from typing import Any
from unittest import mock

import comfy.sd
import comfy.text_encoders.llama
import comfy.text_encoders.lt

from . import small_gemma

HIDDEN_STATES = 49  # the embedding and 48 layers, which the host projects together
REAL_WIDTHS = {"video": 4096, "audio": 2048}

_one_at_a_time = threading.RLock()


def install() -> None:
    """Put the small-file case in front of the host's text-encoder builder."""
    original = comfy.sd.load_text_encoder_state_dicts

    @functools.wraps(original)
    def load_text_encoder_state_dicts(state_dicts: list[dict], *args: Any, **kwargs: Any) -> Any:
        sizes = next(filter(None, map(small_gemma.sizes_of, state_dicts)), None)
        if sizes is None:
            return original(state_dicts, *args, **kwargs)
        with _one_at_a_time, swapped(sizes, state_dicts):
            return original(state_dicts, *args, **kwargs)

    comfy.sd.load_text_encoder_state_dicts = load_text_encoder_state_dicts


@contextlib.contextmanager
def swapped(sizes: small_gemma.Sizes, state_dicts: list[dict]) -> Iterator[None]:
    """Inside: the host's Gemma and its text projection have the sizes of the files. After: as before."""
    llama, lt = comfy.text_encoders.llama, comfy.text_encoders.lt
    config = small_gemma.config_class(llama.Gemma3_12B_Config, sizes)
    model = _model_class(lt.Gemma3_12BModel, _widths(sizes, state_dicts))
    with (
        mock.patch.object(llama, "Gemma3_12B_Config", config),
        mock.patch.object(lt, "Gemma3_12BModel", model),
    ):
        yield


def _model_class(real_model: type, widths: dict[int, int]) -> type:
    class SmallGemmaModel(real_model):
        def __init__(self, *args: Any, **kwargs: Any):
            super().__init__(*args, **kwargs)
            self.operations = _ProjectionOperations(self.operations, widths)

    return SmallGemmaModel


def _widths(sizes: small_gemma.Sizes, state_dicts: list[dict]) -> dict[int, int]:
    """The host's hard-coded widths of the text projection, each with the width found in the files."""
    widths = {
        small_gemma.REAL_HIDDEN: sizes.hidden,
        small_gemma.REAL_HIDDEN * HIDDEN_STATES: sizes.hidden * HIDDEN_STATES,
    }
    for state_dict in state_dicts:
        for stream, real_width in REAL_WIDTHS.items():
            weight = state_dict.get(f"text_embedding_projection.{stream}_aggregate_embed.weight")
            if weight is not None:
                widths[real_width] = weight.shape[0]
    return widths


class _ProjectionOperations:
    """The host's layer factory, with which it builds the text projection, at the files' widths."""

    def __init__(self, operations: Any, widths: dict[int, int]):
        self._operations = operations
        self._widths = widths

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operations, name)

    def Linear(self, in_features: int, out_features: int, *args: Any, **kwargs: Any) -> Any:
        """A Linear whose real widths are replaced; one that is not listed is not ours, and stays."""
        widths = self._widths
        return self._operations.Linear(
            widths.get(in_features, in_features), widths.get(out_features, out_features), *args, **kwargs
        )
