"""Word errors with a real recogniser, loaded as a user's folder is: by the pack, through the host's transformers."""

import importlib
import re

import pytest

from bed import in_process, recordings
from idlora_core.takes.words import word_errors

WORDS = 71


@pytest.fixture(scope="session")
def pack(comfy_tree, tmp_path_factory):
    in_process.import_host(comfy_tree, tmp_path_factory.mktemp("in_process"))
    return in_process.import_pack()


@pytest.fixture(scope="module")
def models(pack, assets):
    """The pack's lookup of model files, with the folder of the real ones in place of the user's."""
    import folder_paths

    models = importlib.import_module(f"{pack.__name__}.nodes.host.metric_models")
    folder_paths.folder_names_and_paths[models.FOLDER] = ([str(assets / "metrics")], set())
    yield models
    folder_paths.folder_names_and_paths.pop(models.FOLDER)


@pytest.fixture(scope="module")
def sentences(assets):
    """Five sentences of one reader: recording and text."""
    folder = assets / "read" / "austen"
    lines = (folder / "transcription").read_text(encoding="utf-8").splitlines()
    found = [re.fullmatch(r"<s> (.*) </s> \((.*)\)", line.strip()) for line in lines]
    return [(recordings.read(folder / f"{match[2]}.wav"), match[1]) for match in found if match]


def test_the_folder_is_found_by_what_it_holds(models):
    assert models.choices("words") == ["first found", "off", "moonshine-tiny"]
    assert models.choices("voice") == ["first found", "off", "pretrained.pt"]


def test_words_of_five_sentences(models, sentences, record_property):
    listener = models.recogniser("first found")
    heard = [listener.heard(*sound) for sound, _ in sentences]
    errors = [word_errors(text, transcript) for (_, text), transcript in zip(sentences, heard, strict=True)]
    wrong, total = (sum(values) for values in zip(*errors, strict=True))
    record_property("words", (wrong, total))
    print(*heard, f"{wrong} of {total} words wrong: {100 * wrong / total:.1f} %", sep="\n")
    assert total == WORDS and wrong / total <= 0.03


def test_the_encoder_is_loaded_as_a_users(models, sentences):
    encoder = models.voice_encoder("first found")
    (first, rate), (second, _) = sentences[0][0], sentences[2][0]
    assert encoder.embed(first, rate).similarity(encoder.embed(second, rate)) > 0.7
    assert encoder is models.voice_encoder("pretrained.pt")
