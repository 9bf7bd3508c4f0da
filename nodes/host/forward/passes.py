"""A pass of one prediction: a plain value in the conditioning says what it changes, a wrapper runs it on a view.

The wrapper around the diffusion model (host: `WrappersMP.DIFFUSION_MODEL`) finds the `Pass` in the conditioning;
a conditioning without one runs untouched.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import torch
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrapperExecutor, WrappersMP

from ....idlora_core.options import Numerics
from ....idlora_core.reference_masks import (
    ReferenceMasks,
    with_uniform_first_queries,
    without_first_keys,
)
from .attention import pass_values
from .official import official_numerics
from .prefix import leave_prefix, start_at
from .rope_cache import RopeCache
from .scene import Direction, Layouts, direct
from .step_cache import StepCache
from .view import View, check_names

WRAPPER_KEY = "ltx_idlora"
PASS_KEY = "ltx_idlora_pass"
SCENE_KEY = "ltx_idlora_scene"
REFERENCE_KEY = "ref_audio"
BOUNDS = "bounds"
MASKS = "masks"
FOR_VIDEO_ONLY = ("audio_to_video_attn", "ff")


@dataclass(frozen=True)
class Pass:
    """What one prediction changes in the network. Equal passes may share a batch.

    Attributes:
        perturbed: self-attention passes its values through in the STG blocks.
        uncoupled: audio and video do not attend to each other.
        audio_only: of the result, only the audio is used.
        shares_prefix: what enters the first STG block is what enters it in `cond`.
        negative: a variant of the negative prompt; None: `cond` or `uncond` itself.
    """

    perturbed: bool = False
    uncoupled: bool = False
    audio_only: bool = False
    shares_prefix: bool = False
    negative: bool | None = None


class Forward:
    """How the passes of one guider run, and what they hand on to each other.

    Args:
        model: not written to.
        numerics: see `idlora_core.options`.
        stg_block_indices: blocks that a perturbed pass changes; () where STG is off.

    Raises:
        RuntimeError: the host lacks a method or layer that a pass changes.
    """

    def __init__(
        self, model: ModelPatcher, numerics: Numerics = "host", stg_block_indices: tuple[int, ...] = ()
    ):
        network: Any = model.model.diffusion_model
        check_names(network)
        self.numerics, self.stg_block_indices = numerics, stg_block_indices
        self.rope = RopeCache()
        self.layouts = Layouts()
        self.prefix = StepCache()

    def patched(self, model: ModelPatcher) -> ModelPatcher:
        """A clone of the model whose passes are run here."""
        clone = model.clone()
        clone.remove_wrappers_with_key(WrappersMP.DIFFUSION_MODEL, WRAPPER_KEY)
        # Not traced where the whole model is compiled: a pass depends on what an earlier one has left.
        wrapper = torch.compiler.disable(self._run)
        clone.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, WRAPPER_KEY, wrapper)
        return clone

    def clear(self) -> None:
        """Free what the steps of a run share."""
        self.rope.clear()
        self.layouts.clear()

    @contextmanager
    def step(self) -> Iterator[None]:
        """Passes hand on only within a step."""
        try:
            yield
        finally:
            self.prefix.clear()

    def connect(self, giver: UUID, taker: UUID, change: Pass) -> None:
        """Let one conditioning take over from `cond` what it can."""
        if change.shares_prefix and self.stg_block_indices and self.stg_block_indices[0] > 0:
            self.prefix.connect(giver, taker)

    def _run(
        self,
        executor: WrapperExecutor,
        x,
        timestep,
        context,
        attention_mask=None,
        frame_rate=25,
        transformer_options=None,
        keyframe_idxs=None,
        **kwargs,
    ):
        """Diffusion-model wrapper: run the pass that the conditioning asks for, or a plain one."""
        change: Pass | None = kwargs.pop(PASS_KEY, None)
        direction: Direction | None = kwargs.pop(SCENE_KEY, None)
        options = transformer_options or {}
        if change is None:
            return executor(
                x, timestep, context, attention_mask, frame_rate, options, keyframe_idxs, **kwargs
            )
        network: Any = executor.class_obj
        view = View(network)
        options = _options(options, change)
        view.override("_precompute_freqs_cis", self.rope.table)
        # Before the masks of the reference, which take its tokens out of what a scene has to lay out.
        if direction is not None:
            direct(view, direction, self.layouts, options, frame_rate)
        _place_reference(view, kwargs.get(REFERENCE_KEY) or {})
        if self.numerics == "official":
            official_numerics(view)
        self._change_blocks(view, change)
        first_block = self._share_prefix(view, options, x[0].device)
        changed = view.finish(first_block)
        following = WrapperExecutor.new_class_executor(
            changed._forward, changed, executor.wrappers, executor.idx + 1
        )
        try:
            return following.execute(
                x, timestep, context, attention_mask, frame_rate, options, keyframe_idxs, **kwargs
            )
        finally:
            view.release()

    def _change_blocks(self, view: View, change: Pass) -> None:
        """What the pass changes whatever the others have left."""
        if change.uncoupled:
            view.uncompile()
        if change.audio_only:
            for layer in FOR_VIDEO_ONLY:
                view.leave_out(len(view.blocks) - 1, layer)
        if change.perturbed:
            for block in self.stg_block_indices:
                for layer in ("attn1", "audio_attn1"):  # a guide mask would split the call into several
                    view.replace(block, layer, pass_values, masked=False)

    def _share_prefix(self, view: View, options: dict[str, Any], device: torch.device) -> int:
        """Leave hidden states, or start from them; returns the block to start at."""
        uuids = options.get("uuids", [])
        if self.prefix.wants(uuids):
            leave_prefix(self.prefix, self.stg_block_indices[0], options)
        elif (kept := self.prefix.take(uuids, device)) is not None:
            start_at(view, self.stg_block_indices[0], kept, options)
            return self.stg_block_indices[0]
        return 0


def _options(transformer_options: dict[str, Any], change: Pass) -> dict[str, Any]:
    """Transformer options of one pass, in a new dict; the host's is left as it was."""
    options = dict(transformer_options)
    if change.negative is not None:
        # The host numbers conditionings by position; other nodes take 0 for positive and the rest for negative.
        options["cond_or_uncond"] = [int(change.negative)] * len(options.get("cond_or_uncond", []))
    if change.uncoupled:
        options["a2v_cross_attn"] = options["v2a_cross_attn"] = False
    patches = options.get("patches_replace", {})
    options["patches_replace"] = {**patches, "dit": dict(patches.get("dit", {}))}
    return options


def _place_reference(view: View, reference: dict[str, Any]) -> None:
    """Time bounds and masks as the reference gives them; another node's reference gives neither."""
    if BOUNDS in reference:
        view.override("_process_input", partial(_with_bounds, reference[BOUNDS]))
    masks: ReferenceMasks | None = reference.get(MASKS)
    if masks is None:
        return
    for block in range(len(view.blocks)):
        if masks.hide_from_video:
            view.replace(block, "audio_to_video_attn", partial(without_first_keys, masks.num_tokens))
        if masks.hide_text:
            view.replace(block, "audio_attn2", partial(with_uniform_first_queries, masks.num_tokens))


def _with_bounds(bounds: torch.Tensor, former, x, keyframe_idxs, denoise_mask, **kwargs):
    """The host's own input, with the time bounds of the reference tokens as the reference gives them."""
    x, coords, extra = former(x, keyframe_idxs, denoise_mask, **kwargs)
    target = coords[1][:, :, extra["ref_audio_seq_len"] :]
    bounds = bounds.to(target).expand(target.shape[0], -1, -1, -1)
    return x, [coords[0], torch.cat([bounds, target], dim=2)], extra
