"""Small costs around the sampling: start of the host, the reference, the header of a LoRA file, clip length."""

import contextlib
import io
import json
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import comfy.sd
import torch

from dev_setup import environment
from idlora_core.lora.files import read_lora
from support import small_models

from .memory import peak_bytes
from .setting import REAL_CONFIG

IMPORTS = """
import sys, tempfile, time
from pathlib import Path
from support import in_process
in_process.import_host(Path(sys.argv[1]), Path(tempfile.mkdtemp()))
import execution, nodes, server
import comfy_extras.nodes_lt, comfy_extras.nodes_lt_audio, comfy_extras.nodes_custom_sampler
start = time.perf_counter()
in_process.import_pack()
print("seconds:", time.perf_counter() - start)
"""
REAL_AUDIO_VAE = {"ch": 128, "num_res_blocks": 2}
SECONDS_OF_SPEECH, SAMPLE_RATE = 5, 44_100
LORA_BLOCKS, LORA_TARGETS, LORA_RANK, LORA_WIDTH = 48, 18, 128, 2600
REPEATS = 3


def import_ms(tree: Path) -> float:
    """What this pack adds to the start of a host that has loaded its own modules; median of fresh processes."""
    command = [sys.executable, "-c", IMPORTS, str(tree)]
    times = []
    for _ in range(REPEATS):
        printed = subprocess.run(
            command, env=environment.variables(), capture_output=True, text=True, check=True
        ).stdout
        times.append(float(printed.rsplit("seconds:", 1)[1]) * 1000)
    return statistics.median(times)


def encode_reference(host_vae, prepare_waveform) -> tuple[float, float]:
    """Seconds and MiB of Encode Reference Audio for 5 s of sound, on an audio VAE of the real widths."""
    config = json.loads(REAL_CONFIG.read_text(encoding="utf-8"))
    config["audio_vae"]["model"]["params"]["ddconfig"] |= REAL_AUDIO_VAE
    names = {"audio_vae.": "autoencoder.", "vocoder.": "vocoder."}
    weights = {_renamed(key, names): value for key, value in small_models.audio_vae(config).items()}
    vae = comfy.sd.VAE(sd=weights, metadata={"config": json.dumps(config)})
    noise = torch.randn(1, 2, SECONDS_OF_SPEECH * SAMPLE_RATE, generator=torch.Generator().manual_seed(0))

    def encode() -> None:
        waveform = prepare_waveform(noise * 0.1, SAMPLE_RATE, host_vae.audio_grid(vae).sample_rate)
        host_vae.encode_reference(vae, waveform)

    encode()
    seconds = min(_seconds(encode) for _ in range(REPEATS))
    return seconds, peak_bytes(encode, torch.device("cpu")) / 2**20


def header_ms() -> float:
    """Load ID-LoRA's check of a file of the official layout, 1.15 GB, of which only the header is written."""
    with tempfile.TemporaryDirectory() as folder:
        path = _official_file(Path(folder) / "lora.safetensors")
        return min(_seconds(lambda: read_lora(path)) for _ in range(REPEATS)) * 1000


def _official_file(path: Path) -> Path:
    entries, position = {}, 0
    for block in range(LORA_BLOCKS):
        for target in range(LORA_TARGETS):
            for half, shape in (("A", [LORA_RANK, LORA_WIDTH]), ("B", [LORA_WIDTH, LORA_RANK])):
                name = f"diffusion_model.transformer_blocks.{block}.audio_attn1.x{target}.lora_{half}.weight"
                end = position + 2 * LORA_RANK * LORA_WIDTH
                entries[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [position, end]}
                position = end
    text = json.dumps(entries).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + position)
    return path


def _renamed(key: str, names: dict[str, str]) -> str:
    prefix = next(prefix for prefix in names if key.startswith(prefix))
    return names[prefix] + key.removeprefix(prefix)


def _seconds(call) -> float:
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        call()
    return time.perf_counter() - start
