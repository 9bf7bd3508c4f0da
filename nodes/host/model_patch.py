"""What one prediction changes in a forward pass of the LTX-2 model, without touching the model.

A wrapper around the diffusion model (host: `WrappersMP.DIFFUSION_MODEL`) reads which prediction it is
asked for from the conditioning and runs the pass on a view: a shallow copy of the model object that
shares every weight and overrides one or two methods. The model itself, which other graphs share, is
never written to, so there is nothing to restore when a run is interrupted, and each GPU of a
multi-GPU run overrides its own copy.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from comfy.ldm.lightricks.av_model import LTXAVModel
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrapperExecutor, WrappersMP

from ...idlora_core.numerics import Numerics
from .attention import Attention, ReferenceMasks, changed_block
from .audio_only import without_video_tail
from .heard_video import HeardVideo, Hears, Leaves, audio_stream_only, with_one_video_token
from .rope_tables import RopeTables
from .shared_prefix import SharedPrefix, keeping_block, shifted, start_at

WRAPPER_KEY = "ltx_idlora"
PASS_KEY = "ltx_idlora_pass"
REFERENCE_KEY = "ref_audio"
BOUNDS = "bounds"


@dataclass(frozen=True)
class Pass:
    """How one prediction differs from a plain one. Equal passes may share a batch.

    Attributes:
        stg_block_indices: blocks whose self-attention passes its values through.
        uncoupled: audio and video do not attend to each other.
        numerics: see `idlora_core.numerics`.
        masks: which training-time masks apply to the reference tokens.
        prefix: where `cond` leaves hidden states and `perturbed` finds them; None shares nothing.
        tables: where rotary tables are kept; None keeps none.
        audio_only: of the result, only the audio is used.
        heard: where `cond` leaves what audio hears of video and `no_reference` finds it; None: not `fast`.
    """

    stg_block_indices: tuple[int, ...] = ()
    uncoupled: bool = False
    numerics: Numerics = "host"
    masks: ReferenceMasks = ReferenceMasks()
    prefix: SharedPrefix | None = None
    tables: RopeTables | None = None
    audio_only: bool = False
    heard: HeardVideo | None = None


def patched_clone(model: ModelPatcher) -> ModelPatcher:
    """A clone of the model whose forward passes honour a `Pass` in their conditioning."""
    clone = model.clone()
    clone.remove_wrappers_with_key(WrappersMP.DIFFUSION_MODEL, WRAPPER_KEY)
    clone.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, WRAPPER_KEY, _run_pass)
    return clone


def _run_pass(
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
    options = transformer_options or {}
    if change is None:
        return executor(x, timestep, context, attention_mask, frame_rate, options, keyframe_idxs, **kwargs)
    reference = kwargs.get(REFERENCE_KEY)
    view = model_view(cast(LTXAVModel, executor.class_obj), change, reference)
    following = WrapperExecutor.new_class_executor(view._forward, view, executor.wrappers, executor.idx + 1)
    num_tokens = reference["tokens"].shape[1] if reference else 0
    others = {}
    if change.heard is not None and keyframe_idxs is None:
        others, options = _share_video(view, change, change.heard, options, x[0].device)
    options = changed_options(options, change, len(view.transformer_blocks), num_tokens, others)
    if change.prefix is not None:
        _share_prefix(view, change, change.prefix, options, x[0].device)
    try:
        return following.execute(
            x, timestep, context, attention_mask, frame_rate, options, keyframe_idxs, **kwargs
        )
    finally:
        # Overrides refer to the view that holds them: a cycle, which would keep tensors till garbage collection.
        vars(view).clear()


def changed_options(
    transformer_options: dict[str, Any],
    change: Pass,
    num_blocks: int,
    num_reference_tokens: int,
    others: Mapping[int, Mapping[str, Attention]],
) -> dict[str, Any]:
    """Transformer options of one pass, in a new dict; the host's is left as it was.

    Args:
        others: further changes of attention calls, per block.
    """
    options = dict(transformer_options)
    # The host numbers conditionings by position. Ours past the second are variants of the positive one,
    # and other packs take 0 for positive and everything else for negative.
    options["cond_or_uncond"] = [i if i < 2 else 0 for i in options.get("cond_or_uncond", [])]
    if change.uncoupled:
        options["a2v_cross_attn"] = options["v2a_cross_attn"] = False
    masks = change.masks.for_tokens(num_reference_tokens)
    replace = dict(options.get("patches_replace", {}))
    blocks = dict(replace.get("dit", {}))
    for index in range(num_blocks) if masks else sorted({*change.stg_block_indices, *others}):
        key = ("double_block", index)
        perturbs = index in change.stg_block_indices
        blocks[key] = partial(changed_block, blocks.get(key), perturbs, masks, others.get(index, {}))
    options["patches_replace"] = {**replace, "dit": blocks}
    return options


def _share_prefix(
    view: LTXAVModel, change: Pass, prefix: SharedPrefix, options: dict[str, Any], device: torch.device
) -> None:
    """Leave hidden states for `perturbed` in a plain pass; start `perturbed` from them."""
    uuids, blocks = options.get("uuids", []), options["patches_replace"]["dit"]
    if change.stg_block_indices:
        states = prefix.take(uuids, device)
        if states is not None:
            start_at(view, prefix.first_block, states)
            options["patches_replace"]["dit"] = shifted(blocks, prefix.first_block)
    elif prefix.wants(uuids):
        key = ("double_block", prefix.first_block)
        blocks[key] = partial(keeping_block, blocks.get(key), prefix)


def _share_video(
    view: LTXAVModel, change: Pass, heard: HeardVideo, options: dict[str, Any], device: torch.device
) -> tuple[dict[int, dict[str, Attention]], dict[str, Any]]:
    """Leave what audio hears of video in a plain pass; run `no_reference` on audio alone with it."""
    uuids = options.get("uuids", [])
    if change.audio_only:
        kept = heard.take(uuids, device)
        if kept is None:
            return {}, options
        with_one_video_token(view)
        return {i: {"video to audio": Hears(row)} for i, row in enumerate(kept)}, audio_stream_only(options)
    if not heard.wants(uuids):
        return {}, options
    return {i: {"video to audio": Leaves(heard, uuids, i)} for i in range(heard.num_blocks)}, options


def model_view(model: LTXAVModel, change: Pass, reference: dict[str, torch.Tensor] | None) -> LTXAVModel:
    """A shallow copy of the model that places the reference in time and computes as `numerics` says."""
    if change.tables is not None:
        model = copy.copy(model)
        table = partial(change.tables.table, model._precompute_freqs_cis)
        model._precompute_freqs_cis = table  # pyright: ignore[reportAttributeAccessIssue] # names a parameter otherwise
    view = copy.copy(model)
    if change.audio_only:
        without_video_tail(view)
    if reference is not None:
        view._process_input = partial(_process_input, model, reference[BOUNDS])
    if change.numerics == "official":
        view._prepare_timestep = partial(_official_timestep, model)
        view._prepare_positional_embeddings = partial(_official_positions, model)
    return view


def _process_input(model: LTXAVModel, bounds: torch.Tensor, x, keyframe_idxs, denoise_mask, **kwargs):
    """The host's own, with the time bounds of the reference tokens as the reference gives them."""
    x, coords, extra = model._process_input(x, keyframe_idxs, denoise_mask, **kwargs)
    audio_coords = coords[1]
    target = audio_coords[:, :, extra["ref_audio_seq_len"] :]
    bounds = bounds.to(target).expand(target.shape[0], -1, -1, -1)
    return x, [coords[0], torch.cat([bounds, target], dim=2)], extra


def _official_timestep(model: LTXAVModel, timestep, batch_size, hidden_dtype, **kwargs):
    """The host's own, with every audio-video modulation from the scalar sigma, as the authors trained.

    The host gives each token its own sigma there, 0 for the first frame and the reference.
    """
    timesteps, embedded, prompt = model._prepare_timestep(timestep, batch_size, hidden_dtype, **kwargs)
    video, audio, _, video_prompt, audio_prompt = timesteps
    sigma = kwargs["sigmas"].max().to(timestep).expand(batch_size) * model.timestep_scale_multiplier
    gate_sigma = sigma * (model.av_ca_timestep_scale_multiplier / model.timestep_scale_multiplier)

    def row(module, value):
        sizes = {"resolution": None, "aspect_ratio": None}
        return module(value, sizes, batch_size=batch_size, hidden_dtype=hidden_dtype)[0].view(
            batch_size, 1, -1
        )

    cross = [
        row(model.av_ca_audio_scale_shift_adaln_single, sigma),
        row(model.av_ca_video_scale_shift_adaln_single, sigma),
        row(model.av_ca_a2v_gate_adaln_single, gate_sigma),
        row(model.av_ca_v2a_gate_adaln_single, gate_sigma),
    ]
    if model.prompt_adaln_single is not None:  # LTX-2.3
        video_prompt = row(model.prompt_adaln_single, sigma)
        audio_prompt = row(model.audio_prompt_adaln_single, sigma)
    return [video, audio, cross, video_prompt, audio_prompt], embedded, prompt


def _official_positions(model: LTXAVModel, pixel_coords, frame_rate, x_dtype):
    """The host's own, with video positions in bfloat16 from the start, as in the authors' script."""
    coords = pixel_coords[0].float().clone()
    coords[:, 0] = coords[:, 0] / frame_rate
    coords = coords.to(torch.bfloat16)
    _, audio = model._prepare_positional_embeddings(pixel_coords, frame_rate, x_dtype)
    self_attention = model._precompute_freqs_cis(
        coords,
        dim=model.inner_dim,
        out_dtype=x_dtype,
        max_pos=model.positional_embedding_max_pos,
        use_middle_indices_grid=model.use_middle_indices_grid,
        num_attention_heads=model.num_attention_heads,
    )
    cross_attention = model._precompute_freqs_cis(
        coords[:, 0:1],
        dim=model.audio_cross_attention_dim,
        out_dtype=x_dtype,
        max_pos=[max(model.positional_embedding_max_pos[0], model.audio_positional_embedding_max_pos[0])],
        use_middle_indices_grid=True,
        num_attention_heads=model.audio_num_attention_heads,
    )
    return [(self_attention, cross_attention), audio]
