"""The guider: plans the predictions of a step, has the host run them in one call, combines them."""

import time
import uuid
from collections.abc import Mapping

import comfy.conds
import comfy.model_base
import comfy.samplers
import comfy.utils
import torch
from comfy.model_patcher import ModelPatcher

from ...idlora_core import guidance
from ...idlora_core.guidance import Guidance
from ...idlora_core.reference import Reference
from ...idlora_core.sigmas import checked_sigmas
from ...idlora_core.speed import LastDifferences
from ...idlora_core.term_sizes import TermRecord, term_sizes
from ...idlora_core.terms import Prediction
from . import model_patch
from .latents import check_joint_latent
from .masking import with_kept_parts
from .model_patch import Pass
from .settings import GuiderSettings, passes, sigma_guidance


def identity_guider(
    model: ModelPatcher, positive, negative, settings: GuiderSettings, reference: Reference | None
) -> "IdentityGuider":
    """A guider on a clone of the model.

    Raises:
        ValueError: not an LTX-2 audio-video model, an STG block that does not exist, a percent window
            the wrong way round, or a reference given twice.
    """
    check_model(model)
    _check_single_reference(positive, negative, reference)
    guider = IdentityGuider(model_patch.patched_clone(model))
    guider.set_conds(positive, negative)
    guider.set_cfg(settings.video["cfg"])
    last = LastDifferences() if settings.speed == "fast" else None
    guider.set_guidance(sigma_guidance(model, settings), passes(model, settings), reference, last)
    return guider


class IdentityGuider(comfy.samplers.CFGGuider):
    """Four-way guidance with a reference voice, for every sampler of the host.

    Attributes:
        record: where the sizes of the terms go, call by call; None keeps none.
        started: when sampling began, the model loaded; by `time.perf_counter`.
    """

    record: TermRecord | None = None
    started: float = 0.0

    def set_guidance(
        self,
        scales: Guidance,
        passes: Mapping[Prediction, Pass],
        reference: Reference | None,
        last: LastDifferences | None = None,
    ) -> None:
        """How to guide, what each prediction changes in the model, the voice, and what steps hand on."""
        self.last = last
        self.guidance = scales
        self.passes = passes
        self.reference = reference
        self._variants: dict[Prediction, list[dict]] = {}
        self.latent_shapes: list[torch.Size] = []

    def sample(self, noise, latent_image, sampler, sigmas, denoise_mask=None, *args, **kwargs):
        check_joint_latent(self.model_patcher, latent_image)
        if sigmas.numel() == 0:  # nothing to do, as for the host
            return latent_image
        checked_sigmas(sigmas)
        self.started = time.perf_counter()
        try:
            denoised = super().sample(noise, latent_image, sampler, sigmas, denoise_mask, *args, **kwargs)
        finally:
            self._variants = {}
            for kept in (self.passes["cond"].tables, self.last):
                if kept is not None:
                    kept.clear()
        if "denoise_mask_function" in self.model_options:
            return denoised  # Differential Diffusion and its like: what the mask keeps changes by step
        return with_kept_parts(denoised, latent_image, denoise_mask)

    def inner_sample(self, *args, latent_shapes=None, **kwargs):
        self.latent_shapes = latent_shapes or []
        self.started = time.perf_counter()
        return super().inner_sample(*args, latent_shapes=latent_shapes, **kwargs)

    def predict_noise(self, x, timestep, model_options=None, seed=None):
        """Guided x0 of one step; the name is the host's."""
        options = model_options or {}
        sigma = timestep.max().item()  # waits for the GPU: once a step
        wanted = self._plan(sigma, options)
        to_run = wanted if self.last is None else self.last.to_run(wanted, sigma)
        conds = [self._conds(name, x) for name in to_run]
        self._connect(to_run)
        outputs = self._run(conds, x, timestep, options)
        predictions: dict[Prediction, torch.Tensor] = dict(zip(to_run, outputs, strict=True))
        if self.last is not None:
            predictions = self.last.completed(wanted, predictions, sigma)
        self._pre_cfg(predictions, x, timestep, options)
        if self.record is not None:
            self.record.begin(sigma, [name for name in wanted if name not in to_run])
        denoised = self._combine(predictions, x, timestep, options)
        return self._post_cfg(denoised, predictions, x, timestep, options)

    def full_plan(self) -> tuple[Prediction, ...]:
        """The predictions of a step inside every window."""
        return guidance.full_plan(self.guidance, self.reference is not None)

    def passes_at(self, sigma: float) -> int:
        """How many predictions a step at this noise level needs."""
        return len(guidance.plan(self.guidance, sigma, self.reference is not None))

    def _plan(self, sigma: float, options: dict) -> tuple[Prediction, ...]:
        """Predictions of this step; other packs can ask for `uncond` as they can of the host."""
        wanted = guidance.plan(self.guidance, sigma, self.reference is not None)
        if options.get("disable_cfg1_optimization", False) and "uncond" not in wanted:
            wanted = ("cond", "uncond", *wanted[1:])
        return wanted

    def _conds(self, name: Prediction, x: torch.Tensor) -> list[dict]:
        """The host's conditioning for one prediction, made once per run."""
        if name not in self._variants:
            source = self.conds["negative" if name == "uncond" else "positive"]
            extra = {model_patch.PASS_KEY: comfy.conds.CONDConstant(self.passes[name])}
            if self.reference is not None and name != "no_reference":
                extra[model_patch.REFERENCE_KEY] = comfy.conds.CONDConstant(self._reference_on(x))
            self._variants[name] = [_with_model_conds(entry, extra, name) for entry in source]
        return self._variants[name]

    def _connect(self, wanted: tuple[Prediction, ...]) -> None:
        """Tell `cond` what the other predictions of this step take from it."""
        connections = (
            ("perturbed", self.passes["perturbed"].prefix),
            ("no_reference", self.passes["no_reference"].heard),
        )
        for name, shared in connections:
            if name in wanted and shared is not None:
                for cond, other in zip(self._variants["cond"], self._variants[name], strict=True):
                    shared.connect(cond["uuid"], other["uuid"])

    def _run(self, conds: list[list[dict]], x, timestep, options: dict) -> list[torch.Tensor]:
        """All predictions in one call, so that the host batches what fits and spreads the rest."""
        try:
            return _calc_conds(self.inner_model, conds, x, timestep, options)
        finally:
            for shared in (self.passes["cond"].prefix, self.passes["cond"].heard):
                if shared is not None:
                    shared.clear()

    def _reference_on(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Tokens and bounds on the sampling device, moved once per run."""
        assert self.reference is not None
        if "cond" in self._variants:
            return self._variants["cond"][0]["model_conds"][model_patch.REFERENCE_KEY].cond
        numerics = self.passes["cond"].numerics
        return {
            "tokens": self.reference.tokens.to(x.device),
            model_patch.BOUNDS: self.reference.bounds(numerics).to(x.device),
        }

    def _pre_cfg(self, predictions: dict[Prediction, torch.Tensor], x, timestep, options: dict) -> None:
        """Let other packs' pre-CFG functions change cond and uncond, as the host does."""
        for function in options.get("sampler_pre_cfg_function", []):
            has_uncond = "uncond" in predictions
            cond = predictions["cond"]
            changed = function(
                {
                    "conds": [self.conds["positive"], self.conds["negative"] if has_uncond else None],
                    "conds_out": [cond, predictions.get("uncond", torch.zeros_like(cond))],
                    "cond_scale": self.cfg,
                    "timestep": timestep,
                    "input": x,
                    "sigma": timestep,
                    "model": self.inner_model,
                    "model_options": options,
                }
            )
            predictions["cond"] = changed[0]
            if has_uncond:
                predictions["uncond"] = changed[1]

    def _combine(self, predictions: Mapping[Prediction, torch.Tensor], x, timestep, options: dict):
        """Each stream guided by its own scales, packed again as the host packs them."""
        streams: dict[Prediction, list[torch.Tensor]] = {
            name: comfy.utils.unpack_latents(x0, self.latent_shapes) for name, x0 in predictions.items()
        }
        guided = []
        for index, scales in enumerate((self.guidance.video, self.guidance.audio)):
            other = self._other_cfg(predictions, scales["cfg"], x, timestep, options)
            stream: dict[Prediction, torch.Tensor] = {name: parts[index] for name, parts in streams.items()}
            replaced = (
                comfy.utils.unpack_latents(other, self.latent_shapes)[index] if other is not None else None
            )
            guided.append(guidance.combine(stream, scales, replaced))
            if self.record is not None:
                self.record.add(term_sizes(stream, scales, replaced))
        return comfy.utils.pack_latents(guided)[0]

    def _other_cfg(self, predictions, cfg_scale: float, x, timestep, options: dict):
        """Result of another pack's CFG function at one stream's scale, or None."""
        if "sampler_cfg_function" not in options:
            return None
        cond = predictions["cond"]
        uncond = predictions.get("uncond", torch.zeros_like(cond))
        arguments = {**self._hook_arguments(cond, uncond, x, timestep, options), "cond_scale": cfg_scale}
        arguments |= {"cond": x - cond, "uncond": x - uncond, "timestep": timestep}
        arguments |= {"input_cond": self.conds["positive"], "input_uncond": self.conds["negative"]}
        return x - options["sampler_cfg_function"](arguments)

    def _post_cfg(self, denoised, predictions, x, timestep, options: dict):
        """Other packs' post-CFG functions, with the noisy input that was really denoised."""
        cond = predictions["cond"]
        uncond = predictions.get("uncond", torch.zeros_like(cond))
        for function in options.get("sampler_post_cfg_function", []):
            arguments = self._hook_arguments(cond, uncond, x, timestep, options)
            arguments |= {
                "denoised": denoised,
                "cond": self.conds["positive"],
                "uncond": self.conds["negative"],
            }
            denoised = function(arguments)
        return denoised

    def _hook_arguments(self, cond, uncond, x, timestep, options: dict) -> dict:
        """What the host hands to CFG hooks of either kind."""
        return {
            "cond_scale": self.cfg,
            "cond_denoised": cond,
            "uncond_denoised": uncond,
            "model": self.inner_model,
            "sigma": timestep,
            "model_options": options,
            "input": x,
        }


def check_model(model: ModelPatcher) -> None:
    """Refuse a model that has no audio stream."""
    if not isinstance(model.model, comfy.model_base.LTXAV):
        raise ValueError(
            f"ID-LoRA needs an LTX-2 audio-video model; the connected model is {type(model.model).__name__}."
            " Load an LTX-2 or LTX-2.3 checkpoint."
        )


def _check_single_reference(positive, negative, reference: Reference | None) -> None:
    """Refuse a second reference from the host's own node, which would be overridden silently."""
    given = any(model_patch.REFERENCE_KEY in entry[1] for entry in (*positive, *negative))
    if given and reference is not None:
        raise ValueError(
            "The conditioning already carries a reference voice from LTXV Reference Audio."
            " Remove that node, or leave the reference input here unconnected."
        )


def _with_model_conds(entry: dict, extra: dict, name: Prediction) -> dict:
    """A copy of one conditioning entry that carries more for the model, and an identity of its own."""
    # Caching packs tell predictions apart by uuid: variants of the positive must not share it.
    identity = entry["uuid"] if name in ("cond", "uncond") else uuid.uuid4()
    return {**entry, "model_conds": {**entry["model_conds"], **extra}, "uuid": identity}


def _calc_conds(model, conds: list[list[dict]], x, timestep, options: dict):
    """The host's own call, or another pack's in its place."""
    if "sampler_calc_cond_batch_function" in options:
        arguments = {"conds": conds, "input": x, "sigma": timestep, "model": model, "model_options": options}
        return options["sampler_calc_cond_batch_function"](arguments)
    return comfy.samplers.calc_cond_batch(model, conds, x, timestep, options)
