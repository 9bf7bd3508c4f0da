"""What a saved video holds, and how far two are apart; read with PyAV."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SAME, DIFFERENT = 0.01, 0.02
"""Distances of two videos below which they show the same, and above which they do not."""


@dataclass(frozen=True)
class Video:
    """What a saved video holds."""

    path: Path
    width: int
    height: int
    num_frames: int
    frame_rate: Fraction
    audio_seconds: float
    audio_channels: int
    audio_peak: float

    @property
    def seconds(self) -> float:
        return float(self.num_frames / self.frame_rate)

    def distance(self, other: "Video") -> float:
        """Mean difference of picture or sound, whichever is larger, in parts of full scale.

        Whole files differ: the host keeps the graph in them. So may packets: kernels of some libraries
        depend on where a tensor lies in memory, and one rounded pixel changes the bits that follow.
        """
        (frames, sound), (their_frames, their_sound) = decoded(self.path), decoded(other.path)
        assert frames.shape == their_frames.shape and sound.shape == their_sound.shape
        picture = abs(frames.astype(float) - their_frames).mean() / 255
        return float(max(picture, abs(sound - their_sound).mean()))


def decoded(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """All frames (F, H, W, 3), 0 to 255, and all samples (C, N)."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        sound = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.stack(frames), np.concatenate(sound, axis=1)


def read_video(path: Path) -> Video:
    """Decode a whole file with PyAV."""
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        rate, sample_rate = video.average_rate, audio.rate
        frames, samples, peak, channels = 0, 0, 0.0, 0
        for packet in container.demux(video, audio):
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    frames += 1
                else:
                    samples += frame.samples
                    channels = frame.layout.nb_channels
                    peak = max(peak, float(abs(frame.to_ndarray()).max()))
        return Video(path, video.width, video.height, frames, rate, samples / sample_rate, channels, peak)
