"""web/js/speech.js and idlora_core/speech_length.py are one formula: the same table through both."""

import json
import subprocess
import unicodedata

import pytest
from playwright._impl._driver import compute_driver_executable

from dev_setup.versions import ROOT
from idlora_core.frames import length_for
from idlora_core.speech_length import (
    CHARACTERS_PER_SECOND,
    OTHER_SCRIPTS,
    speech_fit,
    speech_seconds,
    words_fit,
)

SCRIPT = ROOT / "web" / "js" / "speech.js"
ASK = """
import {{ readFileSync }} from "node:fs"
import * as speech from {module}
const cases = JSON.parse(readFileSync(0, "utf-8"))
console.log(JSON.stringify(cases.map(([name, ...args]) => speech[name](...args))))
"""
TEXTS = [
    "",
    "   ",
    "Hello!",
    "Hello! I am only a drawing, but today I can speak.",
    "(laughs) Good morning, everyone [waves]. How are you?",
    "Wait... what?! - No; never: 'tis 42, isn't it?",
    "Le cœur a ses raisons, que la raison ne connaît point. Déjà vu ?",
    "Доброе утро! Как дела?",
    "Καλημέρα, τι κάνεις;",
    "안녕하세요, 반갑습니다.",
    "你好，世界。今天天气很好！",
    "こんにちは、ラーメンを 2 杯ください。",
    "สวัสดีครับ วันนี้อากาศดี",
    "صباح الخير، كيف حالك؟",
    "ﬁnally ①②③ ＡＢＣ １２３",
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen",
    "你好" * 40,
    "a" * 400,
    "👋🏽 hi",
]
CLIPS = [(0, 25.0), (9, 25.0), (25, 25.0), (57, 24.0), (121, 25.0), (121, 29.97), (9, 4.0), (497, 25.0)]
# Letters whose names do not say their script: turned and Roman ones of Latin; three marks beside Chinese characters.
KNOWN = {0x1D2F, 0x1D3B, 0x1D4E, 0x2132, 0x214E, 0x2183, 0x2184, 0x10780, 0x3006, 0x303B, 0x16FE3}


def in_javascript(cases):
    node, _ = compute_driver_executable()
    source = ASK.format(module=json.dumps(SCRIPT.as_uri()))
    command = [node, "--input-type=module", "--eval", source]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_letter_takes_the_same_time():
    letters = [
        character
        for character in map(chr, [*range(0xD800), *range(0xE000, 0x20000)])
        if unicodedata.normalize("NFKC", character) == character
    ]
    seconds = in_javascript([("speechSeconds", letter) for letter in letters])
    different = {
        ord(letter)
        for letter, theirs in zip(letters, seconds, strict=True)
        # What a newer Unicode has, which one of the two does not know yet, is no letter there.
        if abs(theirs - speech_seconds(letter)) > 1e-12 and theirs and speech_seconds(letter)
    }
    assert different <= KNOWN
    assert sum(1 for second in seconds if second) > 50_000


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_the_same_sentence(text):
    answers = in_javascript([("speechFit", text, *clip) for clip in CLIPS])
    assert [answer["text"] for answer in answers] == [speech_fit(text, *clip) for clip in CLIPS]
    assert [not answer["isTooLong"] for answer in answers] == [words_fit(text, *clip) for clip in CLIPS]
    for (_, frame_rate), answer in zip(CLIPS, answers, strict=True):
        if answer.get("seconds"):
            assert words_fit(text, length_for(answer["seconds"], frame_rate), frame_rate)


def test_the_same_lengths():
    cases = [
        (tenths / 10, rate) for tenths in range(1, 400, 7) for rate in (12.0, 23.976, 24.0, 25.0, 29.97, 60.0)
    ]
    assert in_javascript([("lengthFor", *case) for case in cases]) == [length_for(*case) for case in cases]


def test_the_same_rates():
    source = SCRIPT.read_text(encoding="utf-8")
    for script, rate in {**CHARACTERS_PER_SECOND, "OTHER": OTHER_SCRIPTS}.items():
        assert f"{script}: {rate}" in source
