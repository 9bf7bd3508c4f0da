"""Voices on file: what is kept comes back bit for bit, hostile files are refused, no file is lost or half there."""

import json
import os
import struct
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from idlora_core.consent import Consent, consent_from_json
from idlora_core.credentials.manifest import checked_consent
from idlora_core.families import LTX_2_3, UNKNOWN
from idlora_core.positions import AudioGrid
from idlora_core.reference import Reference
from idlora_core.voice_embedding import VoiceEmbedding
from idlora_core.voice_file import Voice, checked_name, read_voice, write_voice
from support.sentences import assert_one_sentence

LATENT = torch.randn(1, 8, 125, 16, generator=torch.Generator().manual_seed(0))
GRID = {"sample_rate": "16000", "hop_length": "160", "mel_frames_per_latent": "4"}
METADATA = {"format": "idlora.voice", "version": "1", "name": "Ada", "gap_seconds": "0.04", **GRID}
CONSENT = Consent(
    "Ada L.", "2026-11-01", "product films", "2027-10-31", "You may use my voice for these films."
)
VOICE: Any = Voice(
    name="Ada",
    reference=Reference(LATENT, AudioGrid(), 0.08, LTX_2_3, "ab12"),
    flac=b"fLaC and so on",
    embedding=VoiceEmbedding(torch.randn(256), "an encoder"),
    language="English",
    created="2026-11-21",
    consent=CONSENT,
)


def test_a_voice_comes_back_bit_for_bit(tmp_path):
    path = tmp_path / "voices" / "Ada.safetensors"
    write_voice(VOICE, path)
    loaded: Any = read_voice(path)
    assert torch.equal(loaded.reference.latent, LATENT) and loaded.reference.latent.dtype == torch.float32
    assert torch.equal(loaded.reference.bounds(), VOICE.reference.bounds())
    assert (loaded.reference.grid, loaded.reference.gap_seconds) == (AudioGrid(), 0.08)
    assert (loaded.reference.audio_vae, loaded.reference.vae_fingerprint) == (LTX_2_3, "ab12")
    assert torch.equal(loaded.embedding.vector, VOICE.embedding.vector)
    assert torch.equal(loaded.reference.embedding.vector, VOICE.embedding.vector)
    others = ("name", "flac", "language", "created", "consent")
    assert [getattr(loaded, key) for key in others] == [getattr(VOICE, key) for key in others]
    assert [file.name for file in path.parent.iterdir()] == ["Ada.safetensors"]


def test_a_gap_as_trained_is_written_as_seconds(tmp_path):
    write_voice(replace(VOICE, reference=Reference(LATENT)), tmp_path / "Ada.safetensors")
    loaded: Any = read_voice(tmp_path / "Ada.safetensors")
    assert loaded.reference.gap_seconds == 0.04


def test_a_family_of_another_version_of_the_pack_is_unknown(tmp_path):
    path = tmp_path / "Ada.safetensors"
    save_file({"latent": LATENT}, path, {**METADATA, "vae_family": "LTX-3"})
    loaded: Any = read_voice(path)
    assert loaded.reference.audio_vae is UNKNOWN


def test_a_recording_alone_is_a_voice(tmp_path):
    write_voice(Voice("Ada", flac=b"fLaC"), tmp_path / "Ada.safetensors")
    loaded = read_voice(tmp_path / "Ada.safetensors")
    assert loaded.reference is None and loaded.flac == b"fLaC"


def test_a_voice_of_five_seconds_is_small(tmp_path):
    write_voice(replace(VOICE, flac=b""), tmp_path / "Ada.safetensors")
    assert (tmp_path / "Ada.safetensors").stat().st_size < 70_000


def test_another_voice_of_that_name_is_not_lost(tmp_path):
    path = tmp_path / "Ada.safetensors"
    write_voice(VOICE, path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="There is a voice Ada.safetensors already"):
        write_voice(replace(VOICE, language="French"), path)
    assert path.read_bytes() == before
    write_voice(replace(VOICE, language="French"), path, replace=True)
    assert read_voice(path).language == "French"
    assert [file.name for file in tmp_path.iterdir()] == ["Ada.safetensors"]


def test_nor_where_the_file_system_has_no_links(tmp_path, monkeypatch):
    def no_links(*_):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "Ada.safetensors"
    write_voice(VOICE, path)
    with pytest.raises(ValueError, match="already"):
        write_voice(VOICE, path)
    assert [file.name for file in tmp_path.iterdir()] == ["Ada.safetensors"]


def test_a_write_that_fails_leaves_nothing_and_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "Ada.safetensors"
    write_voice(VOICE, path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_voice(VOICE, path, replace=True)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["Ada.safetensors"]


def test_what_could_not_be_read_again_is_not_written(tmp_path):
    for latent in (LATENT[:, :4], torch.zeros(1, 8, 1501, 16), LATENT[0]):
        with pytest.raises(ValueError, match="Ada.safetensors is not a voice"):
            write_voice(replace(VOICE, reference=Reference(latent)), tmp_path / "Ada.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("language", ["x" * 201, "a\nb", "\ud800"])
def test_a_language_that_no_file_can_have_is_refused_by_its_name(tmp_path, language):
    with pytest.raises(ValueError, match="The voice's language is a text of"):
        write_voice(replace(VOICE, language=language), tmp_path / "Ada.safetensors")


def raw(header: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def header_of(shape, dtype="F32", key="latent", num_bytes=None, **metadata) -> bytes:
    num_bytes = 4 * torch.Size(shape).numel() if num_bytes is None else num_bytes
    entry = {"dtype": dtype, "shape": list(shape), "data_offsets": [0, num_bytes]}
    return json.dumps({"__metadata__": {**METADATA, **metadata}, key: entry}).encode()


ONE = (1, 8, 1, 16)
DATA = bytes(4 * 128)
HOSTILE = {
    "empty": (b"", "it has 0 bytes"),
    "three bytes": (b"\x10\0\0", "it has 3 bytes"),
    "header of 2 EB": (raw(b"{}", length=2**61), "its header claims 2305843009213693952 bytes"),
    "header of 2 GB": (raw(b"{}", length=2**31), "at most 64000"),
    "long header": (raw(b" " * 70_000), "at most 64000"),
    "header beyond the file": (raw(b"{}", length=900), "the file only 10"),
    "no JSON": (raw(b"<html>"), "damaged or not a safetensors file"),
    "deep JSON": (raw(b"[" * 60_000), "damaged or not a safetensors file"),
    "pickle": (b"\x80\x04\x95" + bytes(100), "header claims"),
    "truncated": (raw(header_of(ONE), DATA[:-1]), "damaged or not a safetensors file"),
    "more behind": (raw(header_of(ONE), DATA + b"x"), "damaged or not a safetensors file"),
    "offsets": (raw(header_of(ONE, num_bytes=2**40), DATA), "damaged or not a safetensors file"),
    "no latent": (raw(header_of(ONE, key="weights"), DATA), "neither an encoded voice nor a recording"),
    "bfloat16": (raw(header_of((1, 8, 2, 16), "BF16", num_bytes=512), DATA), "its latent is BF16"),
    "rank": (raw(header_of((128,)), DATA), "its latent is F32 of shape (128,)"),
    "no time": (raw(header_of((1, 8, 0, 16))), "of shape (1, 8, 0, 16)"),
    "channels": (raw(header_of((1, 16, 1, 8)), DATA), "of shape (1, 16, 1, 8)"),
    "an hour": (raw(header_of((1, 8, 25_000, 16)), bytes(25_000 * 512)), "of shape (1, 8, 25000, 16)"),
    "no voice": (raw(header_of(ONE, format="pt"), DATA), "not a voice file of this pack"),
    "from the future": (raw(header_of(ONE, version="2"), DATA), "this pack reads 1"),
    "no grid": (raw(header_of(ONE, hop_length="many"), DATA), "time grid is missing or not numbers"),
    "no rate": (raw(header_of(ONE, sample_rate="0"), DATA), "its time grid cannot be"),
    "no hop": (raw(header_of(ONE, hop_length="-160"), DATA), "its time grid cannot be"),
    "long grid": (raw(header_of(ONE, hop_length="9" * 5_000), DATA), "is not a short text"),
    "gap": (raw(header_of(ONE, gap_seconds="nan"), DATA), "its gap of nan s"),
    "gap before": (raw(header_of(ONE, gap_seconds="-1"), DATA), "its gap of -1.0 s"),
    "name": (raw(header_of(ONE, name="x" * 300), DATA), "its 'name' is not a short text"),
    "control characters": (raw(header_of(ONE, name="a\x1b[2J"), DATA), "its 'name' is not a short text"),
    "consent": (raw(header_of(ONE, consent="{"), DATA), "its consent is not valid JSON"),
    "consent list": (raw(header_of(ONE, consent="[]"), DATA), "its consent is not an object of texts"),
    "consent day": (raw(header_of(ONE, consent='{"until": "soon"}'), DATA), "'soon' is not a date"),
    "NaN": (raw(header_of(ONE), b"\xff\xff\xff\xff" + DATA[4:]), "values that are not numbers"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_one_sentence(tmp_path, name):
    content, words = HOSTILE[name]
    path = tmp_path / "evil.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError) as caught:
        read_voice(path)
    assert_one_sentence(str(caught.value), words, "evil.safetensors")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "evil.safetensors"
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse
    with pytest.raises(ValueError, match="it has 1099511627776 bytes, and a voice has at most 16000000"):
        read_voice(path)


def test_tensors_that_no_voice_has_are_refused(tmp_path):
    path = tmp_path / "evil.safetensors"
    save_file({"latent": LATENT, "more": torch.zeros(1)}, path, METADATA)
    with pytest.raises(ValueError, match="it holds a tensor 'more'"):
        read_voice(path)


def test_what_is_no_file_or_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match="There is no voice gone.safetensors"):
        read_voice(tmp_path / "gone.safetensors")
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(ValueError, match="There is no voice folder"):
        read_voice(tmp_path / "folder.safetensors")
    with pytest.raises(ValueError, match="does not end in .safetensors"):
        read_voice(tmp_path / "voice.pt")


@given(st.binary(max_size=300))
def test_noise_is_refused(tmp_path_factory, noise):
    path = tmp_path_factory.mktemp("noise") / "noise.safetensors"
    path.write_bytes(noise)
    with pytest.raises(ValueError, match="noise.safetensors is not a voice"):
        read_voice(path)


@given(st.integers(0, 600), st.integers(0, 255))
def test_a_changed_byte_of_the_header_is_refused_or_harmless(tmp_path_factory, place, value):
    folder = tmp_path_factory.mktemp("changed")
    write_voice(VOICE, folder / "Ada.safetensors")
    content = bytearray((folder / "Ada.safetensors").read_bytes())
    content[place] = value
    (folder / "Ada.safetensors").write_bytes(content)
    try:
        loaded = read_voice(folder / "Ada.safetensors")
    except ValueError:
        return
    assert loaded.reference is None or loaded.reference.latent.shape[1::2] == (8, 16)


@pytest.mark.parametrize("name", ["Ada", "Zoë 2", "小明", "a.b"])
def test_names_that_files_can_have(name):
    assert checked_name(f" {name} ") == name


@pytest.mark.parametrize(
    "name", ["", "  ", "../x", "a/b", "a\\b", "a:b", ".hidden", "nul", "COM1.x", "x" * 81, "a\nb", "a.", "\0"]
)
def test_names_that_they_cannot(name):
    with pytest.raises(ValueError, match="voice"):
        checked_name(name)


def test_consent_ends_after_its_last_day():
    assert not CONSENT.has_ended(date(2027, 10, 31)) and CONSENT.has_ended(date(2027, 11, 1))
    assert not Consent("Ada").has_ended(date(2999, 1, 1))


def test_consent_is_said_in_one_line():
    assert CONSENT.summary == "Consent by Ada L., on 2026-11-01, for product films, until 2027-10-31."
    assert Consent().summary == "No consent is recorded in this file."
    assert not Consent(until="2027-01-01").is_given


def test_consent_in_full_is_what_a_signed_clip_says():
    assert CONSENT.in_full == f'{CONSENT.summary} "You may use my voice for these films."'
    assert Consent("Ada").in_full == "Consent by Ada."
    assert Consent(until="2027-01-01").in_full == ""


def test_the_longest_consent_fits_a_signed_clip():
    longest = Consent("x" * 200, "2026-11-01", "x" * 500, "2027-10-31", "x" * 2000)
    assert checked_consent(longest.in_full) == longest.in_full


@pytest.mark.parametrize("text", ["\ud800", "a\x1b[2J", "a\0b"])
def test_consent_that_cannot_be_shown_is_refused(text):
    with pytest.raises(ValueError, match="characters that cannot be shown"):
        Consent(statement=text)
    with pytest.raises(ValueError, match="cannot be shown"):
        consent_from_json(json.dumps({"by": text}))
    assert Consent(statement="Line one.\nLine two.")


@pytest.mark.parametrize("text", ["2026-13-01", "tomorrow", "20261101", "2026-1-1"])
def test_a_date_is_a_date(text):
    with pytest.raises(ValueError, match="is not a date; write it as 2026-12-31"):
        Consent(until=text)


def test_consent_goes_through_json_and_unknown_fields_are_left_out():
    assert consent_from_json(CONSENT.as_json()) == CONSENT
    assert consent_from_json('{"by": "Ada", "colour": "blue"}') == Consent("Ada")
    assert consent_from_json("") == Consent()


def test_too_long_a_statement_is_refused():
    with pytest.raises(ValueError, match="2001 characters"):
        Consent(statement="x" * 2001)


def test_embeddings_of_two_encoders_are_not_compared():
    a, b = VoiceEmbedding(torch.ones(4), "one"), VoiceEmbedding(torch.ones(4), "two")
    assert a.similarity(a) == pytest.approx(1)
    with pytest.raises(ValueError, match="cannot be compared"):
        a.similarity(b)
