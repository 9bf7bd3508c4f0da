"""The authors' sampling loop on ltx-core, the oracle of the parity tests. Test dependency only.

The transformer, its positions and its perturbations are Lightricks' own code. What ltx-core lacks, the
reference tokens and the identity term, is written here from the paper (arXiv 2603.10256, eq. 3 and 5).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from ltx_core.components.diffusion_steps import EulerDiffusionStep
from ltx_core.components.patchifiers import AudioPatchifier, VideoLatentPatchifier
from ltx_core.guidance.perturbations import (
    BatchedPerturbationConfig,
    Perturbation,
    PerturbationConfig,
    PerturbationType,
)
from ltx_core.model.transformer.modality import Modality
from ltx_core.model.transformer.model import LTXModel, X0Model
from ltx_core.model.transformer.model_configurator import LTXModelConfigurator
from ltx_core.tools import AudioLatentTools, VideoLatentTools
from ltx_core.types import AudioLatentShape, VideoLatentShape
from ltx_pipelines.utils.helpers import post_process_latent
from safetensors import safe_open

PREFIX = "model.diffusion_model."
TEXT_CONNECTORS = ("video_embeddings_connector.", "audio_embeddings_connector.")
POSITIONS_DTYPE = torch.bfloat16  # the authors' script builds its latent state in the model's dtype
SECONDS_PER_LATENT = 0.04


@dataclass(frozen=True)
class Stream:
    """Tokens of one stream and what the transformer needs to know of them."""

    latent: torch.Tensor  # (B, T, D)
    clean: torch.Tensor
    mask: torch.Tensor  # (B, T, 1), 1 = denoise
    positions: torch.Tensor  # (B, axes, T, 2)

    def modality(self, context: torch.Tensor, sigma: torch.Tensor) -> Modality:
        return Modality(
            latent=self.latent,
            sigma=sigma.expand(self.latent.shape[0]),
            timesteps=self.mask * sigma,
            positions=self.positions,
            context=context,
        )

    def from_token(self, start: int) -> "Stream":
        parts = (
            self.latent[:, start:],
            self.clean[:, start:],
            self.mask[:, start:],
            self.positions[:, :, start:],
        )
        return Stream(*parts)


@dataclass(frozen=True)
class Scales:
    """Guidance as the paper writes it; 1, 1, 1, 0, 1 = off."""

    video_cfg: float = 3.0
    audio_cfg: float = 7.0
    identity: float = 4.0
    stg: float = 1.0
    bimodal: float = 3.0
    stg_block: int = 2


def load_transformer(checkpoint: Path) -> X0Model:
    """Lightricks' transformer with the weights of a checkpoint file, float32."""
    with safe_open(checkpoint, "pt") as file:
        config = json.loads(file.metadata()["config"])
        names = [k.removeprefix(PREFIX) for k in list(file.keys()) if k.startswith(PREFIX)]
        weights = {k: file.get_tensor(PREFIX + k).float() for k in names if not k.startswith(TEXT_CONNECTORS)}
    with torch.device("meta"):
        configurator: Any = LTXModelConfigurator
        model: LTXModel = configurator.from_config(config)
    model.load_state_dict(weights, strict=True, assign=True)
    return X0Model(model.eval())


def video_stream(noise: torch.Tensor, clean: torch.Tensor, mask: torch.Tensor, frame_rate: float) -> Stream:
    """(1, 128, F, H, W) each, mask (1, 1, F, H, W)."""
    patchifier = VideoLatentPatchifier(patch_size=1)
    shape = VideoLatentShape.from_torch_shape(clean.shape)
    tools = VideoLatentTools(patchifier, shape, frame_rate)
    positions = tools.create_initial_state(torch.device("cpu"), POSITIONS_DTYPE).positions
    clean, noise, mask = (patchifier.patchify(x) for x in (clean, noise, mask))
    return Stream(noise * mask + clean * (1 - mask), clean, mask, positions)


def audio_stream(noise: torch.Tensor, reference: torch.Tensor) -> tuple[Stream, int]:
    """Target noise (1, 8, T, 16) behind a clean reference (1, 8, R, 16) at negative times; and R."""
    patchifier = AudioPatchifier(patch_size=1)
    shape = AudioLatentShape.from_torch_shape(noise.shape)
    positions = AudioLatentTools(patchifier, shape).create_initial_state("cpu", torch.float32).positions
    bounds = patchifier.get_patch_grid_bounds(AudioLatentShape.from_torch_shape(reference.shape))
    bounds = bounds.to(POSITIONS_DTYPE)
    bounds = bounds - bounds[:, :, -1, 1].max().item() - SECONDS_PER_LATENT
    tokens, reference = patchifier.patchify(noise), patchifier.patchify(reference)
    count = reference.shape[1]
    mask = torch.cat([torch.zeros_like(reference[..., :1]), torch.ones_like(tokens[..., :1])], dim=1)
    latent = torch.cat([reference, tokens], dim=1)
    clean = torch.cat([reference, torch.zeros_like(tokens)], dim=1)
    return Stream(latent, clean, mask, torch.cat([bounds, positions], dim=2)), count


def audio_stream_of(noise: torch.Tensor, reference: torch.Tensor, bounds: torch.Tensor) -> tuple[Stream, int]:
    """Target noise (1, 8, T, 16) behind clean reference tokens (1, R, 128) at given times; and R."""
    alone, _ = audio_stream(noise, noise[:, :, :1])
    count = reference.shape[1]
    target = alone.from_token(1)
    return Stream(
        torch.cat([reference, target.latent], dim=1),
        torch.cat([reference, target.clean], dim=1),
        torch.cat([torch.zeros_like(reference[..., :1]), target.mask], dim=1),
        torch.cat([bounds.to(target.positions), target.positions], dim=2),
    ), count


def masked(modality: Modality, text: torch.Tensor, own: torch.Tensor | None = None) -> Modality:
    """A modality whose tokens see only some text, and some of each other: (T, N) and (T, T) of bool."""
    return replace(
        modality,
        context_mask=text[None].int(),
        attention_mask=None if own is None else own[None].to(modality.latent.dtype),
    )


def denoise(model: X0Model, video: Stream, audio: Stream, count: int, contexts, sigma, scales: Scales):
    """One step's guided x0 of both streams."""
    (video_pos, audio_pos), (video_neg, audio_neg) = contexts
    pos = video.modality(video_pos, sigma), audio.modality(audio_pos, sigma)
    cond = model(*pos, None)
    uncond = model(video.modality(video_neg, sigma), audio.modality(audio_neg, sigma), None)
    alone = model(pos[0], audio.from_token(count).modality(audio_pos, sigma), None)
    skip_self = (PerturbationType.SKIP_VIDEO_SELF_ATTN, PerturbationType.SKIP_AUDIO_SELF_ATTN)
    perturbed = model(*pos, _perturbations(skip_self, [scales.stg_block]))
    skip_cross = (PerturbationType.SKIP_A2V_CROSS_ATTN, PerturbationType.SKIP_V2A_CROSS_ATTN)
    uncoupled = model(*pos, _perturbations(skip_cross, None))
    guided = []
    for stream, cfg in enumerate((scales.video_cfg, scales.audio_cfg)):
        x0 = cond[stream]
        guided.append(
            x0
            + (cfg - 1) * (x0 - uncond[stream])
            + scales.stg * (x0 - perturbed[stream])
            + (scales.bimodal - 1) * (x0 - uncoupled[stream])
        )
    # eq. 5, on the target's audio tokens only: ref + (s - 1)(ref - no reference)
    guided[1][:, count:] += (scales.identity - 1) * (cond[1][:, count:] - alone[1])
    return guided


@torch.no_grad()
def sample(model: X0Model, video: Stream, audio: Stream, count: int, contexts, sigmas, scales: Scales):
    """Euler steps; returns tokens of video and of the target's audio."""
    stepper = EulerDiffusionStep()
    for step in range(len(sigmas) - 1):
        x0_video, x0_audio = denoise(model, video, audio, count, contexts, sigmas[step], scales)
        x0_video = post_process_latent(x0_video, video.mask, video.clean)
        x0_audio = post_process_latent(x0_audio, audio.mask, audio.clean)
        video = replace(video, latent=stepper.step(video.latent, x0_video, sigmas, step))
        audio = replace(audio, latent=stepper.step(audio.latent, x0_audio, sigmas, step))
    return video.latent, audio.latent[:, count:]


def _perturbations(kinds, blocks: list[int] | None) -> BatchedPerturbationConfig:
    return BatchedPerturbationConfig([PerturbationConfig([Perturbation(kind, blocks) for kind in kinds])])


@contextmanager
def training_masks(model: X0Model, count: int, total: int, from_video: bool, text: bool) -> Iterator[None]:
    """The authors' training-time masks: additive, with the least bfloat16 number, as their trainer builds them.

    Args:
        count: reference tokens at the start of `total` audio tokens.
        from_video: video may not attend to them.
        text: they may not attend to text.
    """
    least = torch.finfo(torch.bfloat16).min

    def masked(attend, hides_keys: bool):
        def attention(q, k, v, heads, mask=None):
            if (k if hides_keys else q).shape[1] == total:  # not in the pass without reference
                mask = torch.zeros(1, q.shape[1], k.shape[1])
                mask[(..., slice(count)) if hides_keys else (slice(None), slice(count))] = least
            return attend(q, k, v, heads, mask)

        return attention

    blocks: Any = model.velocity_model.transformer_blocks
    changed = [block.audio_to_video_attn for block in blocks if from_video]
    hides_keys = len(changed)
    changed += [block.audio_attn2 for block in blocks if text]
    kept = [layer.attention_function for layer in changed]
    for index, (layer, attend) in enumerate(zip(changed, kept, strict=True)):
        layer.attention_function = masked(attend, index < hides_keys)
    try:
        yield
    finally:
        for layer, attend in zip(changed, kept, strict=True):
            layer.attention_function = attend
