"""Voice files that are broken somewhere: header, shapes, values, metadata, consent, the recording inside."""

import json
import random
import struct

import folder_paths
import pytest
import torch

from idlora_core.voice_file import read_voice
from idlora_pack.nodes.host.voice_folder import FOLDER
from support import recordings, vaes
from support.small_graph import CHECKPOINT
from tools.media import VOICE

NAME = "made up"
ODD = (
    "",
    " ",
    "0",
    "-1",
    "nan",
    "inf",
    "1e400",
    "9" * 300,
    "16000.5",
    "\ud800",
    "é\u202e語",
    "{",
    "[]",
    '{"by": 1}',
    "null",
)
SHAPES = (
    [1, 8, 0, 16],
    [1, 8, 2**40, 16],
    [8, 16],
    [],
    [1, 8, 25, 16, 1],
    [2, 8, 25, 16],
    [-1],
    [1, 16, 25, 8],
)
TYPES = ("F16", "BF16", "F64", "I32", "U8", "BOOL", "F8_E4M3", "X")
CONSENTS = (
    {"until": "2001-01-01"},
    {"until": "soon"},
    {"by": "x" * 300},
    {"statement": "a\x1b[2J"},
    {"by": "\ud800"},
    {"date": "2026-02-30"},
    {"unknown": "x"},
)


@pytest.fixture(scope="module")
def audio_vae(small_models):
    return vaes.audio_vae(small_models / "checkpoints" / CHECKPOINT)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setitem(folder_paths.folder_names_and_paths, FOLDER, ([str(tmp_path)], set()))
    folder_paths.filename_list_cache.pop(FOLDER, None)
    return tmp_path


@pytest.fixture
def good(folder, audio_vae):
    """Header and data of a file that loads."""
    waveform, sample_rate = recordings.read(VOICE)
    encode = vaes.node("reference", "EncodeReferenceAudio")
    reference, audio = encode.execute({"waveform": waveform, "sample_rate": sample_rate}, audio_vae, 1.0).args
    vaes.node("voices", "SaveVoice").execute(reference, "good", audio, consent_by="Ada")
    content = (folder / "good.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def change_entry(header: dict, chance: random.Random) -> None:
    entry = header[chance.choice(["latent", "audio"])]
    key = chance.choice(["dtype", "shape", "data_offsets"])
    entry[key] = chance.choice({"dtype": TYPES, "shape": SHAPES, "data_offsets": SHAPES}[key])


def change_metadata(header: dict, chance: random.Random) -> None:
    header["__metadata__"][chance.choice(list(header["__metadata__"]))] = chance.choice(ODD)


def change_consent(header: dict, chance: random.Random) -> None:
    header["__metadata__"]["consent"] = json.dumps(chance.choice(CONSENTS))


def leave_out(header: dict, chance: random.Random) -> None:
    place = chance.choice([header, header["__metadata__"]])
    del place[chance.choice(list(place))]


def add_tensor(header: dict, chance: random.Random) -> None:
    header[chance.choice(["weights", "embedding", "latent "])] = dict(header["latent"])


CHANGES = (change_entry, change_metadata, change_metadata, change_consent, leave_out, add_tensor)


def spoilt(content: bytes, chance: random.Random) -> bytes:
    """The same file cut off, with bytes changed, or with another header's length."""
    kind = chance.randrange(3)
    if kind == 0:
        return content[: chance.randrange(len(content))]
    if kind == 1:
        return struct.pack("<Q", chance.choice([0, 1, 2**24, 2**60, 2**64 - 1])) + content[8:]
    changed = bytearray(content)
    for _ in range(chance.randrange(1, 40)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def test_a_made_up_file(folder, good, audio_vae, case, chance, bounded, is_one_sentence):
    header, data = json.loads(json.dumps(good[0])), good[1]
    for _ in range(chance.choice([1, 1, 2, 4])):
        if header.get("__metadata__") and {"latent", "audio"} <= header.keys():
            chance.choice(CHANGES)(header, chance)
    text = json.dumps(header).encode("utf-8", "surrogatepass")
    content = struct.pack("<Q", len(text)) + text + data
    path = folder / f"{NAME}.safetensors"
    path.write_bytes(spoilt(content, chance) if chance.random() < 0.3 else content)
    try:
        with bounded():
            reference = (
                vaes.node("voices", "LoadVoice").execute(NAME, chance.choice([None, audio_vae])).args[0]
            )
    except ValueError as error:
        assert is_one_sentence(str(error)), str(error)
        assert "voice" in str(error).lower(), str(error)
    else:
        assert reference.latent.isfinite().all() and reference.bounds().isfinite().all()
        assert read_voice(path).consent.until == ""
    after = vaes.node("voices", "LoadVoice").execute("good").args[0]
    kept = read_voice(folder / "good.safetensors").reference
    assert kept is not None and torch.equal(after.latent, kept.latent)
