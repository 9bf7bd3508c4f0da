"""The ways of making one guided step that the bench compares. Each is a guider of the host."""

import importlib
from functools import partial
from typing import Any

import comfy.samplers
import comfy.utils
import torch
from comfy.model_patcher import ModelPatcher

from idlora_core import guidance
from idlora_core.reference import Reference
from idlora_core.scene import Scene
from idlora_core.term_sizes import TermRecord
from idlora_core.terms import Prediction, Scales
from support import in_process
from support.clip import Clip

from .setting import STG_BLOCK, conditioning_with_reference

VIDEO = Scales(cfg=3.0, stg=1.0, av_bimodal=3.0)
AUDIO = Scales(cfg=7.0, identity=4.0, stg=1.0, av_bimodal=3.0)


class StackedGuider(comfy.samplers.CFGGuider):
    """Five predictions as the host's stacked nodes make them.

    cond and uncond in one call, as CFGGuider makes them; then a whole call each: LTXV Reference Audio's post-CFG
    function, an STG node and a modality node.
    """

    latent_shapes: list[torch.Size]
    stg_block: int

    def inner_sample(self, *args, latent_shapes=None, **kwargs):
        self.latent_shapes = latent_shapes or []
        return super().inner_sample(*args, latent_shapes=latent_shapes, **kwargs)

    def predict_noise(self, x, timestep, model_options=None, seed=None):
        options = model_options or {}
        positive, negative = self.conds["positive"], self.conds["negative"]

        def call(conds, options):
            return comfy.samplers.calc_cond_batch(self.inner_model, conds, x, timestep, options)

        predictions: dict[Prediction, torch.Tensor] = {}
        predictions["cond"], predictions["uncond"] = call([positive, negative], options)
        (predictions["no_reference"],) = call([[_without_reference(entry) for entry in positive]], options)
        (predictions["perturbed"],) = call([positive], _with_options(options, _perturbing(self.stg_block)))
        uncoupled = {"a2v_cross_attn": False, "v2a_cross_attn": False}
        (predictions["uncoupled"],) = call([positive], _with_options(options, uncoupled))
        streams: dict[Prediction, Any] = {
            name: comfy.utils.unpack_latents(x0, self.latent_shapes) for name, x0 in predictions.items()
        }
        guided = []
        for index, scales in enumerate((VIDEO, AUDIO)):
            stream: dict[Prediction, torch.Tensor] = {name: parts[index] for name, parts in streams.items()}
            guided.append(guidance.combine(stream, scales))
        return comfy.utils.pack_latents(guided)[0]


def stacked(model: ModelPatcher, clip: Clip, stg_block: int = STG_BLOCK) -> comfy.samplers.CFGGuider:
    guider = StackedGuider(model.clone())
    guider.stg_block = stg_block
    guider.set_conds(*conditioning_with_reference(clip))
    guider.set_cfg(VIDEO["cfg"])
    return guider


def unguided(model: ModelPatcher, clip: Clip, stg_block: int = STG_BLOCK) -> comfy.samplers.CFGGuider:
    guider = comfy.samplers.CFGGuider(model.clone())
    guider.set_conds(*conditioning_with_reference(clip))
    guider.set_cfg(1.0)
    return guider


def ours(
    model: ModelPatcher,
    clip: Clip,
    stg_block: int = STG_BLOCK,
    reference: Reference | Scene | None = None,
    conditioning: tuple[list, list] | None = None,
    **settings,
) -> comfy.samplers.CFGGuider:
    """This pack's; the clip's own voice and words where none are given."""
    module = importlib.import_module(f"{in_process.PACK}.nodes.host.guider")
    settings = module.GuiderSettings(VIDEO, AUDIO, str(stg_block), **settings)
    reference = reference or Reference(clip.reference)
    guider = module.identity_guider(model, *(conditioning or clip.conditioning), settings, reference)
    guider.record = TermRecord()  # as in Identity-Guided KSampler
    return guider


def _without_reference(entry: dict) -> dict:
    kept = {name: value for name, value in entry["model_conds"].items() if name != "ref_audio"}
    return {**entry, "model_conds": kept}


def _with_options(options: dict, changes: dict) -> dict:
    return {**options, "transformer_options": {**options.get("transformer_options", {}), **changes}}


def _perturbing(block: int) -> dict:
    return {"patches_replace": {"dit": {("double_block", block): _perturbed_block}}}


def _perturbed_block(args, extra):
    calls = iter(range(6))
    options = {**args["transformer_options"], "optimized_attention_override": partial(_values_pass, calls)}
    return extra["original_block"]({**args, "transformer_options": options})


def _values_pass(calls, attention, q, k, v, *args, **kwargs):
    """The first and the third attention call of a block are self-attention."""
    return v if next(calls) in (0, 2) else attention(q, k, v, *args, **kwargs)
