"""Speech in a recording by Silero's detector: a small network that was trained on many rooms, run in plain torch.

    chunk of 512 samples at 16 kHz, 64 samples of the one before | STFT of 256, hop 128 -> magnitudes
    4 convolutions over the 4 spectra -> 128 features -> LSTM, one step a chunk -> sigmoid

One probability per 32 ms. The network's last state goes on to the next chunk, so that a recording is one sequence;
only the LSTM runs chunk by chunk.

Source:
    https://github.com/snakers4/silero-vad, version 6.2.3; weights of its package, MIT licence, beside this file.
"""

from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

SAMPLE_RATE_HZ = 16_000
CHUNK = 512
CHUNK_SECONDS = CHUNK / SAMPLE_RATE_HZ
WEIGHTS = Path(__file__).with_name("silero_vad_16k.safetensors")

_CONTEXT, _WINDOW, _HOP, _REFLECTED = 64, 256, 128, 64
_BINS, _FEATURES = 129, 128
_CHUNKS_AT_ONCE = 2_000  # a minute: features of an hour would take a gigabyte


class SileroVAD(nn.Module):
    """The 16 kHz network, with the parameter names of its file."""

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 2 * _BINS, _WINDOW, _HOP, bias=False)
        self.conv1 = nn.Conv1d(_BINS, 128, 3, 1, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, 2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, 2, padding=1)
        self.conv4 = nn.Conv1d(64, _FEATURES, 3, 1, padding=1)
        self.lstm_cell = nn.LSTMCell(_FEATURES, _FEATURES)
        self.final_conv = nn.Conv1d(_FEATURES, 1, 1)

    def features(self, chunks: Tensor) -> Tensor:
        """(K, 64 + 512) samples -> (K, 128)."""
        padded = F.pad(chunks[:, None], (0, _REFLECTED), mode="reflect")
        real, imaginary = self.stft_conv(padded).split(_BINS, dim=1)
        hidden = (real.square() + imaginary.square()).sqrt()
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            hidden = layer(hidden).relu()
        return hidden[..., 0]

    def forward(self, chunks: Tensor) -> Tensor:
        """(K, 64 + 512) samples, one after the other in time -> (K,) probabilities of speech."""
        features = torch.cat([self.features(part) for part in chunks.split(_CHUNKS_AT_ONCE)])
        state = None
        outputs = []
        for feature in features:
            state = self.lstm_cell(feature[None], state)
            outputs.append(state[0])
        logits = self.final_conv(torch.cat(outputs).relu()[..., None])
        return logits.sigmoid()[:, 0, 0]


@cache
def _network() -> SileroVAD:
    network = SileroVAD()
    network.load_state_dict(load_file(WEIGHTS))
    return network.eval().requires_grad_(False)


@torch.inference_mode()
def speech_probabilities(sound: Tensor) -> Tensor:
    """How likely each 32 ms is speech.

    Args:
        sound: (N,) float32 at 16 kHz, full scale = 1; the last chunk is filled up with silence.

    Returns:
        (ceil(N / 512),) in [0, 1].
    """
    padded = F.pad(sound, (_CONTEXT, -sound.numel() % CHUNK))
    return _network()(padded.unfold(0, _CONTEXT + CHUNK, CHUNK))
