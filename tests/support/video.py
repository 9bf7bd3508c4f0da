"""What a saved video holds, and how far two are apart; read with PyAV."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

SAME, DIFFERENT = 0.01, 0.02
"""Distances of two videos below which they show the same, and above which they do not; with frames."""
SAME_FILM = 0.05
"""The same for mp4 files alone: in noise, a few pixels that are rounded the other way make x264 choose otherwise, and
frames differ by up to 0.023 (measured); those of another seed differ by 0.16."""


@dataclass(frozen=True)
class Video:
    """What a saved video holds; `frames`: its pictures without loss, where they were saved too."""

    path: Path
    width: int
    height: int
    num_frames: int
    frame_rate: Fraction
    audio_seconds: float
    audio_channels: int
    audio_peak: float
    frames: tuple[Path, ...] = ()

    @property
    def seconds(self) -> float:
        return float(self.num_frames / self.frame_rate)

    def distance(self, other: "Video") -> float:
        """Mean difference of picture or sound, whichever is larger, in parts of full scale.

        Whole files differ: the host keeps the graph in them. So may pictures in the last bit: kernels of some
        libraries depend on where a tensor lies in memory. Pictures are compared as they were before they were
        compressed where both videos have them; see `SAME_FILM` for why.
        """
        (film, sound), (their_film, their_sound) = decoded(self.path), decoded(other.path)
        if self.frames and other.frames:
            film, their_film = pictures(self.frames), pictures(other.frames)
        assert film.shape == their_film.shape and sound.shape == their_sound.shape
        picture = abs(film.astype(float) - their_film).mean() / 255
        return float(max(picture, abs(sound - their_sound).mean()))


def pictures(files: tuple[Path, ...]) -> np.ndarray:
    """(F, H, W, 3), 0 to 255."""
    return np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])


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
