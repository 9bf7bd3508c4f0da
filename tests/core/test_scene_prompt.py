"""The prompt of a script."""

import pytest

from idlora_core.prompt import format_prompt, scene_prompt
from idlora_core.script import lines_of, parse_script

SCRIPT = """ANNA: Did you hear that?
BEN (whispering): Hear "what"?
ANNA + BEN: Run!"""
NAMES = [("Anna",), ("Ben",), ("Anna", "Ben")]
LOOKS = {"Anna": "the woman on the left", "Ben": "the man in red. ", "Cat": ""}


def prompt(script=SCRIPT, names=NAMES, visual="A  cellar.", sounds="Dripping water."):
    return scene_prompt(visual, lines_of(parse_script(script)), names, LOOKS, sounds)


def test_it_says_who_is_who_and_who_says_what():
    assert prompt().text == (
        "[VISUAL]: A cellar. Anna is the woman on the left. Ben is the man in red."
        ' [SPEECH]: Anna says: "Did you hear that?" Ben says, whispering: "Hear \'what\'?" Anna and Ben say: "Run!"'
        " [SOUNDS]: Dripping water."
    )


@pytest.mark.parametrize("sounds", ["Dripping water.", "", " [SOUNDS]: a  trap "])
@pytest.mark.parametrize("visual", ["A cellar.", "", 'Anna says: "Did you hear that?"'])
def test_spans_are_those_of_the_lines(visual, sounds):
    written = prompt(visual=visual, sounds=sounds)
    assert [written.text[slice(*span)] for span in written.lines] == [
        'Anna says: "Did you hear that?"',
        "Ben says, whispering: \"Hear 'what'?\"",
        'Anna and Ben say: "Run!"',
    ]
    assert written.lines[0][0] > written.text.index("[SPEECH]: ")


def test_one_name_is_the_prompt_that_id_lora_was_trained_on():
    written = prompt("ANNA: One.\n(pause 1)\n[3] anna (softly): Two.", [("Anna",), ("Anna",)])
    assert written.text == format_prompt("A cellar.", "One. (softly) Two.", "Dripping water.")
    assert written.lines == ()
