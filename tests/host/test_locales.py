"""The translations against the live host: every node, input and tooltip, none left over, none that breaks the page."""

import json

import pytest

from support.host_process import PACK_NAME
from tools.locales import LANGUAGES, draw, file, read_catalogue

SYNTAX_OF_THE_FRONTEND = "{}@|"  # interpolation, links and plurals of vue-i18n
SCRIPTS = {"en": "", "fr": "éèàê", "zh": "的为是"}


@pytest.fixture(scope="module")
def definitions(host):
    return host.object_info()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_no_translation_is_left_over(definitions, language):
    catalogue = read_catalogue(language)
    draw(catalogue, definitions)
    assert not catalogue.missing, f"Translate these in tools/locales/{language}.json"
    assert not catalogue.unused(), f"Nothing asks for these in tools/locales/{language}.json"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_is_drawn_from_the_catalogue(definitions, language):
    shipped = json.loads(file(language).read_text(encoding="utf-8"))
    assert shipped == draw(read_catalogue(language), definitions), "Regenerate it: python3 dev.py locales"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_host_serves_the_translations(host, language):
    served = host.get("/api/i18n")[language]["nodeDefs"]
    shipped = json.loads(file(language).read_text(encoding="utf-8"))
    assert {name: served[name] for name in shipped} == shipped


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_hold_no_syntax_of_the_frontend_and_are_of_the_language(language):
    catalogue = read_catalogue(language)
    texts = [*catalogue.names.values(), *catalogue.texts.values()]
    assert not [text for text in texts if set(text) & set(SYNTAX_OF_THE_FRONTEND)]
    assert all(letter in "".join(texts) for letter in SCRIPTS[language])


def test_every_input_and_node_explains_itself(definitions):
    for name, info in definitions.items():
        if not name.startswith("LTXIDLoRA_"):
            continue
        assert info["description"]
        inputs = {**info["input"].get("required", {}), **info["input"].get("optional", {})}
        silent = [
            key
            for key, (_, *options) in inputs.items()
            if key != "audioUI" and not (options and options[0].get("tooltip"))
        ]
        assert not silent, f"{PACK_NAME}: {name} has inputs without a tooltip: {silent}"
