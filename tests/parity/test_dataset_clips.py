"""Clips as they are read for a dataset: the right frame at the right moment, the sound in step, the latent ltx-core's."""

import importlib
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
import torch
from ltx_core.loader.sft_loader import SafetensorsModelStateDictLoader
from ltx_core.model.video_vae import VAE_ENCODER_COMFY_KEYS_FILTER, VideoEncoderConfigurator

from support import clips, recordings, vaes

RATE = clips.RATE
read = importlib.import_module("idlora_pack.nodes.host.clips")


def reds(frames: torch.Tensor) -> list[float]:
    """Seconds that each made picture shows."""
    return (frames[..., 0].mean(dim=(1, 2)) * 255 / 40).tolist()


@pytest.mark.parametrize("frame_rate, start", [(25, 0.0), (25, 1.24), (30, 0.4), (60, 1.0), (12, 0.5)])
def test_each_moment_has_the_frame_that_is_on_the_screen(tmp_path, frame_rate, start):
    clips.write_clip(tmp_path / "a.mp4", None, seconds=4.0, frame_rate=frame_rate)
    frames = read.read_frames(tmp_path / "a.mp4", start, 33, 25.0, 64, 64)
    moments = [start + number / 25 for number in range(33)]
    expected = [int(moment * frame_rate + 1e-3) / frame_rate for moment in moments]
    assert frames.shape == (33, 64, 64, 3) and frames.min() >= 0 and frames.max() <= 1
    assert reds(frames) == pytest.approx(expected, abs=0.06)  # 2.4 of 255 levels


def test_a_varying_rate_is_followed_by_its_time_stamps(tmp_path):
    times = clips.irregular_times(4.0)
    clips.write_clip(tmp_path / "a.mp4", None, times=times)
    info = read.clip_info(tmp_path / "a.mp4")
    assert info.is_rate_variable
    frames = read.read_frames(tmp_path / "a.mp4", 0.5, 49, 25.0, 64, 64)
    expected = [max(t for t in times if t <= 0.5 + n / 25 + 1e-3) for n in range(49)]
    assert reds(frames) == pytest.approx(expected, abs=0.06)


def test_a_portrait_picture_keeps_its_head(tmp_path):
    clips.write_clip(tmp_path / "a.mp4", None, seconds=0.5, size=(64, 256))
    (frame,) = read.read_frames(tmp_path / "a.mp4", 0.0, 1, 25.0, 64, 64)
    blue = frame[..., 2].mean(dim=1) * 255  # 1 a row: rows 48 to 112 of 256
    assert blue[0].item() == pytest.approx(48, abs=4) and blue[-1].item() == pytest.approx(111, abs=4)


def test_what_is_in_a_file(tmp_path):
    clips.write_clip(
        tmp_path / "a.mkv", torch.zeros(1, 1, 2 * RATE), seconds=3.0, size=(50, 38), transfer=clips.PQ
    )
    info = read.clip_info(tmp_path / "a.mkv")
    assert (info.width, info.height, info.hdr, info.has_audio, info.is_rate_variable) == (
        50,
        38,
        "PQ",
        True,
        False,
    )
    assert info.seconds == pytest.approx(3.0, abs=0.05)


def test_sound_is_read_whole_and_written_without_loss(tmp_path):
    sound = recordings.noise(3 * RATE, 0.1).expand(1, 2, -1)
    frames = torch.rand(17, 64, 64, 3)
    read.write_clip(tmp_path / "a.mp4", frames, 25.0, sound, RATE)
    read.write_wav(tmp_path / "a.wav", sound, RATE)
    for name in ("a.mp4", "a.wav"):
        again, rate = read.read_sound(tmp_path / name)
        assert rate == RATE and again.shape == sound.shape
        assert (again - sound).abs().max() < 1.5 / 2**15
    assert read.read_frames(tmp_path / "a.mp4", 0.0, 17, 25.0, 64, 64).shape == frames.shape


def test_sound_that_begins_later_stays_in_step(tmp_path):
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(clips.picture(number / 25, 64, 64), format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode())
        tone = np.full((1, RATE), 8000, dtype=np.int16)
        sound = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = RATE, RATE // 2, Fraction(1, RATE)
        container.mux(audio.encode(sound))
        container.mux(audio.encode())
    waveform, _ = read.read_sound(tmp_path / "a.mkv")
    assert waveform.shape[-1] == pytest.approx(1.5 * RATE, abs=32)
    assert (waveform[0, 0] != 0).to(torch.uint8).argmax().item() == pytest.approx(RATE / 2, abs=32)


@pytest.mark.parametrize("content", [b"", b"not a video", b"\0\0\0 ftypisom" + bytes(3000)])
def test_what_is_no_video(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    for look in (read.clip_info, read.read_sound, lambda path: read.read_frames(path, 0.0, 9, 25.0, 64, 64)):
        with pytest.raises(read.Unreadable):
            look(tmp_path / "a.mp4")


def test_the_latent_is_ltx_cores(checkpoint):
    vae = vaes.video_vae(checkpoint)
    host_vae = importlib.import_module("idlora_pack.nodes.host.vae")
    frames = torch.rand(17, 64, 64, 3, generator=torch.Generator().manual_seed(0))
    loader = SafetensorsModelStateDictLoader()
    configurator: Any = VideoEncoderConfigurator
    encoder = configurator.from_config(loader.metadata(str(checkpoint)))
    weights = loader.load([str(checkpoint)], sd_ops=VAE_ENCODER_COMFY_KEYS_FILTER, device=torch.device("cpu"))
    encoder.load_state_dict({name: weight.float() for name, weight in weights.sd.items()}, strict=True)
    with torch.no_grad():
        expected = encoder.eval()((2 * frames - 1).movedim(-1, 0)[None])
        latent = host_vae.encode_frames(vae, frames)
    assert (
        latent.shape == expected.shape and ((latent - expected).norm() / expected.norm()).item() < 2e-6
    )  # measured: 8.4e-7
