"""The reference latent of a real recording against ltx-core's encoder on the same weights, and the host's own route."""

import wave
from typing import Any

import pytest
import torch
import torchaudio
from comfy_extras.nodes_lt_audio import LTXVAudioVAEEncode
from ltx_core.loader.sft_loader import SafetensorsModelStateDictLoader
from ltx_core.model.audio_vae import encode_audio
from ltx_core.model.audio_vae.model_configurator import (
    AUDIO_VAE_ENCODER_COMFY_KEYS_FILTER,
    AudioEncoderConfigurator,
)
from ltx_core.model.audio_vae.ops import PerChannelStatistics
from ltx_core.types import Audio

from idlora_core.voice.waveform import leading_silence
from support import vaes

LATENT_FEATURES = 128
HOST_SAMPLE_RATE, HOST_BLOCK = 44_100, 4096

# name: sample rate, channels
RECORDINGS = {
    "16 kHz mono, as recorded": (16_000, 1),
    "16 kHz stereo": (16_000, 2),
    "22.05 kHz mono": (22_050, 1),
    "44.1 kHz stereo": (44_100, 2),
    "48 kHz stereo": (48_000, 2),
}


@pytest.fixture(scope="module")
def audio_vae(checkpoint):
    return vaes.audio_vae(checkpoint)


@pytest.fixture(scope="session")
def ltx_core_encoder(checkpoint):
    """Lightricks' encoder with the weights of the same file."""
    loader = SafetensorsModelStateDictLoader()
    configurator: Any = AudioEncoderConfigurator
    encoder = configurator.from_config(loader.metadata(str(checkpoint)))
    encoder.per_channel_statistics = PerChannelStatistics(LATENT_FEATURES)
    weights = loader.load(
        [str(checkpoint)], sd_ops=AUDIO_VAE_ENCODER_COMFY_KEYS_FILTER, device=torch.device("cpu")
    )
    encoder.load_state_dict({name: weight.float() for name, weight in weights.sd.items()}, strict=True)
    return encoder.eval()


@pytest.fixture(params=RECORDINGS.values(), ids=list(RECORDINGS))
def recording(request, recorded_speech) -> dict:
    """The recorded sentence as an AUDIO of the host, at another rate, its second channel another room's."""
    sample_rate, channels = request.param
    speech, recorded_rate = read_wav(recorded_speech)
    speech = torchaudio.functional.resample(speech, recorded_rate, sample_rate)
    sides = [speech, 0.7 * speech.roll(sample_rate // 1000, dims=-1)][:channels]
    return {"waveform": torch.cat(sides)[None], "sample_rate": sample_rate}


def read_wav(path) -> tuple[torch.Tensor, int]:
    """16-bit mono: (1, N) in [-1, 1] and the rate in Hz."""
    with wave.open(str(path)) as file:
        samples = torch.frombuffer(bytearray(file.readframes(file.getnframes())), dtype=torch.int16)
        return samples[None] / 2**15, file.getframerate()


def ours(recording: dict, audio_vae, max_seconds: float = 5.0) -> torch.Tensor:
    """What Encode Reference Audio makes of an AUDIO from its start, with nothing left out."""
    node = vaes.node("reference", "EncodeReferenceAudio")
    plain = {"selection": "from the start", "shorten_pauses": False}
    return node.execute(recording, audio_vae, max_seconds, **plain).args[0].latent


def theirs(encoder, recording: dict, max_seconds: float = 5.0) -> torch.Tensor:
    """The same seconds of the recording through ltx-core."""
    audio = Audio(waveform=spoken_part(recording, max_seconds), sampling_rate=recording["sample_rate"])
    with torch.no_grad():
        return encode_audio(audio, encoder)


def spoken_part(recording: dict, max_seconds: float) -> torch.Tensor:
    """(1, 2, N) at the recording's rate: the first seconds from where speech begins."""
    waveform, sample_rate = recording["waveform"], recording["sample_rate"]
    start = leading_silence(waveform, sample_rate)
    return waveform[..., start : start + round(max_seconds * sample_rate)].expand(-1, 2, -1)


def relative_l2(a: torch.Tensor, b: torch.Tensor) -> float:
    return ((a - b).norm() / b.norm()).item()


@pytest.mark.parametrize("max_seconds", [1.0, 3.01, 5.0])
def test_equals_ltx_core(audio_vae, ltx_core_encoder, recording, max_seconds):
    latent = ours(recording, audio_vae, max_seconds)
    expected = theirs(ltx_core_encoder, recording, max_seconds)
    difference = relative_l2(latent, expected)
    print(f"{latent.shape[2]} latents, relative L2 {difference:.1e}")
    assert latent.shape == expected.shape and difference < 1e-6


@pytest.mark.parametrize("seconds", [1.0, 2.0, 3.0, 5.0])
def test_the_hosts_own_route_differs(audio_vae, ltx_core_encoder, recording, seconds):
    """It resamples through 44.1 kHz and crops to whole blocks: up to 93 ms are lost, half of it at the start."""
    spoken = {**recording, "waveform": spoken_part(recording, seconds)}
    host = LTXVAudioVAEEncode.execute(spoken, audio_vae).args[0]["samples"]
    expected = theirs(ltx_core_encoder, recording, seconds)
    milliseconds = lost_milliseconds(spoken)
    length = min(host.shape[2], expected.shape[2])
    difference = relative_l2(host[:, :, :length], expected[:, :, :length])
    print(
        f"host: {host.shape[2]} of {expected.shape[2]} latents, {milliseconds:.1f} ms lost,"
        f" relative L2 {difference:.2f} over those that are left"
    )
    assert difference > 0.01 and host.shape[2] < expected.shape[2]


def lost_milliseconds(audio: dict) -> float:
    """What the host's crop to whole blocks leaves out."""
    samples = audio["waveform"].shape[-1] / audio["sample_rate"] * HOST_SAMPLE_RATE
    return samples % HOST_BLOCK / HOST_SAMPLE_RATE * 1000


def test_two_channels_are_not_mixed(audio_vae, recorded_speech):
    speech, sample_rate = read_wav(recorded_speech)
    mono = {"waveform": speech[None], "sample_rate": sample_rate}
    sides = {"waveform": torch.cat([speech, speech.flip(-1)])[None], "sample_rate": sample_rate}
    assert relative_l2(ours(sides, audio_vae), ours(mono, audio_vae)) > 0.01
