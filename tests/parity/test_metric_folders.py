"""Transformers folders that measure a take, small and random, as the host's transformers writes and loads them."""

import json
from typing import Any

import folder_paths
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import (
    Wav2Vec2FeatureExtractor,
    WavLMConfig,
    WavLMForXVector,
    WavLMModel,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizerFast,  # pyright: ignore[reportAttributeAccessIssue]  found when it is asked for
)

from idlora_pack.nodes.host import metric_models
from support import recordings
from tools.media import VOICE

WAVLM = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "conv_dim": [8, 8],
    "conv_kernel": [10, 8],
    "conv_stride": [5, 8],
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
    "tdnn_dim": [16, 16],
    "tdnn_kernel": [5, 1],
    "tdnn_dilation": [1, 1],
    "xvector_output_dim": 12,
}
WHISPER = {
    "vocab_size": 8,
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16,
    "num_mel_bins": 80,
    "max_target_positions": 16,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "decoder_start_token_id": 1,
    "suppress_tokens": [],
    "begin_suppress_tokens": [],
}


@pytest.fixture
def folder(tmp_path):
    """The metrics folder, with nothing in it."""
    folder_paths.folder_names_and_paths[metric_models.FOLDER] = ([str(tmp_path)], set())
    yield tmp_path
    folder_paths.folder_names_and_paths.pop(metric_models.FOLDER)
    metric_models._loaded.cache_clear()


@pytest.fixture(scope="module")
def voice():
    return recordings.read(VOICE)


def write_wavlm(folder, kind):
    torch.manual_seed(0)
    kind(WavLMConfig(**WAVLM)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)


def write_whisper(folder):
    torch.manual_seed(0)
    WhisperForConditionalGeneration(WhisperConfig(**WHISPER)).save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)
    words = ["<pad>", "<|startoftranscript|>", "<|endoftext|>", "hello", "there", "voice", "a", "b"]
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="a"))
    tokenizer.pre_tokenizer = Whitespace()
    WhisperTokenizerFast(tokenizer_object=tokenizer, unk_token="a").save_pretrained(folder)


def test_a_speaker_verification_folder_compares_voices(folder, voice):
    write_wavlm(folder / "wavlm-sv", WavLMForXVector)
    encoder: Any = metric_models.voice_encoder("wavlm-sv")
    waveform, rate = voice
    embedding = encoder.embed(waveform, rate)
    assert embedding.vector.shape == (12,) and embedding.encoder == "wavlm-sv"
    assert embedding.similarity(encoder.embed(waveform * 0.1, rate)) == pytest.approx(1, abs=0.01)
    with pytest.raises(ValueError, match="silent"):
        encoder.embed(torch.zeros_like(waveform), rate)


def test_a_folder_without_a_speaker_head_is_refused(folder):
    write_wavlm(folder / "wavlm-base", WavLMModel)
    with pytest.raises(ValueError, match="wavlm-base has no speaker head") as refused:
        metric_models.voice_encoder("wavlm-base")
    assert "would be random" in str(refused.value) and "\n" not in str(refused.value)


def test_a_whisper_folder_writes_down_what_it_hears(folder, voice):
    write_whisper(folder / "whisper-small")
    listener: Any = metric_models.recogniser("first found")
    assert listener.name == "whisper-small" and isinstance(listener.heard(*voice), str)


@pytest.mark.parametrize("lacking", ["model.safetensors", "preprocessor_config.json", "tokenizer.json"])
def test_a_folder_that_lacks_a_file_is_refused_by_its_name(folder, lacking):
    write_whisper(folder / "whisper-small")
    (folder / "whisper-small" / lacking).unlink()
    with pytest.raises(
        ValueError, match="whisper-small (could not be loaded|lacks tokenizer.json)"
    ) as refused:
        metric_models.recogniser("whisper-small")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "config", ["{", "[]", json.dumps({"model_type": "bert"}), json.dumps({"model_type": []})]
)
def test_a_folder_of_another_kind_is_not_listed(folder, config):
    (folder / "other").mkdir()
    (folder / "other" / "config.json").write_text(config)
    assert metric_models.choices("words") == metric_models.choices("voice") == ["first found", "off"]


@pytest.mark.parametrize("content", [b"", b"\x80\x02}q\x00.", b"\xff" * 200, b"PK\x03\x04" + bytes(100)])
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_damaged_file_is_one_sentence(folder, content, suffix):
    (folder / f"bad{suffix}").write_bytes(content)
    with pytest.raises(ValueError, match=f"bad{suffix} is not") as refused:
        metric_models.voice_encoder("first found")
    assert "\n" not in str(refused.value) and str(refused.value).endswith(".")
