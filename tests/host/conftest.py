"""What tests of the running host share."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import pytest

from bed.host_client import output_files
from bed.versions import ROOT

ASSETS = ROOT / "workflows" / "assets"


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

    @property
    def packets(self) -> list[bytes]:
        """Encoded picture and sound, without the file's metadata, in which the host keeps the graph."""
        with av.open(str(self.path)) as container:
            return [bytes(packet) for packet in container.demux()]


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


@pytest.fixture(scope="session")
def studio(host):
    """The running host with the example picture and voice in its input folder."""
    for asset in ASSETS.iterdir():
        host.add_input(asset)
    return host


@pytest.fixture(scope="session")
def render(studio):
    """Run a graph; the video that it saved."""

    def run(graph) -> Video:
        files = [file for file in output_files(studio.run(graph)) if file["filename"].endswith(".mp4")]
        assert len(files) == 1
        return read_video(studio.output_dir / files[0]["subfolder"] / files[0]["filename"])

    return run
