"""Errors, advice and the estimate of speech, where the user looks: toasts, and a line below the words while they are typed."""

import wave

import pytest

from idlora_core.speech_length import speech_fit
from tools.workflows.api_format import SMALL_VALUES
from tools.workflows.app import NAME as APP
from tools.workflows.files import FOLDER

FAST = FOLDER / "ID-LoRA Talking Head, fast lip sync.json"
TINY = {**SMALL_VALUES, "max_side": 64, "seconds": 0.3}
LONG_LINE = "one two three four five six seven eight nine ten"
TOO_LONG = "the rest will be cut off"
SILENT = "Reference audio is silent"
PROMPT, SAMPLER, VOICE = "ID-LoRA Prompt", "Identity-Guided KSampler", "Encode Reference Audio"


@pytest.fixture
def silence(studio):
    with wave.open(str(studio.input_dir / "silence.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(64_000))
    return "silence.wav"


@pytest.fixture
def fast(page, studio):
    studio.forget()
    page.drop_file(FAST)
    page.set_values({**TINY, "speech": LONG_LINE})
    return page


def test_advice_stays_over_a_cached_run_and_a_change_of_tab(fast):
    fast.wait_success(fast.run())
    fast.wait_toast(PROMPT, TOO_LONG)
    first = fast.toasts()
    fast.set_values({"seed": 42})
    entry = fast.wait_success(fast.run())
    assert "execution_cached" in [name for name, _ in entry["status"]["messages"]]
    fast.wait_toast(PROMPT, TOO_LONG)
    fast.wait_num_toasts(len(first))  # the old ones are gone
    fast.clear()
    fast.wait_toast(PROMPT, TOO_LONG)


def test_what_was_mended_is_not_said_again(fast):
    fast.wait_success(fast.run())
    fast.wait_toast(PROMPT, TOO_LONG)
    fast.set_values({"speech": "Hi"})
    fast.wait_success(fast.run())
    assert [sentence for title, sentence in fast.toasts() if title == PROMPT] == []


def test_an_error_is_shown_with_its_sentence_and_on_the_node(fast, silence):
    fast.set_values({"audio": silence})
    assert fast.wait_end(fast.run())["name"] == "execution_error"
    fast.wait_toast(VOICE, SILENT)
    shown = fast.page.evaluate("probe.statusOf('LTXIDLoRA_EncodeReferenceAudio')")
    assert shown.startswith("\N{WARNING SIGN} " + SILENT)


@pytest.mark.parametrize(
    ("values", "title", "words"),
    [
        ({"visual": " ", "speech": " ", "sounds": " "}, PROMPT, "The prompt is empty."),
        ({"width": 64}, "First-Frame Condition", "The size, width x height, is 64x0"),
    ],
)
def test_what_needs_no_model_is_refused_before_anything_runs(fast, studio, values, title, words):
    fast.set_values(values)
    before = len(studio.log_text())
    seen = fast.page.evaluate("probe.events.length")
    fast.see("queue-button").click()
    fast.wait_toast(title, words)
    fast.wait_end(seen)  # of the outputs that are left: the voice's
    assert "it/s]" not in studio.log_text()[before:]
    assert [sentence for name, sentence in fast.toasts() if name == title] and len(fast.toasts()) == 1


def test_the_app_says_it_too_from_inside_the_subgraph(page, studio, silence):
    studio.forget()
    page.drop_file(FOLDER / f"{APP}.json")
    page.set_values({"max_side": 64, "seconds": 0.3, "speech": LONG_LINE})
    page.wait_success(page.run_app())
    page.wait_toast(PROMPT, TOO_LONG)
    page.set_values({"audio": silence})
    assert page.wait_end(page.run_app())["name"] == "execution_error"
    page.wait_toast(VOICE, SILENT)


def test_while_words_are_typed_the_estimate_is_below_them(page):
    page.drop_file(FAST)
    page.set_values({"seconds": 1.0})
    assert page.type_speech(LONG_LINE) == speech_fit(LONG_LINE, 25, 25.0)
    page.press_hint()
    assert page.hint() == speech_fit(LONG_LINE, 81, 25.0)
    assert page.value("LTXIDLoRA_ClipLength", "seconds") == 3.0
    assert page.type_speech("Hi.") == speech_fit("Hi.", 81, 25.0)


def test_the_app_has_the_estimate_too(page):
    page.drop_file(FOLDER / f"{APP}.json")
    page.fill("Seconds", "1")
    words = page.field("What is said").locator("textarea")
    words.fill(LONG_LINE)
    assert TOO_LONG in page.hint()
    page.press_hint()
    assert page.hint() == speech_fit(LONG_LINE, 81, 25.0)
    assert page.field("Seconds").locator("input").first.input_value() == "3.0"
