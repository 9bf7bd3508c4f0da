"""Video files read and written with the host's PyAV: what is in them, their sound, and frames by their time."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy
import torch
from av.error import FFmpegError
from torch import Tensor

from ...idlora_core.frames import centre_crop_resize

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".m4v", ".avi")
HDR_TRANSFERS = {16: "PQ", 18: "HLG"}  # ITU-T H.273, transfer characteristics
JITTER = 0.35  # of a frame: time stamps of some containers are rounded to milliseconds
HEAD_SHARE = 0.25  # of what a portrait picture has too much is cut above, the rest below: heads are high
CRF = "12"


class Unreadable(Exception):
    """A file that is not a video, or breaks off."""


@dataclass(frozen=True)
class ClipInfo:
    """Of a video file; `hdr`: the transfer's name, or None."""

    width: int
    height: int
    seconds: float
    is_rate_variable: bool
    hdr: str | None
    has_audio: bool


def clip_info(path: Path) -> ClipInfo:
    """What is in a file, from its packets; nothing but the first frame is decoded.

    Raises:
        Unreadable: it is not a video.
    """
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            frame = next(container.decode(stream))
            transfer = HDR_TRANSFERS.get(int(stream.codec_context.color_trc))
            is_turned = round(frame.rotation / 90) % 2 == 1
        with av.open(str(path)) as container:
            times = sorted(float(p.pts * p.time_base) for p in container.demux(video=0) if p.pts is not None)
            has_audio = bool(container.streams.audio)
    except (FFmpegError, OSError, IndexError, StopIteration, ValueError) as error:
        raise Unreadable(_reason(error)) from error
    steps = numpy.diff(times) if len(times) > 1 else numpy.array([1.0])
    usual = float(numpy.median(steps))
    is_variable = bool((abs(steps - usual) > JITTER * usual).any())
    size = (frame.height, frame.width) if is_turned else (frame.width, frame.height)
    return ClipInfo(*size, times[-1] - times[0] + usual, is_variable, transfer, has_audio)


def read_sound(path: Path) -> tuple[Tensor, int]:
    """(1, C, N) float32 of the first audio stream, from the moment that the picture begins, and its rate in Hz.

    Raises:
        Unreadable: it breaks off, or holds no sound.
    """
    try:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            picture = container.streams.video[0].start_time if container.streams.video else None
            begins = 0.0 if picture is None else float(picture * container.streams.video[0].time_base)
            resampler = av.AudioResampler(format="fltp")
            parts, first, rate = [], None, stream.rate
            for frame in container.decode(stream):
                first = frame.time if first is None else first
                parts += [part.to_ndarray() for part in resampler.resample(frame)]
            sound = torch.from_numpy(numpy.concatenate(parts, axis=1))[None]
    except (FFmpegError, OSError, IndexError, ValueError) as error:
        raise Unreadable(_reason(error)) from error
    late = round(((first or 0.0) - begins) * rate)
    return (torch.nn.functional.pad(sound, (late, 0)) if late > 0 else sound[..., -late:]), rate


def read_frames(
    path: Path, start: float, num_frames: int, frame_rate: float, width: int, height: int
) -> Tensor:
    """(F, height, width, 3) in [0, 1]: at each moment the frame that is on the screen, covering the size.

    Args:
        start: seconds from the first frame.

    Raises:
        Unreadable: it breaks off before.
    """
    moments = [start + number / frame_rate for number in range(num_frames)]
    frames: list[Tensor] = []
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            time_base = stream.time_base or Fraction(1, 1000)
            begins = float((stream.start_time or 0) * time_base)
            container.seek(int((begins + start) / time_base), stream=stream)
            shown = None
            for frame in container.decode(stream):
                while (
                    shown is not None
                    and len(frames) < num_frames
                    and _before(moments[len(frames)], frame, begins)
                ):
                    frames.append(_fitted(shown, width, height))
                shown = frame
                if len(frames) == num_frames:
                    break
            while shown is not None and len(frames) < num_frames:  # the last frame stays for its time
                frames.append(_fitted(shown, width, height))
    except (FFmpegError, OSError, IndexError, ValueError) as error:
        raise Unreadable(_reason(error)) from error
    if not frames:
        raise Unreadable("no frames")
    return torch.stack(frames)


def _before(moment: float, frame: av.VideoFrame, begins: float) -> bool:
    return moment + 1e-4 < (frame.time or 0.0) - begins


def _fitted(frame: av.VideoFrame, width: int, height: int) -> Tensor:
    """(height, width, 3)."""
    picture = torch.from_numpy(frame.to_ndarray(format="rgb24"))
    picture = torch.rot90(picture, round(frame.rotation / 90)).movedim(-1, 0)[None]  # HWC -> BCHW
    rows = round(picture.shape[3] * height / width)
    top = round(HEAD_SHARE * max(picture.shape[2] - rows, 0))
    picture = picture[:, :, top : top + rows] if picture.shape[2] > rows else picture
    return centre_crop_resize(picture.float() / 255, width, height)[0].movedim(0, -1).clamp(0, 1)


def write_clip(path: Path, frames: Tensor, frame_rate: float, waveform: Tensor, sample_rate: int) -> None:
    """An mp4: H.264 of high quality, and sound without loss (ALAC).

    Args:
        frames: (F, H, W, 3) in [0, 1], both sides even. waveform: (1, 2, N).
    """
    with av.open(str(path), "w", format="mp4") as container:
        video = container.add_stream(
            "libx264", rate=Fraction(frame_rate), options={"crf": CRF, "preset": "medium"}
        )
        video.width, video.height, video.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        audio = container.add_stream("alac", rate=sample_rate, format="s16p", layout="stereo")
        for picture in (frames * 255).round().to(torch.uint8):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture.numpy(), format="rgb24")))
        container.mux(video.encode())
        _mux_sound(container, audio, waveform, sample_rate)


def write_wav(path: Path, waveform: Tensor, sample_rate: int) -> None:
    """16-bit stereo of (1, 2, N)."""
    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=sample_rate, layout="stereo")
        _mux_sound(container, stream, waveform, sample_rate)


def _mux_sound(container, stream, waveform: Tensor, sample_rate: int) -> None:
    samples = (waveform[0].clamp(-1, 1) * (2**15 - 1)).round().to(torch.int16).numpy()
    frame = av.AudioFrame.from_ndarray(numpy.ascontiguousarray(samples), format="s16p", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = sample_rate, 0, Fraction(1, sample_rate)
    container.mux(stream.encode(frame))
    container.mux(stream.encode())


def _reason(error: Exception) -> str:
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return said.splitlines()[0].rstrip(".")
