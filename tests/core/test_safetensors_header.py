"""Safetensors headers: damaged, hostile and foreign files are refused in one sentence, and nothing else happens."""

import json
import pickle
import struct
import time
import zipfile

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bed.sentences import assert_one_sentence
from idlora_core.lora.files import read_lora
from idlora_core.lora.safetensors_header import read_header

FIRST = "diffusion_model.transformer_blocks.0.audio_attn1.to_q"


def raw(header: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def entry(**changes) -> bytes:
    return json.dumps({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes}).encode()


TWO_FLOATS = bytes(8)
DAMAGED = "is damaged or not a .safetensors file"
BAD_FILES = [
    ("lora.pt", b"", "lora.pt is a pickle file, and pickle files can run code; get the .safetensors"),
    ("lora.ckpt", b"", "pickle files can run code"),
    ("lora.bin", raw(b"{}"), "pickle files can run code"),
    ("lora.gguf", b"GGUF", "not a .safetensors file; choose the .safetensors"),
    ("x.safetensors", pickle.dumps({"a": [1] * 50}), "pickle file by its content; pickle files can run code"),
    ("x.safetensors", b"PK\x03\x04" + bytes(100), "pickle file by its content"),
    ("x.safetensors", b"", "x.safetensors is truncated or empty (0 bytes); download it again"),
    ("x.safetensors", b"\x10\x00\x00", "truncated or empty (3 bytes); download it again"),
    ("x.safetensors", raw(b"{}", length=2**60), "truncated or empty (10 bytes)"),
    ("x.safetensors", raw(b"{}", length=500), "truncated or empty (10 bytes)"),
    (
        "x.safetensors",
        raw(b"{}".ljust(16_000_001)),
        "has a header of 16000001 bytes, more than any LoRA needs",
    ),
    ("x.safetensors", raw(b""), DAMAGED),
    ("x.safetensors", raw(b"<html>404</html>"), DAMAGED),
    ("x.safetensors", raw(b"\xff\xfe{}"), DAMAGED),
    ("x.safetensors", raw(b"[" * 100_000), DAMAGED),
    ("x.safetensors", raw(b"[]"), DAMAGED),
    ("x.safetensors", raw(b'{"x": NaN}'), DAMAGED),
    ("x.safetensors", raw(b'{"x": 1, "x": 2}'), DAMAGED),
    ("x.safetensors", raw(b'{"__metadata__": {"a": 1}}'), DAMAGED),
    ("x.safetensors", raw(b'{"__metadata__": ""}'), DAMAGED),
    ("x.safetensors", raw(b'{"__metadata__": []}'), DAMAGED),
    ("x.safetensors", raw(b'{"__metadata__": false}'), DAMAGED),
    (
        "x.safetensors",
        raw(b'{"\\ud800": {"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', TWO_FLOATS),
        DAMAGED,
    ),
    ("x.safetensors", raw(entry(shape=[True, 2]), TWO_FLOATS), DAMAGED),
    ("x.safetensors", raw(entry(shape=[-2]), TWO_FLOATS), DAMAGED),
    ("x.safetensors", raw(entry(shape=[2**62] * 10_000), TWO_FLOATS), DAMAGED),
    ("x.safetensors", raw(entry(data_offsets=[0]), TWO_FLOATS), DAMAGED),
    ("x.safetensors", raw(entry(data_offsets=[8, 0]), TWO_FLOATS), DAMAGED),
    ("x.safetensors", raw(entry(shape=[3]), TWO_FLOATS), DAMAGED),
    ("x.safetensors", raw(entry(dtype="Q4"), TWO_FLOATS), DAMAGED),
    ("x.safetensors", raw(entry(data_offsets=[4, 12]), bytes(12)), DAMAGED),
    ("x.safetensors", raw(entry()), DAMAGED),
    ("x.safetensors", raw(entry(), bytes(9)), DAMAGED),
    ("x.safetensors", raw(entry(), TWO_FLOATS), "holds no LoRA"),
    ("x.safetensors", raw(b"{}"), "holds no LoRA"),
]


@pytest.mark.parametrize(("name", "content", "words"), BAD_FILES)
def test_bad_files_are_refused_in_one_sentence(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    start = time.process_time()
    with pytest.raises(ValueError) as refusal:
        read_lora(path)
    assert time.process_time() - start < 1
    assert_one_sentence(str(refusal.value), words, name)


def test_a_torch_file_under_the_wrong_name_is_a_pickle(tmp_path):
    torch.save({"a": torch.zeros(2)}, tmp_path / "x.safetensors")
    assert zipfile.is_zipfile(tmp_path / "x.safetensors")
    with pytest.raises(ValueError, match="pickle file by its content"):
        read_lora(tmp_path / "x.safetensors")


def many_tensors(count: int, name: str) -> bytes:
    empty = {"dtype": "F32", "shape": [0, 0], "data_offsets": [0, 0]}
    return raw(json.dumps({name.format(n): empty for n in range(count)}).encode())


OVERSIZED = {
    "a_million_short_names": many_tensors(150_000, "b.{}.lora_A.weight"),
    "a_long_name": many_tensors(1, "model." * 800_000 + "{}.lora_A.weight"),
    "many_long_names": many_tensors(15_000, "model." * 80 + "{}.lora_A.weight"),
    "long_metadata": raw(json.dumps({"__metadata__": {"a": "x" * 15_000_000}}).encode()),
}


@pytest.mark.parametrize("content", OVERSIZED.values(), ids=OVERSIZED)
def test_no_file_holds_the_host_for_more_than_a_second(tmp_path, content):
    (tmp_path / "x.safetensors").write_bytes(content)
    start = time.process_time()
    with pytest.raises(ValueError):
        read_lora(tmp_path / "x.safetensors")
    assert time.process_time() - start < 1


def test_a_file_whose_tensors_would_not_fit_in_memory_is_read(tmp_path):
    """2^30 x 32 floats are a hole of 128 GB on the disk; nothing of it is read or mapped."""
    rows = {"dtype": "F32", "shape": [2**30, 32], "data_offsets": [0, 2**37]}
    header = raw(json.dumps({"x.lora_A.weight": rows}).encode())
    with (tmp_path / "x.safetensors").open("wb") as file:
        file.write(header)
        file.truncate(len(header) + 2**37)
    assert read_header(tmp_path / "x.safetensors").tensors["x.lora_A.weight"].shape == (2**30, 32)


def test_a_name_that_is_not_utf8_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "voice\udcff.safetensors"
    path.write_bytes(VALID)
    with pytest.raises(
        ValueError, match=r"voice\\udcff.safetensors has a name or a folder that is not UTF-8"
    ):
        read_lora(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match=r"^There is no file gone\.safetensors; choose a LoRA that is in models/loras"
    ):
        read_lora(tmp_path / "gone.safetensors")


def test_a_header_whose_length_looks_like_a_pickle_is_read(tmp_path):
    for length in (0x80, 0x4B50):  # the low byte 0x80, and "PK"
        (tmp_path / "x.safetensors").write_bytes(raw(b"{}".ljust(length)))
        assert read_header(tmp_path / "x.safetensors").tensors == {}


VALID = raw(
    json.dumps(
        {
            "__metadata__": {"format": "pt"},
            f"{FIRST}.lora_A.weight": {"dtype": "F32", "shape": [2, 4], "data_offsets": [0, 32]},
            f"{FIRST}.lora_B.weight": {"dtype": "F32", "shape": [4, 2], "data_offsets": [32, 64]},
            f"{FIRST}.alpha": {"dtype": "F32", "shape": [], "data_offsets": [64, 68]},
        }
    ).encode(),
    struct.pack("<17f", *[1.0] * 17),
)


@given(cut=st.integers(0, len(VALID) - 1))
def test_any_truncation_is_refused(tmp_path_factory, cut):
    path = tmp_path_factory.getbasetemp() / "cut.safetensors"
    path.write_bytes(VALID[:cut])
    with pytest.raises(ValueError):
        read_lora(path)


@given(
    flips=st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), min_size=1, max_size=6),
    extra=st.binary(max_size=4),
)
def test_damage_raises_nothing_but_value_error(tmp_path_factory, flips, extra):
    damaged = bytearray(VALID + extra)
    for position, value in flips:
        damaged[position] = value
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    path.write_bytes(damaged)
    try:
        read_lora(path)
    except ValueError as refusal:
        assert "\n" not in str(refusal)
