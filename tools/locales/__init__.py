"""Translations of the nodes, drawn from one catalogue a language.

A catalogue (`fr.json`, `zh.json`) has, by the English text, the translation: `names` of nodes, inputs and outputs, and
`texts` of descriptions and tooltips. A text that several nodes share is there once, and one whose English has changed
is no longer found, so that no translation outlives what it translates. What ComfyUI reads, `locales/<language>/
nodeDefs.json`, is drawn from a running host's node definitions:

    python3 dev.py locales

English has a file too: its texts are the nodes' own, and its names are labels that people read in place of the ids of
inputs. `en.json` has those that are more than the id without its underscores.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dev_setup.versions import ROOT

ENGLISH = "en"
LANGUAGES = (ENGLISH, "fr", "zh")
FOLDER = ROOT / "locales"
CATALOGUES = Path(__file__).parent
OWN_PREFIX = "LTXIDLoRA_"
UNTRANSLATED = ("audioUI",)  # the player: it has a picture, no words

Definitions = Mapping[str, Mapping[str, Any]]


@dataclass
class Catalogue:
    """The translations of one language, and which English texts were asked for."""

    names: Mapping[str, str]
    texts: Mapping[str, str]
    missing: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def name(self, english: str) -> str:
        return self._look_up(self.names, english)

    def text(self, english: str) -> str:
        return self._look_up(self.texts, english)

    def unused(self) -> set[str]:
        return {*self.names, *self.texts} - self.used

    def _look_up(self, table: Mapping[str, str], english: str) -> str:
        self.used.add(english)
        if english not in table:
            self.missing.add(english)
        return table.get(english, english)


class EnglishCatalogue(Catalogue):
    """Labels for ids; everything else is English already."""

    def name(self, english: str) -> str:
        self.used.add(english)
        return self.names.get(english, english.replace("_", " "))

    def text(self, english: str) -> str:
        return english


def read_catalogue(language: str) -> Catalogue:
    if language == ENGLISH:
        names = json.loads((CATALOGUES / "en.json").read_text(encoding="utf-8"))["names"]
        return EnglishCatalogue(names, {})
    entries = json.loads((CATALOGUES / f"{language}.json").read_text(encoding="utf-8"))
    return Catalogue(entries["names"], entries["texts"])


def draw(catalogue: Catalogue, definitions: Definitions) -> dict[str, Any]:
    """The content of `nodeDefs.json` for this pack's nodes.

    Args:
        catalogue: is told what was asked of it: `missing` and `unused()` are right afterwards.
        definitions: a host's /object_info.
    """
    own = sorted(name for name in definitions if name.startswith(OWN_PREFIX))
    return {name: _draw_node(catalogue, definitions[name]) for name in own}


def _draw_node(catalogue: Catalogue, info: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "display_name": catalogue.name(info["display_name"]),
        "description": catalogue.text(info["description"]),
        "inputs": {
            name.replace(".", "_"): _draw_slot(
                catalogue, name.rpartition(".")[2], tooltip
            )  # the frontend's keys
            for name, tooltip in _inputs(info["input"])
        },
        "outputs": {
            str(slot): _draw_slot(catalogue, name, tooltip)
            for slot, (name, tooltip) in enumerate(_outputs(info))
        },
    }


def _draw_slot(catalogue: Catalogue, name: str, tooltip: str | None) -> dict[str, str]:
    slot = {"name": catalogue.name(name)}
    return {**slot, "tooltip": catalogue.text(tooltip)} if tooltip else slot


def _inputs(sections: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str | None]]:
    """Names and tooltips; what a choice of a dynamic combo brings has the combo's name before its own."""
    for section in ("required", "optional"):
        for name, (kind, *options) in sections.get(section, {}).items():
            if name not in UNTRANSLATED:
                yield prefix + name, options[0].get("tooltip") if options else None
            if kind == "COMFY_DYNAMICCOMBO_V3":
                for choice in options[0]["options"]:
                    yield from _inputs(choice["inputs"], f"{prefix}{name}.")


def _outputs(info: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    names = info["output_name"]
    yield from zip(names, info.get("output_tooltips") or [None] * len(names), strict=True)


def file(language: str) -> Path:
    return FOLDER / language / "nodeDefs.json"


def write(definitions: Definitions) -> dict[str, set[str]]:
    """Write every language's file.

    Returns:
        language -> English texts that its catalogue lacks; they stay English in the file.
    """
    missing = {}
    for language in LANGUAGES:
        catalogue = read_catalogue(language)
        content = json.dumps(draw(catalogue, definitions), indent=1, ensure_ascii=False)
        file(language).parent.mkdir(parents=True, exist_ok=True)
        file(language).write_text(content + "\n", encoding="utf-8")
        missing[language] = catalogue.missing
    return missing
