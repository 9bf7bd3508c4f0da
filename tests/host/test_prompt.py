"""ID-LoRA Prompt in the running host: the same prompt whatever the clip, and a line on the words' length."""

import pytest

PARTS = {
    "visual": "A woman.",
    "speech": "Good morning, everyone. I am glad that you are here today, and that there is time for a talk.",
    "sounds": "A quiet room.",
}
PROMPT = f"[VISUAL]: {PARTS['visual']} [SPEECH]: {PARTS['speech']} [SOUNDS]: {PARTS['sounds']}"


def graph(**inputs):
    return {
        "length": {"class_type": "PrimitiveInt", "inputs": {"value": 121}},
        "frame_rate": {"class_type": "PrimitiveFloat", "inputs": {"value": 24.0}},
        "prompt": {"class_type": "LTXIDLoRA_Prompt", "inputs": {**PARTS, **inputs}},
        "show": {"class_type": "PreviewAny", "inputs": {"source": ["prompt", 0]}},
    }


@pytest.fixture
def told(host):
    """Run a prompt; the text, and what the log tells since."""

    def run(**inputs):
        before = len(host.log_text())
        entry = host.run(graph(**inputs))
        return entry["outputs"]["show"]["text"][0], host.log_text()[before:]

    return run


@pytest.mark.parametrize(
    ("inputs", "line"),
    [
        ({"frame_rate": 24.0}, "about 5.9 s of speech"),
        ({"length": 0}, "about 5.9 s of speech"),
        ({"length": 201}, "about 5.9 s of speech, the clip has 8.0 s"),
        (
            {"length": ["length", 0]},
            "The line needs about 5.9 s, the clip has 4.8 s: what does not fit is cut."
            " Shorten it to about 14 words or set length to 153.",
        ),
        ({"length": ["length", 0], "frame_rate": ["frame_rate", 0]}, "the clip has 5.0 s: what does not fit"),
    ],
)
def test_the_words_are_measured_and_the_prompt_is_the_same(told, inputs, line):
    text, log = told(**inputs)
    assert text == PROMPT
    assert line in log


def test_without_words_nothing_is_spoken(told):
    text, log = told(speech=" ", length=121)
    assert text == "[VISUAL]: A woman. [SOUNDS]: A quiet room."
    assert "Nothing is spoken." in log
