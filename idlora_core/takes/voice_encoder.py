"""How alike two voices are: Resemblyzer's speaker encoder (GE2E) in plain torch.

    power mel, 40 bands, 25 ms windows every 10 ms | windows of 1.6 s, 0.77 s apart | three LSTM layers of 256
    last state -> linear -> ReLU -> length 1 | mean over the windows -> length 1

The network was trained on a mel spectrogram that is not logarithmic, so that it hears level: a copy 12 dB softer scores
0.70 against itself. Therefore every recording is brought to -30 dBFS first.

Source:
    Wan et al. 2018, arXiv 1710.10467; https://github.com/resemble-ai/Resemblyzer 0.1.4, `pretrained.pt`.
"""

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
import torchaudio
from torch import Tensor, nn

from ..voice.waveform import resampled
from ..voice_embedding import VoiceEmbedding

NAME = "Resemblyzer"
SAMPLE_RATE_HZ = 16_000
LEVEL_DBFS = -30.0
WINDOW, HOP, BANDS = 400, 160, 40
PARTIAL_FRAMES, PARTIAL_STEP = 160, 77  # 1.6 s, 1.3 of them a second
LEAST_COVERED = 0.75  # of the last partial; less of it is left out
WIDTH, LAYERS = 256, 3
NOISE_BAND = 0.03
"""Two clips of one speaker in one room score so differently (standard deviation of the difference, eight clips of 5 s by
one reader, tests/takes); smaller differences say nothing."""


class VoiceEncoder(nn.Module):
    """The network, with the parameter names of its file."""

    noise_band = NOISE_BAND

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(BANDS, WIDTH, LAYERS, batch_first=True)
        self.linear = nn.Linear(WIDTH, WIDTH)

    def forward(self, mels: Tensor) -> Tensor:
        """(P, 160, 40) power mel -> (P, 256) of length 1."""
        _, (hidden, _) = self.lstm(mels)
        return F.normalize(self.linear(hidden[-1]).relu(), dim=1)

    @torch.inference_mode()
    def embed(self, waveform: Tensor, sample_rate: int) -> VoiceEmbedding:
        """The voice of a recording.

        Args:
            waveform: (1, C, N), at least one sample that is not 0; channels are averaged.
            sample_rate: Hz.

        Raises:
            ValueError: silence.
        """
        sound = resampled(waveform[0].float().mean(dim=0).cpu(), sample_rate, SAMPLE_RATE_HZ)
        vector = self(_partials(_levelled(sound))).mean(dim=0)
        return VoiceEmbedding(F.normalize(vector, dim=0), NAME)


def encoder_of(content: object, name: str) -> VoiceEncoder:
    """The encoder from what Resemblyzer's `pretrained.pt` holds, whole or its `model_state` alone.

    Raises:
        ValueError: not Resemblyzer's weights.
    """
    state = content.get("model_state", content) if isinstance(content, Mapping) else {}
    encoder = VoiceEncoder()
    wanted = encoder.state_dict()
    found = {
        key: state[key]
        for key in wanted
        if key in state and getattr(state[key], "shape", None) == wanted[key].shape
    }
    if found.keys() != wanted.keys():
        missing = sorted(wanted.keys() - found.keys())
        raise ValueError(
            f"{name} is not Resemblyzer's voice encoder: it lacks {missing[0]} of the right shape. Use pretrained.pt"
            " of the Python package Resemblyzer."
        )
    encoder.load_state_dict(found)
    return encoder.eval().requires_grad_(False)


def _levelled(sound: Tensor) -> Tensor:
    power = sound.square().mean().item()
    if not power > 0 or not math.isfinite(power):
        raise ValueError("A silent recording has no voice that could be compared.")
    return sound * (10 ** (LEVEL_DBFS / 20) / math.sqrt(power))


def _partials(sound: Tensor) -> Tensor:
    """(P, 160, 40) power mel of windows of 1.6 s; what is shorter is filled up with silence."""
    starts = range(0, max(1, _num_frames(sound) - PARTIAL_FRAMES + PARTIAL_STEP + 1), PARTIAL_STEP)
    covered = (sound.numel() - starts[-1] * HOP) / (PARTIAL_FRAMES * HOP)
    if covered < LEAST_COVERED and len(starts) > 1:
        starts = starts[:-1]
    padded = F.pad(sound, (0, max((starts[-1] + PARTIAL_FRAMES) * HOP - sound.numel(), 0)))
    mel = _mel(padded)
    return torch.stack([mel[start : start + PARTIAL_FRAMES] for start in starts])


def _num_frames(sound: Tensor) -> int:
    return math.ceil((sound.numel() + 1) / HOP)


def _mel(sound: Tensor) -> Tensor:
    """(F, 40): mel power with Slaney's bands, each of area 1."""
    spectrum = torch.stft(
        sound, WINDOW, HOP, window=torch.hann_window(WINDOW), pad_mode="constant", return_complex=True
    )
    bands = torchaudio.functional.melscale_fbanks(
        WINDOW // 2 + 1, 0.0, SAMPLE_RATE_HZ / 2, BANDS, SAMPLE_RATE_HZ, norm="slaney", mel_scale="slaney"
    )
    return spectrum.abs().square().T @ bands
