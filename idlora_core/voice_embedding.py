"""What a speaker encoder makes of a voice: a direction, compared by its angle."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class VoiceEmbedding:
    """A voice as one encoder sees it.

    Attributes:
        vector: (D,) float32.
        encoder: which encoder made it; only vectors of the same one can be compared.
    """

    vector: Tensor
    encoder: str

    def similarity(self, other: "VoiceEmbedding") -> float:
        """Cosine of the two vectors, -1 to 1.

        Raises:
            ValueError: they come from different encoders.
        """
        if self.encoder != other.encoder:
            raise ValueError(
                f"A voice measured by {other.encoder} cannot be compared with one measured by {self.encoder};"
                " connect the reference's audio."
            )
        return torch.nn.functional.cosine_similarity(self.vector, other.vector, dim=0).item()
