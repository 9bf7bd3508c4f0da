"""A voice kept in a file: one safetensors file with the encoded reference, the recording and the consent.

    tensors    latent     (1, 8, T, 16) float32, the encoded reference, bit for bit
               audio      (N,) uint8, the bytes of a FLAC file, 16 kHz
               embedding  (D,) float32, of a speaker encoder
    metadata   format, version, name, language, created, consent (JSON),
               sample_rate, hop_length, mel_frames_per_latent, gap_seconds, vae_family, vae_fingerprint, encoder

A file has a latent or a recording, or both. It may come from anyone: sizes, names, types and shapes are checked
against the header before a tensor is read.
"""

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from .consent import Consent, consent_from_json
from .families import FAMILIES, UNKNOWN
from .positions import MAX_GAP_SECONDS, AudioGrid
from .reference import Reference
from .voice.waveform import SAMPLE_RATES_HZ
from .voice_embedding import VoiceEmbedding
from .whole_files import flush_to_disk, publish, temporary_file

FORMAT, VERSION = "idlora.voice", "1"
SUFFIX = ".safetensors"

MAX_FILE_BYTES = 16_000_000
MAX_HEADER_BYTES = 64_000
MAX_LATENTS = 1_500  # a minute; references are 3-5 s
MAX_AUDIO_BYTES = 12_000_000
MAX_EMBEDDING = 4_096
MAX_NAME = 80
MAX_SHORT_TEXT = 200
LATENT_CHANNELS, LATENT_BINS = 8, 16
FORBIDDEN_IN_NAMES = frozenset('<>:"/\\|?*')
RESERVED_NAMES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))]
)


@dataclass(frozen=True)
class Voice:
    """A voice as it is kept.

    Attributes:
        name: what it is called; also the file's name.
        reference: as it was encoded, with the fingerprint of the VAE that made it; None = a recording only.
        flac: bytes of a FLAC file with what was encoded; empty = left out.
        language: of the recording, as its speaker would name it. created: YYYY-MM-DD.
    """

    name: str
    reference: Reference | None = None
    flac: bytes = b""
    embedding: VoiceEmbedding | None = None
    language: str = ""
    created: str = ""
    consent: Consent = field(default_factory=Consent)


def checked_name(name: str) -> str:
    """A voice's name, fit to be a file's name on every system.

    Raises:
        ValueError: empty, too long, or with characters that file names cannot have.
    """
    name = name.strip()
    if not name:
        raise ValueError("The voice has no name. Give it one: it is what Load Voice lists.")
    if len(name) > MAX_NAME:
        raise ValueError(f"The voice's name has {len(name)} characters; at most {MAX_NAME} can be used.")
    bad = sorted({c for c in name if c in FORBIDDEN_IN_NAMES or not c.isprintable()})
    if bad or name.startswith(".") or name.endswith(".") or name.split(".")[0].lower() in RESERVED_NAMES:
        reason = f"it holds {' '.join(map(repr, bad))}" if bad else "it is not a file name on every system"
        raise ValueError(f"The voice's name cannot be {name!r}: {reason}. Use letters, digits and spaces.")
    return name


def write_voice(voice: Voice, path: Path, replace: bool = False) -> None:
    """Write a voice so that nobody ever sees a part of the file.

    Args:
        path: ends in `.safetensors`; its folder is made where it is missing.
        replace: a file that is there already gives way to the new one.

    Raises:
        ValueError: there is such a file already and `replace` is False, or the voice is not one that
            `read_voice` would take.
        OSError: the folder cannot be written.
    """
    tensors, metadata = _content(voice)
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary_file(path.parent) as part:
        part.write_bytes(save(tensors, metadata))
        flush_to_disk(part)
        _read_checked(part, path.name)
        if replace:
            os.replace(part, path)
        elif not publish(part, path):
            raise ValueError(
                f"There is a voice {path.name} already. Choose another name, or let if_exists replace it."
            )


def read_voice(path: Path) -> Voice:
    """A voice from its file.

    Raises:
        ValueError: not a voice file, damaged, or larger or of other shapes than a voice can be.
    """
    if path.suffix.lower() != SUFFIX:
        _refuse(path.name, f"its name does not end in {SUFFIX}")
    if not path.is_file():
        raise ValueError(f"There is no voice {path.name}. Refresh the list, or save the voice again.")
    return _read_checked(path, path.name)


def _content(voice: Voice) -> tuple[dict[str, Tensor], dict[str, str]]:
    if not _is_short(voice.language):
        raise ValueError(
            f"The voice's language is a text of {len(voice.language)} characters: name it in at most"
            f" {MAX_SHORT_TEXT}, without control characters."
        )
    tensors: dict[str, Tensor] = {}
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "name": voice.name,
        "language": voice.language,
        "created": voice.created,
        "consent": voice.consent.as_json(),
    }
    if voice.reference is not None:
        grid = voice.reference.grid
        tensors["latent"] = voice.reference.latent.detach().to("cpu", torch.float32).contiguous()
        gap = grid.seconds_per_latent if voice.reference.gap_seconds is None else voice.reference.gap_seconds
        metadata |= {key: str(getattr(grid, key)) for key in AudioGrid.__dataclass_fields__}
        metadata |= {
            "gap_seconds": repr(float(gap)),
            "vae_family": voice.reference.audio_vae.name,
            "vae_fingerprint": voice.reference.vae_fingerprint,
        }
    if voice.flac:
        tensors["audio"] = torch.frombuffer(bytearray(voice.flac), dtype=torch.uint8)
    if voice.embedding is not None:
        tensors["embedding"] = voice.embedding.vector.detach().to("cpu", torch.float32).contiguous()
        metadata["encoder"] = voice.embedding.encoder
    return tensors, metadata


def _read_checked(path: Path, name: str) -> Voice:
    """The voice in `path`; errors call it `name`."""
    _check_size(path, name)
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            _check_tensors(name, {key: file.get_slice(key) for key in file.keys()})  # noqa: SIM118  not a dict
            fields = _texts(name, metadata)
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        _refuse(name, f"damaged or not a safetensors file ({str(error)[:120]})")
    except OSError as error:
        _refuse(name, f"it cannot be read ({error.strerror})")
    return _voice(name, fields, tensors)


def _check_size(path: Path, name: str) -> None:
    """Before anything is parsed: the file, and the header that it claims to have."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_FILE_BYTES:
            _refuse(name, f"it has {size} bytes, and a voice has at most {MAX_FILE_BYTES}")
        start = file.read(8)
    if len(start) < 8:
        _refuse(name, f"it has {len(start)} bytes")
    header = int.from_bytes(start, "little")
    if header > min(MAX_HEADER_BYTES, size - 8):
        most = f"at most {MAX_HEADER_BYTES}" if header > MAX_HEADER_BYTES else f"the file only {size}"
        _refuse(name, f"its header claims {header} bytes, and a voice's has {most}")


def _check_tensors(name: str, tensors: dict) -> None:
    """Names, types and shapes, from the header alone."""
    if not {"latent", "audio"} & tensors.keys():
        _refuse(name, "it holds neither an encoded voice nor a recording")
    for key, info in tensors.items():
        shape, dtype = info.get_shape(), info.get_dtype()
        if key not in _FITS:
            _refuse(name, f"it holds a tensor {key[:40]!r}")
        wanted, fits = _FITS[key]
        if dtype != wanted or not fits(shape):
            _refuse(name, f"its {key} is {dtype} of shape {tuple(shape)}")


_FITS = {
    "latent": (
        "F32",
        lambda s: (
            len(s) == 4
            and (s[0], s[1], s[3]) == (1, LATENT_CHANNELS, LATENT_BINS)
            and 1 <= s[2] <= MAX_LATENTS
        ),
    ),
    "audio": ("U8", lambda s: len(s) == 1 and 1 <= s[0] <= MAX_AUDIO_BYTES),
    "embedding": ("F32", lambda s: len(s) == 1 and 1 <= s[0] <= MAX_EMBEDDING),
}


def _texts(name: str, metadata: dict[str, str]) -> dict[str, str]:
    if metadata.get("format") != FORMAT:
        _refuse(name, "it is not a voice file of this pack")
    if metadata.get("version") != VERSION:
        version = metadata.get("version", "")[:20]
        _refuse(name, f"it is of version {version!r}, and this pack reads {VERSION}: update the pack")
    for key, text in metadata.items():
        if key != "consent" and not _is_short(text):
            _refuse(name, f"its {key[:40]!r} is not a short text")
    return metadata


def _is_short(text: str) -> bool:
    return len(text) <= MAX_SHORT_TEXT and text.isprintable()


def _voice(name: str, fields: dict[str, str], tensors: dict[str, Tensor]) -> Voice:
    for key in ("latent", "embedding"):
        if key in tensors and not torch.isfinite(tensors[key]).all():
            _refuse(name, f"its {key} holds values that are not numbers (NaN or Inf)")
    try:
        consent = consent_from_json(fields.get("consent", ""))
    except ValueError as error:
        _refuse(name, str(error).rstrip("."))
    embedding = None
    if "embedding" in tensors:
        embedding = VoiceEmbedding(tensors["embedding"], fields.get("encoder", ""))
    reference = _reference(name, fields, tensors["latent"], embedding) if "latent" in tensors else None
    return Voice(
        name=fields.get("name", ""),
        reference=reference,
        flac=tensors["audio"].numpy().tobytes() if "audio" in tensors else b"",
        embedding=embedding,
        language=fields.get("language", ""),
        created=fields.get("created", ""),
        consent=consent,
    )


def _reference(
    name: str, fields: dict[str, str], latent: Tensor, embedding: VoiceEmbedding | None
) -> Reference:
    try:
        grid = AudioGrid(**{key: int(fields[key]) for key in AudioGrid.__dataclass_fields__})
        gap_seconds = float(fields["gap_seconds"])
    except (KeyError, ValueError) as error:
        _refuse(name, f"its time grid is missing or not numbers ({str(error)[:60]})")
    lowest, highest = SAMPLE_RATES_HZ
    is_grid = lowest <= grid.sample_rate <= highest and grid.hop_length > 0 and grid.mel_frames_per_latent > 0
    if not is_grid or not 0.001 <= grid.seconds_per_latent <= 1:
        _refuse(name, f"its time grid cannot be ({grid})")
    if not (math.isfinite(gap_seconds) and 0 < gap_seconds <= MAX_GAP_SECONDS):
        _refuse(name, f"its gap of {gap_seconds} s is not within 0 to {MAX_GAP_SECONDS:g} s")
    family = next((each for each in FAMILIES if each.name == fields.get("vae_family")), UNKNOWN)
    return Reference(latent, grid, gap_seconds, family, fields.get("vae_fingerprint", ""), embedding)


def _refuse(name: str, reason: str) -> NoReturn:
    raise ValueError(
        f"{name[:MAX_NAME]} is not a voice that can be loaded: {reason}. Save the voice again, or get the file again."
    )
