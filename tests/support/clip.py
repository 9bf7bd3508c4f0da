"""A made clip for tests that compare numbers: conditioning, noise, a first frame and a reference, all random."""

from dataclasses import dataclass

import torch

VIDEO_SHAPE, AUDIO_SHAPE, REFERENCE_SHAPE = (1, 128, 3, 2, 3), (1, 8, 18, 16), (1, 8, 30, 16)
TEXT_TOKENS = 64
FRAME_RATE = 25.0


@dataclass(frozen=True)
class Clip:
    """What a graph hands to a sampler. `texts` are (1, N, video width + audio width), positive and negative."""

    video_noise: torch.Tensor
    audio_noise: torch.Tensor
    clean_video: torch.Tensor
    video_mask: torch.Tensor
    reference: torch.Tensor
    texts: tuple[torch.Tensor, torch.Tensor]
    text_widths: tuple[int, int]

    @property
    def conditioning(self) -> tuple[list, list]:
        """Positive and negative as the host's CONDITIONING."""
        positive, negative = ([[text, {"frame_rate": FRAME_RATE}]] for text in self.texts)
        return positive, negative

    @property
    def split_texts(self):
        """((video, audio), (video, audio)) of positive and negative."""
        return tuple(text.split(self.text_widths, dim=-1) for text in self.texts)


def text_widths(network) -> tuple[int, int]:
    """Widths of the text embeddings that the host's transformer takes without its connector."""
    if network.caption_proj_before_connector:  # LTX-2.3
        return network.cross_attention_dim, network.audio_cross_attention_dim
    return network.caption_channels, network.caption_channels


def made_clip(network, seed: int = 0) -> Clip:
    """A clip whose sizes fit a transformer."""
    generator = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    clean, mask = torch.zeros(VIDEO_SHAPE), torch.ones(1, 1, *VIDEO_SHAPE[2:])
    clean[:, :, :1] = noise(1, 128, 1, *VIDEO_SHAPE[3:])
    mask[:, :, :1] = 0
    widths = text_widths(network)
    texts = noise(1, TEXT_TOKENS, sum(widths)), noise(1, TEXT_TOKENS, sum(widths))
    return Clip(noise(*VIDEO_SHAPE), noise(*AUDIO_SHAPE), clean, mask, noise(*REFERENCE_SHAPE), texts, widths)
