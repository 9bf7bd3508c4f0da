"""FLAC in memory, through the host's own PyAV."""

import io

import av
import torch
from av.error import FFmpegError
from torch import Tensor

MAX_SECONDS = 60.0
CHANNEL_LAYOUTS = {1: "mono", 2: "stereo"}
FULL_SCALE = 2**15


def encode_flac(waveform: Tensor, sample_rate: int) -> bytes:
    """A waveform (1, C, N), full scale = 1, as the bytes of a 16-bit FLAC file; two equal channels become one."""
    sound = waveform[0]
    if sound.shape[0] == 2 and torch.equal(sound[0], sound[1]):
        sound = sound[:1]
    samples = (sound * FULL_SCALE).round().clamp(-FULL_SCALE, FULL_SCALE - 1).to(torch.int16)
    interleaved = samples.T.reshape(1, -1).contiguous().cpu().numpy()
    layout = CHANNEL_LAYOUTS[sound.shape[0]]
    frame = av.AudioFrame.from_ndarray(interleaved, "s16", layout)
    frame.sample_rate = sample_rate
    content = io.BytesIO()
    with av.open(content, "w", format="flac") as target:
        stream = target.add_stream("flac", rate=sample_rate, layout=layout)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            target.mux(packet)
    return content.getvalue()


def decode_flac(content: bytes) -> tuple[Tensor, int]:
    """The waveform (1, C, N) of a FLAC file's bytes, and its rate in Hz.

    Raises:
        ValueError: not FLAC, not mono or stereo, or longer than a minute: a small file can hold hours of silence.
    """
    parts, num_samples = [], 0
    try:
        with av.open(io.BytesIO(content), format="flac") as source:
            for frame in source.decode(audio=0):
                parts.append(torch.from_numpy(frame.to_ndarray()))
                num_samples += frame.samples
                if num_samples > MAX_SECONDS * frame.sample_rate:
                    raise ValueError(f"The recording in this voice file is longer than {MAX_SECONDS:g} s.")
                rate, channels, kind = frame.sample_rate, len(frame.layout.channels), frame.format.name
    except (FFmpegError, IndexError) as error:
        raise ValueError(f"The recording in this voice file is not FLAC ({error}).") from error
    if not parts or channels not in CHANNEL_LAYOUTS or kind not in ("s16", "s32"):
        raise ValueError("The recording in this voice file is empty, or neither mono nor stereo.")
    full_scale = FULL_SCALE if kind == "s16" else FULL_SCALE << 16
    interleaved = torch.cat(parts, dim=1).reshape(-1, channels)
    return interleaved.T.float()[None] / full_scale, rate
