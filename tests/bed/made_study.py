"""A finished study without a render: clips that are mp4 files in their boxes only, with settings in their metadata."""

import json
import struct
from pathlib import Path

from idlora_batch import run
from idlora_batch.store import Store
from idlora_batch.study.question import Question, Setting

SECRET = "warp factor nine"


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def clip(number: int, text: str = SECRET) -> bytes:
    """An mp4 whose boxes are where ComfyUI's are: the graph in moov/udta, a manifest in a uuid box."""
    tags = box(b"meta", b"\0\0\0\0" + box(b"ilst", json.dumps({"prompt": text}).encode()))
    moov = box(
        b"moov", box(b"mvhd", bytes(100)) + box(b"trak", box(b"udta", text.encode())) + box(b"udta", tags)
    )
    return box(b"ftyp", b"isomiso2") + box(b"uuid", text.encode()) + moov + box(b"mdat", bytes([number]) * 64)


def question(cases: int = 3, seeds: tuple[int, ...] = (1, 2)) -> Question:
    settings = (Setting("plain base", {"speed": "exact"}), Setting("warp drive", {"speed": "fast"}))
    made = tuple({"speech": f"Line {case}.", "voice": "ann.wav"} for case in range(cases))
    return Question(
        "Is warp audible?", "About warp.", "small.json", seeds, "plain base", "Which one?", settings, made
    )


def finished(folder: Path, asked: Question, name: str = "") -> Store:
    """A store with a clip and scores for each row of the question."""
    store = Store(folder)
    store.prepare()
    lines = []
    for row, (case, seed, setting) in zip(asked.rows(), asked.cells(), strict=True):
        key = f"{row.number:040x}"
        shown = {"number": row.number, "variant": row.variant, "cells": row.cells, "name": name, "key": key}
        lines.append(json.dumps(shown).encode() + b"\n")
        part = store.part(key)
        part.write_bytes(clip(row.number))
        record = {"key": key, "status": "ok", "ended": 1.0, "seconds": 1.0, "attempt": 1, "worker": "w"}
        record |= {"scores": {"speech_share": 0.5 + 0.1 * setting + 0.01 * case + 0.001 * seed}}
        store.commit(record, part)
    store.write("table.jsonl", iter(lines))
    run.finish(store)
    return store
