"""Word errors with a real recogniser, loaded as a user's folder is: by the pack, through the host's transformers."""

import re
from typing import Any

import folder_paths
import pytest

from idlora_core.takes.words import word_errors
from idlora_pack.nodes.host import metric_models
from support import recordings

WORDS = 71


@pytest.fixture(scope="module", autouse=True)
def real_models(assets):
    """The folder of the real ones in place of the user's."""
    folder_paths.folder_names_and_paths[metric_models.FOLDER] = ([str(assets / "metrics")], set())
    yield
    folder_paths.folder_names_and_paths.pop(metric_models.FOLDER)
    metric_models._loaded.cache_clear()  # before the host's modules are gone, which a model's end needs


@pytest.fixture(scope="module")
def sentences(assets):
    """Five sentences of one reader: recording and text."""
    folder = assets / "read" / "austen"
    lines = (folder / "transcription").read_text(encoding="utf-8").splitlines()
    found = [re.fullmatch(r"<s> (.*) </s> \((.*)\)", line.strip()) for line in lines]
    return [(recordings.read(folder / f"{match[2]}.wav"), match[1]) for match in found if match]


def test_the_folder_is_found_by_what_it_holds():
    assert metric_models.choices("words") == ["first found", "off", "moonshine-tiny"]
    assert metric_models.choices("voice") == ["first found", "off", "pretrained.pt"]


def test_words_of_five_sentences(sentences, record_property):
    listener: Any = metric_models.recogniser("first found")
    heard = [listener.heard(*sound) for sound, _ in sentences]
    errors = [word_errors(text, transcript) for (_, text), transcript in zip(sentences, heard, strict=True)]
    wrong, total = (sum(values) for values in zip(*errors, strict=True))
    record_property("words", (wrong, total))
    print(*heard, f"{wrong} of {total} words wrong: {100 * wrong / total:.1f} %", sep="\n")
    assert total == WORDS and wrong / total <= 0.03


def test_the_encoder_is_loaded_as_a_users(sentences):
    encoder: Any = metric_models.voice_encoder("first found")
    (first, rate), (second, _) = sentences[0][0], sentences[2][0]
    assert encoder.embed(first, rate).similarity(encoder.embed(second, rate)) > 0.7
    assert encoder is metric_models.voice_encoder("pretrained.pt")
