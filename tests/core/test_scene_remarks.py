"""What is said about a scene before it is rendered."""

from dataclasses import replace

import pytest
import torch

from idlora_core.families import LTX_2, LTX_2_3
from idlora_core.reference import Reference
from idlora_core.region import PLACES, Box
from idlora_core.scene import Member, Scene
from idlora_core.scene_remarks import check_regions, scene_remarks
from idlora_core.script import lines_of, parse_script, speakers_of
from idlora_core.turns import spread

VOICE = Reference(torch.zeros(1, 8, 20, 16))
ANNA, BEN = Member("Anna", VOICE, PLACES["left"]), Member("Ben", VOICE, PLACES["right"])


def remarks(script, *members, frames=121):
    entries = parse_script(script)
    names = [member.name for member in members]
    turns = spread(entries, [speakers_of(line, names) for line in lines_of(entries)], frames / 25)
    return scene_remarks(Scene(members, turns), entries, frames, 25.0)


def test_nothing_is_said_where_all_is_well():
    assert remarks("ANNA: Did you hear that?\nBEN: Hear what?", ANNA, BEN) == []


LONG = "Did you hear that noise down in the old cellar just now, after midnight?"


def test_too_long_says_by_how_much_and_what_to_set():
    (said,) = remarks(f"ANNA: {LONG}\nBEN: {LONG}", ANNA, BEN)
    assert "the clip has 4.8 s" in said and "set length to" in said
    length = int(said.split("set length to ")[1].split()[0])
    assert remarks(f"ANNA: {LONG}\nBEN: {LONG}", ANNA, BEN, frames=length) == []


def test_a_line_that_overruns_its_time():
    assert remarks(f"[0-1] ANNA: {LONG}\nBEN: Yes.", ANNA, BEN, frames=201)[0].endswith(
        "spoken in the next voice."
    )


@pytest.mark.parametrize(
    "script, said",
    [
        ("[0-0.4] ANNA: Oh.\nBEN: Hear what?", "'ANNA: Oh.' has 0.40 s, too short"),
        ("ANNA + BEN: Run!", "'ANNA + BEN: Run!' is spoken by several at once"),
        ("[0-3] ANNA: Run!\n[1-4] BEN: No!", "'BEN: No!' is spoken by several at once"),
        ("ANNA: Run!", "Ben never speaks."),
    ],
)
def test_turns_and_cast(script, said):
    assert any(said in remark for remark in remarks(script, ANNA, BEN))


def test_a_speaker_without_a_voice():
    assert remarks("ANNA: Hi.\nBEN: Hi.", ANNA, replace(BEN, voice=None)) == [
        "Ben has no voice of their own: the model makes one up."
    ]


def test_voices_of_two_model_families():
    old, new = replace(VOICE, audio_vae=LTX_2), replace(VOICE, audio_vae=LTX_2_3)
    (said,) = remarks("ANNA: Hi.\nBEN: Hi.", replace(ANNA, voice=old), replace(BEN, voice=new))
    assert "(Anna: LTX-2, Ben: LTX-2.3)" in said
    assert remarks("ANNA: Hi.\nBEN: Hi.", replace(ANNA, voice=new), BEN) == []


def test_regions():
    wide, small = Box(0.25, 0, 1, 1), torch.zeros(256, 256)
    small[:20, :20] = 1
    (overlap,) = remarks("ANNA: Hi.\nBEN: Hi.", ANNA, replace(BEN, region=wide))
    assert "overlap by 50 %" in overlap
    (tiny,) = remarks("ANNA: Hi.\nBEN: Hi.", replace(ANNA, region=small), BEN)
    assert "smaller than one token" in tiny


def test_masks_of_another_picture():
    one, other = replace(ANNA, region=torch.ones(64, 96)), replace(BEN, region=torch.ones(64, 64))
    check_regions([one, replace(BEN, region=torch.ones(64, 96))], (96, 64))
    with pytest.raises(ValueError, match="Anna is 96x64 and the picture 512x512"):
        check_regions([one], (512, 512))
    with pytest.raises(ValueError, match="different sizes \\(Anna's 96x64, Ben's 64x64\\)"):
        check_regions([one, other])
