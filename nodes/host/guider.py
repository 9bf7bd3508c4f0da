"""The guider: plans the predictions of a step, has the host run them in one call, combines them."""

import time
from collections.abc import Mapping
from typing import Any

import comfy.samplers
import comfy.utils
import torch
from comfy.model_patcher import ModelPatcher

from ...idlora_core import guidance, terms
from ...idlora_core.extrapolation import Extrapolation
from ...idlora_core.positions import latent_bounds
from ...idlora_core.reference import Reference
from ...idlora_core.scene import Scene
from ...idlora_core.sigmas import checked_sigmas
from ...idlora_core.term_sizes import TermRecord, term_sizes
from ...idlora_core.terms import Prediction, TermName
from .cfg_hooks import CfgHooks
from .checks import check_finite, check_lines, check_model, check_prediction, check_single_reference
from .conditioning import direction_of, variant, with_reference
from .forward.passes import Forward
from .latents import check_joint_latent
from .masking import with_kept_parts
from .settings import GuiderSettings, pass_of, sigma_guidance, stg_blocks

AUDIO = 1  # of the two streams


def identity_guider(
    model: ModelPatcher, positive, negative, settings: GuiderSettings, reference: Reference | Scene | None
) -> "IdentityGuider":
    """A guider on a clone of the model.

    Raises:
        ValueError: not an LTX-2 audio-video model, an STG block that does not exist, a percent window
            the wrong way round, a reference given twice, or conditioning that is not finite.
        RuntimeError: the host lacks what the passes change.
    """
    check_model(model)
    check_single_reference(positive, negative, reference)
    check_finite(positive, negative)
    check_lines(positive, reference)
    guider = IdentityGuider(model, settings, reference)
    guider.set_conds(positive, negative)
    guider.set_cfg(settings.video["cfg"])
    return guider


class IdentityGuider(comfy.samplers.CFGGuider):
    """Guidance by the table of terms, with a reference voice, for every sampler of the host.

    Attributes:
        guidance: scales and windows.
        record: where the sizes of the terms go, call by call; None keeps none.
        extrapolation: which predictions `fast` runs, and the others; None in `exact`.
        started: when sampling began, the model loaded; by `time.perf_counter`.
    """

    def __init__(self, model: ModelPatcher, settings: GuiderSettings, reference: Reference | Scene | None):
        self.forward = Forward(model, settings.numerics, stg_blocks(model, settings))
        super().__init__(self.forward.patched(model))
        self.settings, self.reference = settings, reference
        self._cast: dict[bool, Reference | Scene | None] = {}
        self.guidance = sigma_guidance(model, settings)
        self.record: TermRecord | None = None
        self.extrapolation = Extrapolation() if settings.speed == "fast" else None
        self.started = 0.0
        self.latent_shapes: list[torch.Size] = []
        self._variants: dict[Prediction, list[dict]] = {}
        self._given: dict[str, Any] | None = None
        self._checked = False

    def sample(self, noise, latent_image, sampler, sigmas, denoise_mask=None, *args, **kwargs):
        check_joint_latent(self.model_patcher, latent_image)
        if sigmas.numel() == 0:  # nothing to do, as for the host
            return latent_image
        checked_sigmas(sigmas)
        if self.extrapolation is not None:
            self.extrapolation.begin(sigmas, _name(sampler))
        self._checked = False
        given = self.reference
        self.reference = heard_reference(given, denoise_mask)
        try:
            denoised = super().sample(noise, latent_image, sampler, sigmas, denoise_mask, *args, **kwargs)
        finally:
            self.reference = given
            self._variants, self._given, self._cast = {}, None, {}
            self.forward.clear()
            if self.extrapolation is not None:
                self.extrapolation.clear()
        if "denoise_mask_function" in self.model_options:
            return denoised  # Differential Diffusion and its like: what the mask keeps changes by step
        return with_kept_parts(denoised, latent_image, denoise_mask)

    def inner_sample(self, *args, latent_shapes=None, **kwargs):
        self.latent_shapes = latent_shapes or []
        self.started = time.perf_counter()
        return super().inner_sample(*args, latent_shapes=latent_shapes, **kwargs)

    def predict_noise(self, x, timestep, model_options=None, seed=None):
        """Guided x0 of one step; the name is the host's."""
        positive, negative = self.conds["positive"], self.conds["negative"]
        hooks = CfgHooks(model_options or {}, self.inner_model, positive, negative, self.cfg, x, timestep)
        sigma = timestep.max().item()  # waits for the GPU: once a step
        wanted = self._plan(sigma, hooks.want_uncond)
        to_run = wanted if self.extrapolation is None else self.extrapolation.to_run(wanted, sigma)
        predictions = self._run(to_run, hooks)
        if self.extrapolation is not None:
            predictions = self.extrapolation.completed(wanted, predictions, sigma)
        if self.record is not None:
            self.record.begin(sigma, len(to_run), [name for name in wanted if name not in to_run])
        predictions = hooks.pre_cfg(predictions)
        denoised = hooks.post_cfg(self._combine(predictions, hooks), predictions)
        if not self._checked:  # waits for the GPU: once a run
            check_prediction(denoised)
            self._checked = True
        return denoised

    @property
    def has_voice(self) -> bool:
        """Whether a reference is heard."""
        return self.reference is not None and self.reference.num_tokens > 0

    def _plan(self, sigma: float, want_uncond: bool) -> tuple[Prediction, ...]:
        """Predictions of this step; other nodes can ask for `uncond` as they can of the host."""
        wanted = guidance.plan(self.guidance, sigma, self.has_voice)
        return ("cond", "uncond", *wanted[1:]) if want_uncond and "uncond" not in wanted else wanted

    def _run(self, to_run: tuple[Prediction, ...], hooks: CfgHooks) -> dict[Prediction, torch.Tensor]:
        """The predictions from the network."""
        conds = [self._conds(name, hooks.x.device) for name in to_run]
        with self.forward.step():
            for name, entries in zip(to_run[1:], conds[1:], strict=True):
                for cond, entry in zip(conds[0], entries, strict=False):
                    self.forward.connect(cond["uuid"], entry["uuid"], pass_of(name, self.settings))
            return dict(zip(to_run, hooks.calc(conds), strict=True))

    def _conds(self, name: Prediction, device: torch.device) -> list[dict]:
        """The host's conditioning for one prediction, made once per run."""
        if name not in self._variants:
            change = terms.change_of(name)
            entries = self.conds["negative" if change.negative_prompt else "positive"]
            reference = None if change.without_reference else self._reference_on(device)
            cast = self._cast_of(change.without_reference)
            hides_text = self.settings.hide_text_from_reference
            self._variants[name] = [
                variant(
                    entry,
                    pass_of(name, self.settings),
                    reference,
                    direction_of(entry, cast, change.negative_prompt, hides_text),
                )
                for entry in entries
            ]
        return self._variants[name]

    def _cast_of(self, without_reference: bool) -> Reference | Scene | None:
        """The scene with or without its voices, one value each so that equal passes share a batch."""
        if without_reference not in self._cast:
            cast = self.reference
            if without_reference and isinstance(cast, Scene):
                cast = cast.without_voices()
            self._cast[without_reference] = cast
        return self._cast[without_reference]

    def _reference_on(self, device: torch.device) -> dict[str, Any] | None:
        """The reference on the sampling device, moved once per run."""
        if self._given is None and self.reference is not None and self.has_voice:
            chosen = self.settings
            hidden = chosen.hide_reference_from_video, chosen.hide_text_from_reference
            self._given = with_reference(chosen.numerics, self.reference, *hidden, device)
        return self._given

    def _weights(self, audio: torch.Tensor) -> dict[TermName, torch.Tensor]:
        """How strongly each moment of the sound is guided by the voices; empty where all are alike."""
        if not isinstance(self.reference, Scene):
            return {}
        seconds = latent_bounds(audio.shape[2])[0, 0].mean(dim=-1).tolist()
        strengths = self.reference.strengths_at(seconds)
        if strengths is None:
            return {}
        weight = strengths.to(audio.device)[None, None, :, None]  # (1, 1, T, 1) of (B, 8, T, 16)
        return {term.scale: weight for term in terms.TERMS if term.change.without_reference}

    def _combine(self, predictions: Mapping[Prediction, torch.Tensor], hooks: CfgHooks) -> torch.Tensor:
        """Each stream guided by its own scales, packed again as the host packs them."""
        streams = {
            name: comfy.utils.unpack_latents(x0, self.latent_shapes) for name, x0 in predictions.items()
        }
        guided = []
        for index, scales in enumerate((self.guidance.video, self.guidance.audio)):
            stream: dict[Prediction, torch.Tensor] = {name: parts[index] for name, parts in streams.items()}
            other = hooks.cfg_result(predictions, scales["cfg"])
            if other is not None:
                other = comfy.utils.unpack_latents(other, self.latent_shapes)[index]
            weights = self._weights(stream["cond"]) if index == AUDIO else {}
            guided.append(guidance.combine(stream, scales, other, weights))
            if self.record is not None:
                self.record.add(term_sizes(stream, scales, other, weights))
        return comfy.utils.pack_latents(guided)[0]


def _name(sampler) -> str:
    """Of the host's sampler function, without `sample_`; empty for samplers of another kind."""
    return getattr(getattr(sampler, "sampler_function", None), "__name__", "").removeprefix("sample_")


def heard_reference(reference: Reference | Scene | None, denoise_mask) -> Reference | Scene | None:
    """What of a reference a run needs: where a mask keeps all of the sound, a scene has no voices to give."""
    if not isinstance(reference, Scene) or denoise_mask is None or not denoise_mask.is_nested:
        return reference
    return reference if denoise_mask.unbind()[AUDIO].any() else reference.without_voices()
