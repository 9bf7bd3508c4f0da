"""The reference voice as the transformer takes it: a latent with its place before the clip."""

import math
from dataclasses import dataclass, field

from torch import Tensor

from .families import UNKNOWN, ModelFamily
from .options import Numerics
from .positions import AudioGrid, audio_tokens, checked_gap, reference_bounds
from .voice_embedding import VoiceEmbedding


@dataclass(frozen=True)
class Reference:
    """A reference voice as the transformer takes it.

    Attributes:
        latent: (1, 8, T, 16) normalised audio latent.
        grid: time grid of the VAE that made it.
        gap_seconds: how far before the clip it ends; None = one latent, as trained.
        audio_vae: the family of that VAE; another than the model's is said before the run.
        vae_fingerprint: of that VAE's weights; empty = not known.
        embedding: of the speaker, where a saved voice has one.

    Raises:
        ValueError: the latent is not finite, or the gap is out of range.
    """

    latent: Tensor
    grid: AudioGrid = field(default_factory=AudioGrid)
    gap_seconds: float | None = None
    audio_vae: ModelFamily = UNKNOWN
    vae_fingerprint: str = ""
    embedding: VoiceEmbedding | None = None

    def __post_init__(self) -> None:
        checked_gap(self.gap_seconds)
        if not math.isfinite(self.latent.float().abs().sum()):
            raise ValueError(
                "The reference latent holds values that are not numbers (NaN or Inf). Encode the voice again."
            )

    @property
    def tokens(self) -> Tensor:
        """(1, T, 128)."""
        return audio_tokens(self.latent)

    @property
    def num_tokens(self) -> int:
        return self.latent.shape[2]

    def bounds(self, numerics: Numerics = "host") -> Tensor:
        """(1, 1, T, 2) seconds, all below 0."""
        return reference_bounds(self.num_tokens, self.grid, self.gap_seconds, numerics)
