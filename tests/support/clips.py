"""Made video files: two synthetic speakers, and one file of each kind that a dataset leaves out or remarks on."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
import torchaudio
from torch import Tensor

from . import recordings

RATE = 16_000
PQ = 16


def write_clip(
    path: Path,
    waveform: Tensor | None,
    *,
    seconds: float | None = None,
    size: tuple[int, int] = (96, 64),
    frame_rate: int = 25,
    times: Sequence[float] | None = None,
    transfer: int | None = None,
) -> None:
    """A moving picture with sound (1, 1, N) at 16 kHz, kept without loss.

    Args:
        seconds: of the picture; the sound's when None. times: of each frame instead of `frame_rate`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    seconds = waveform.shape[-1] / RATE if seconds is None and waveform is not None else seconds or 1.0
    times = times or [number / frame_rate for number in range(round(seconds * frame_rate))]
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=frame_rate, options={"preset": "ultrafast", "crf": "20"})
        video.width, video.height, video.pix_fmt = (
            *size,
            "yuv420p" if size[0] % 2 == size[1] % 2 == 0 else "yuv444p",
        )
        video.codec_context.time_base = Fraction(1, 1000)
        if transfer is not None:
            video.codec_context.color_trc = transfer
        audio = None if waveform is None else container.add_stream(_codec(path), rate=RATE, layout="mono")
        for time in times:
            frame = av.VideoFrame.from_ndarray(picture(time, *size), format="rgb24")
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if audio is not None and waveform is not None:
            samples = (waveform[0].clamp(-1, 1) * 32767).round().to(torch.int16).numpy()
            sound = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="s16", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = RATE, 0, Fraction(1, RATE)
            container.mux(audio.encode(sound))
            container.mux(audio.encode())


def picture(time: float, width: int, height: int) -> np.ndarray:
    """(H, W, 3): red grows with time, 40 a second; green and blue with the place."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([np.full_like(x, min(40 * time, 255)), x, y], axis=-1).astype(np.uint8)


def speakers(sentence: Tensor, example: Tensor) -> dict[str, Tensor]:
    """Two voices, two clips each: (1, 1, N) at 16 kHz by file. Backwards, speech has the same voice and other sound."""
    return {
        "ann/one.mp4": sentence,
        "ann/two.mp4": sentence.flip(-1),
        "bob/one.mp4": example,
        "bob/two.mp4": example.flip(-1),
    }


def at_16_khz(path: Path) -> Tensor:
    waveform, rate = recordings.read(path)
    return torchaudio.functional.resample(waveform, rate, RATE)


def _codec(path: Path) -> str:
    return "alac" if path.suffix == ".mp4" else "pcm_s16le"


def write_bad_clips(folder: Path, speech: Tensor, example: Tensor) -> dict[str, str]:
    """One file of each kind, in folders of two speakers.

    Returns:
        file to words of the one sentence that is said of it.
    """
    seconds = speech.shape[-1] / RATE
    word = torch.cat([speech[..., 8_000:14_000], torch.zeros(1, 1, 4 * RATE)], dim=-1)
    two = torch.cat([speech, recordings.another_voice(speech, RATE, 1.7)], dim=-1)
    noise = recordings.noise(speech.shape[-1], 0.6 * recordings.rms(speech))
    clips = {
        "x/silent.mp4": (torch.zeros(1, 1, 4 * RATE), {}, "is silent (peak -inf dBFS)"),
        "x/clipped.mov": ((6 * reordered(speech, 1)).clamp(-0.9, 0.9), {}, "samples are clipped"),
        "x/noisy.mp4": (reordered(speech, 2) + noise, {}, "dB below the speech"),
        "x/music.mp4": (recordings.tune(6.0, RATE), {}, "sounds like music"),
        "x/one_word.mp4": (word, {}, "no cut of 1.96 s holds 1.0 s of speech"),
        "x/two_voices.mp4": (two, {}, "perhaps two speakers"),
        "x/phone.mp4": (reordered(speech, 3), {"times": irregular_times(seconds)}, "frame rate varies"),
        "x/phone_again.mkv": (0.4 * reordered(speech, 3), {}, "repeats the sound of x/phone.mp4"),
        "x/odd.mkv": (reordered(speech, 4), {"size": (51, 37)}, "is 51x37, scaled and cropped to 64x64"),
        "x/odd.mp4": (reordered(speech, 7), {}, "x/odd.mkv has the same name"),
        "x/hdr.mp4": (reordered(speech, 5), {"transfer": PQ}, "is HDR video (PQ)"),
        "x/short_sound.mp4": (
            reordered(speech, 6),
            {"seconds": seconds + 1},
            "ends 1.0 s before its picture",
        ),
        "x/no_words.mp4": (reordered(speech, 8), {}, "has no words in captions.csv"),
        "x/many_words.mp4": (reordered(speech, 9), {}, "s to say, and a cut lasts 1.96 s"),
        "x/no_audio.mp4": (None, {"seconds": 3.0}, "has no sound"),
        "zoe/solo.mp4": (example, {}, "is the only usable clip of zoe"),
    }
    for file, (waveform, options, _) in clips.items():
        write_clip(folder / file, waveform, **options)
    (folder / "x/broken.mp4").write_bytes(b"\0\0\0 ftypisom" + bytes(5000))
    return {file: words for file, (_, _, words) in clips.items()} | {
        "x/broken.mp4": "cannot be read as a video"
    }


def irregular_times(seconds: float) -> list[float]:
    """Of frames, 40 ms apart and every fifth 160 ms."""
    times = [0.0]
    while times[-1] < seconds:
        times.append(times[-1] + (0.04 if len(times) % 5 else 0.16))
    return times


def reordered(speech: Tensor, seed: int) -> Tensor:
    """The same voice with its 0.4 s pieces in another order."""
    pieces = list(speech.split(round(0.4 * RATE), dim=-1))
    order = torch.randperm(len(pieces), generator=torch.Generator().manual_seed(seed + 1)).tolist()
    return torch.cat([pieces[place] for place in order], dim=-1)
