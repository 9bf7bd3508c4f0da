"""Two listening pages: preference of one of two clips (A/B), and a mark for each clip (MOS).

    listening/ab/index.html, listening/mos/index.html     what listeners get: folders that can be put on any server
    listening-key.json                                     which clip is which; stays here

Blind: the clips have random names and no metadata, the pages hold no setting, and the order of the clips and which
one stands left follow from the listener's own name.
"""

import json
import random
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..report import script_json
from ..store import Store
from .analysis import placed
from .question import Question
from .strip import strip_file

FOLDER, KEY = "listening", "listening-key.json"
PAGES = Path(__file__).resolve().parent / "pages"
MOST_TRIALS = 40  # twenty minutes of clips; more tires
MOS_ASK = "How natural is the clip?"
NAME_BYTES = 8
Place = tuple[int, int, int]  # case, seed, setting


@dataclass(frozen=True)
class Clip:
    """A clip that is done, and where it is."""

    place: Place
    file: Path
    voice: str


def write(question: Question, store: Store) -> Path:
    """Make both pages of the clips that are there; the folder. Made again, they get new names and a new key.

    Raises:
        ValueError: too few clips for a page.
    """
    clips = {place: Clip(place, file, voice) for place, file, voice in _done(question, store)}
    folder = store.folder / FOLDER
    if folder.exists():
        shutil.rmtree(folder)
    chance = random.Random(secrets.token_bytes(16))
    ab, ab_key = _ab(question, clips, folder / "ab", chance)
    mos, mos_key = _mos(question, clips, folder / "mos", chance)
    if not ab["trials"]:
        shutil.rmtree(folder)
        raise ValueError(
            "No two clips of a case and seed are there yet; listening pages need clips to compare."
        )
    _write_page(folder / "ab", "ab.html", ab)
    _write_page(folder / "mos", "mos.html", mos)
    key = {"question": question.title, "base": question.base, "ab": ab_key, "mos": mos_key}
    store.write(KEY, iter([json.dumps(key, indent=1).encode()]))
    return folder


def _done(question: Question, store: Store):
    for place, line in placed(question, store):
        file = store.folder / line["clip"]
        if line["status"] == "ok" and file.is_file():
            yield place, file, str(question.cases[place[0]].get("voice", ""))


def _ab(
    question: Question, clips: dict, folder: Path, chance: random.Random
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Each setting against the base, for the same case and seed."""
    base = [setting.name for setting in question.settings].index(question.base)
    pairs = [
        (clip, clips[case, seed, base])
        for (case, seed, setting), clip in clips.items()
        if setting != base and (case, seed, base) in clips
    ]
    trials, key = [], {}
    for pair in _sample(pairs, chance):
        names = [_put(clip, folder, key, question) for clip in pair]
        chance.shuffle(names)  # else the source would say which one is the base
        trials.append({"id": secrets.token_hex(NAME_BYTES), "clips": names})
    return _page(question.ask, trials), key


def _mos(
    question: Question, clips: dict, folder: Path, chance: random.Random
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Each clip alone; all settings of a case and seed, or none."""
    places: dict[tuple[int, int], list[Clip]] = {}
    for (case, seed, _), clip in clips.items():
        places.setdefault((case, seed), []).append(clip)
    whole = [group for group in places.values() if len(group) == len(question.settings)]
    groups = _sample(whole, chance, max(1, MOST_TRIALS // len(question.settings)))
    key: dict[str, Any] = {}
    trials = [
        {"id": secrets.token_hex(NAME_BYTES), "clips": [_put(clip, folder, key, question)]}
        for group in groups
        for clip in group
    ]
    chance.shuffle(trials)
    return _page(MOS_ASK, trials), key


def _sample(items: list, chance: random.Random, most: int = MOST_TRIALS) -> list:
    return chance.sample(items, min(most, len(items)))


def _put(clip: Clip, folder: Path, key: dict[str, Any], question: Question) -> str:
    """Put a clip into a page's folder under a name that says nothing; the name."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{secrets.token_hex(NAME_BYTES)}.mp4"
    strip_file(clip.file, folder / name)
    case, seed, setting = clip.place
    key[name] = {"case": case, "seed": seed, "setting": question.settings[setting].name}
    return name


def _page(ask: str, trials: list[dict[str, Any]]) -> dict[str, Any]:
    return {"page": secrets.token_hex(NAME_BYTES), "ask": ask, "trials": trials}


def _write_page(folder: Path, template: str, data: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shared = (PAGES / "shared.js").read_text(encoding="utf-8")
    text = (PAGES / template).read_text(encoding="utf-8")
    text = text.replace("{{shared}}", shared).replace("{{data}}", script_json(data))
    (folder / "index.html").write_text(text, encoding="utf-8")
