"""ID-LoRA Prompt in the running host: the same prompt whatever the clip, and a line on the words' length."""

import pytest

from support.host_client import ExecutionFailed

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
        ({"frame_rate": 24.0}, "about 6.4 s of speech"),
        ({"length": 0}, "about 6.4 s of speech"),
        ({"length": 201}, "about 6.4 s of speech; the clip is 8.0 s long"),
        (
            {"length": ["length", 0]},
            "The line needs about 6.4 s and the clip is 4.8 s long: the rest will be cut off."
            " Shorten it to about 12 words or give the clip 6.4 s (161 frames).",
        ),
        ({"length": ["length", 0], "frame_rate": ["frame_rate", 0]}, "the clip is 5.0 s long: the rest will"),
    ],
)
def test_the_words_are_measured_and_the_prompt_is_the_same(told, inputs, line):
    text, log = told(**inputs)
    assert text == PROMPT
    assert line in log


@pytest.mark.parametrize("frame_rate", [0.0, -25.0, 1000.0])
def test_a_linked_frame_rate_that_is_none_is_refused_in_one_sentence(host, frame_rate):
    graphs = graph(length=121, frame_rate=["frame_rate", 0])
    graphs["frame_rate"]["inputs"]["value"] = frame_rate
    with pytest.raises(ExecutionFailed, match="frame_rate is .*; use 1 to 240 frames per second"):
        host.run(graphs)


def test_without_words_nothing_is_spoken(told):
    text, log = told(speech=" ", length=121)
    assert text == "[VISUAL]: A woman. [SOUNDS]: A quiet room."
    assert "The speech field is empty." in log
