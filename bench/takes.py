"""What a take costs to be scored, and a voice on file to be loaded; on the CPU, whatever the model runs on."""

import importlib
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from idlora_core.consent import Consent
from idlora_core.reference import Reference
from idlora_core.takes.measures import measure_take
from idlora_core.takes.voice_encoder import VoiceEncoder
from idlora_core.voice_file import Voice, read_voice, write_voice
from support import in_process, recordings
from tools.media import VOICE, VOICE_LINE

SECONDS, LATENTS = 5, 125
REPEATS = 5


def scoring_a_take() -> tuple[float, float]:
    """Seconds for the measures that need no model, and for the voice encoder, of 5 s beside a reference of 5 s."""
    waveform, rate = recordings.read(VOICE)
    sound = waveform[..., : SECONDS * rate]
    encoder = VoiceEncoder().eval()  # its time does not depend on its weights
    return (
        _median(lambda: measure_take(sound, rate, VOICE_LINE, (sound, rate))),
        _median(lambda: encoder.embed(sound, rate)),
    )


def loading_a_voice() -> tuple[float, int]:
    """Seconds to read a voice of 5 s with its recording, and the bytes of the file."""
    flac = importlib.import_module(f"{in_process.PACK}.nodes.host.flac")
    waveform, rate = recordings.read(VOICE)
    recording = flac.encode_flac(waveform[..., : SECONDS * rate], rate)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "Ada.safetensors"
        write_voice(
            Voice("Ada", Reference(torch.randn(1, 8, LATENTS, 16)), recording, consent=Consent("Ada")), path
        )
        return _median(lambda: flac.decode_flac(read_voice(path).flac)), path.stat().st_size


def _median(call: Callable[[], object]) -> float:
    times = []
    call()
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
