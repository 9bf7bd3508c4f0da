"""The contract with other nodes' guidance hooks: calc-cond, pre-CFG, CFG and post-CFG functions of one guided call.

Each hook gets what the host's own sampling function hands to it (`comfy.samplers.sampling_function`), so that a hook
written for CFG works in a call with five predictions: it sees `cond` and `uncond`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import comfy.samplers
import torch

from ...idlora_core.terms import Prediction

Predictions = Mapping[Prediction, torch.Tensor]


@dataclass(frozen=True)
class CfgHooks:
    """Hooks of one guided call.

    Attributes:
        options: model options of the call.
        model: the host's loaded model.
        positive, negative: conditioning as the host has processed it.
        cfg: CFG scale for hooks that are asked once.
        x, timestep: the noisy latent, packed, and its sigma.
    """

    options: dict[str, Any]
    model: Any
    positive: list[dict]
    negative: list[dict]
    cfg: float
    x: torch.Tensor
    timestep: torch.Tensor

    @property
    def want_uncond(self) -> bool:
        """Whether another node needs `uncond` although CFG is off."""
        return self.options.get("disable_cfg1_optimization", False)

    def calc(self, conds: list[list[dict]]) -> list[torch.Tensor]:
        """Predictions of all conditionings in one call: the host batches what fits and spreads the rest."""
        if function := self.options.get("sampler_calc_cond_batch_function"):
            return function({**self._call, "conds": conds})
        return comfy.samplers.calc_cond_batch(self.model, conds, self.x, self.timestep, self.options)

    def pre_cfg(self, predictions: Predictions) -> Predictions:
        """Predictions with `cond` and `uncond` as pre-CFG functions change them."""
        has_uncond = "uncond" in predictions
        for function in self.options.get("sampler_pre_cfg_function", []):
            changed = function(
                {
                    **self._call,
                    "conds": [self.positive, self.negative if has_uncond else None],
                    "conds_out": list(_pair(predictions)),
                    "cond_scale": self.cfg,
                    "timestep": self.timestep,
                }
            )
            uncond = {"uncond": changed[1]} if has_uncond else {}
            predictions = {**predictions, "cond": changed[0], **uncond}
        return predictions

    def cfg_result(self, predictions: Predictions, scale: float) -> torch.Tensor | None:
        """Result of a CFG function that replaces the host's, at one stream's scale; None where there is none."""
        if not (function := self.options.get("sampler_cfg_function")):
            return None
        cond, uncond = _pair(predictions)
        return self.x - function(
            {
                **self._denoised(predictions),
                "cond_scale": scale,
                "cond": self.x - cond,
                "uncond": self.x - uncond,
                "timestep": self.timestep,
                "input_cond": self.positive,
                "input_uncond": self.negative,
            }
        )

    def post_cfg(self, denoised: torch.Tensor, predictions: Predictions) -> torch.Tensor:
        """The guided result as post-CFG functions change it."""
        for function in self.options.get("sampler_post_cfg_function", []):
            arguments = {"denoised": denoised, "cond": self.positive, "uncond": self.negative}
            denoised = function({**self._denoised(predictions), **arguments})
        return denoised

    @property
    def _call(self) -> dict[str, Any]:
        return {"input": self.x, "sigma": self.timestep, "model": self.model, "model_options": self.options}

    def _denoised(self, predictions: Predictions) -> dict[str, Any]:
        cond, uncond = _pair(predictions)
        return {
            **self._call,
            "cond_scale": self.cfg,
            "cond_denoised": cond,
            "uncond_denoised": uncond,
        }


def _pair(predictions: Predictions) -> tuple[torch.Tensor, torch.Tensor]:
    """`cond` and `uncond`; zeros where CFG is off."""
    cond = predictions["cond"]
    return cond, predictions.get("uncond", torch.zeros_like(cond))
