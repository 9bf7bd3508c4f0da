"""Cast Member and Scene Script inside the test process: values, tokens of the lines, the picture, what is refused."""

import importlib
import importlib.util
import inspect
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from comfy.text_encoders.lt import LTXAVGemmaTokenizer
from PIL import ImageColor
from safetensors import safe_open

from idlora_core.prompt import scene_prompt
from idlora_core.reference import Reference
from idlora_core.region import Box
from idlora_core.scene import Member, Scene
from idlora_core.script import lines_of, parse_script
from idlora_core.turns import Turn
from idlora_core.written_scene import written_scene
from idlora_pack.nodes.cast_member import CastMember
from idlora_pack.nodes.host import line_tokens
from idlora_pack.nodes.pictures import timeline
from idlora_pack.nodes.sockets import FaceLandmarks

VOICE = Reference(torch.zeros(1, 8, 125, 16))
SCRIPT = "ANNA: Did you hear that?\nBEN (whispering): Hear what?\nANNA + BEN: Run!"
MASK = torch.ones(1, 64, 96)


@pytest.fixture(scope="module")
def tokeniser(small_models):
    """The host's tokeniser of LTX-2 with the small model's vocabulary, with the interface of a CLIP."""
    (path,) = (small_models / "text_encoders").glob("gemma*")
    with safe_open(path, "pt") as file:
        vocabulary = file.get_tensor("spiece_model")
    gemma = LTXAVGemmaTokenizer(tokenizer_data={"spiece_model": vocabulary})
    return SimpleNamespace(tokenize=gemma.tokenize_with_weights)


def member(**inputs):
    inputs = {"name": "Anna", "place": {"place": "anywhere"}, "look": "", **inputs}
    return CastMember.PREPARE_CLASS_CLONE(None).execute(**inputs).args[0]


def test_members_are_chained_in_order():
    cast = member(name=" Anna  Maria ", voice=VOICE, look="the woman", identity_strength=0.5)
    cast = member(name="Ben", region=MASK, place={"place": "left"}, cast=cast)
    assert [m.name for m in cast] == ["Anna Maria", "Ben"]
    assert cast[0].voice is VOICE and cast[0].region is None and cast[0].strength == 0.5
    assert torch.equal(cast[1].region, MASK[0]), "a mask takes the place of the widget"


@pytest.mark.parametrize(
    "place, region",
    [
        ({"place": "anywhere"}, None),
        ({"place": "right"}, Box(0.5, 0, 1, 1)),
        ({"place": "box", "left": 0.1, "top": 0.2, "right": 0.6, "bottom": 0.9}, Box(0.1, 0.2, 0.6, 0.9)),
    ],
)
def test_places(place, region):
    assert member(place=place)[0].region == region


LANDMARKS = {
    "frames": [[{"bbox_xyxy": np.array([60.0, 10, 80, 30])}, {"bbox_xyxy": np.array([10.0, 10, 30, 30])}]],
    "image_size": (64, 96),
}
"""As the host's MediaPipeFaceLandmarker hands them on."""


def test_a_found_face_is_a_mask_on_the_first_picture():
    (anna,) = member(faces=LANDMARKS, place={"place": "found face", "face": 1})
    assert anna.region.shape == (64, 96)
    rows, columns = anna.region.nonzero(as_tuple=True)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (6, 33, 6, 33)


if importlib.util.find_spec("comfy_extras.nodes_mediapipe"):  # the oldest host has no landmarker

    def test_the_host_still_hands_on_faces_so():
        """Its own code, without its weights: what it makes of a detection."""
        landmarker = importlib.import_module("comfy_extras.nodes_mediapipe")
        source = inspect.getsource(landmarker.MediaPipeFaceLandmarker.execute)
        assert '"frames": frames, "image_size": (H, W)' in source and 'f["bbox_xyxy"]' in source
        assert landmarker.FaceLandmarksType.io_type == FaceLandmarks.io_type


@pytest.mark.parametrize(
    "landmarks", [{"frames": LANDMARKS["frames"]}, {**LANDMARKS, "frames": []}, [[{"x": 1.0}]]]
)
def test_faces_in_another_form_are_refused(landmarks):
    with pytest.raises(RuntimeError, match="hands on face landmarks in another form"):
        member(faces=landmarks, place={"place": "found face", "face": 1})


@pytest.mark.parametrize(
    "inputs, message",
    [
        ({"name": "  "}, "has no name"),
        ({"place": {"place": "found face", "face": 1}}, "nothing is connected to faces"),
        (
            {"place": {"place": "found face", "face": 3}, "faces": LANDMARKS},
            "Anna is face 3 from the left, and 2 faces were found",
        ),
        ({"identity_strength": float("nan")}, "identity_strength is nan; use 0 to 4"),
        ({"name": "anna", "cast": (Member("Anna"),)}, "Two Cast Members are called anna"),
        ({"cast": tuple(Member(f"M{n}") for n in range(9))}, "a scene can have 8"),
        (
            {"voice": Scene((Member("B"),), (Turn(0, 1, frozenset({0}), 0),))},
            "is the reference of a Scene Script",
        ),
        ({"region": torch.zeros(1, 8, 8)}, "The region of Anna is empty"),
        (
            {"place": {"place": "box", "left": 0.6, "top": 0, "right": 0.5, "bottom": 1}},
            "greater than its left",
        ),
    ],
)
def test_members_that_cannot_be(inputs, message):
    with pytest.raises(ValueError, match=message):
        member(**inputs)


def cast(**ben):
    return (Member("Anna", VOICE, Box(0, 0, 0.5, 1)), Member("Ben", VOICE, **ben))


def written(script=SCRIPT, members=None, frames=121, **options):
    return written_scene(members or cast(), script, "A cellar.", "Dripping water.", frames, 25.0, **options)


@pytest.mark.parametrize(
    "words", ["Did you hear that?", "Naïve café — “no”?", "1,234.5 %  ...", "你好，世界"]
)
def test_ranges_hold_exactly_the_tokens_of_the_lines(tokeniser, words):
    prompt = scene_prompt(
        "A cellar.",
        lines_of(parse_script(f"A: {words}\nB: Hear what?\nA: {words}")),
        [("Anna",), ("Ben",), ("Anna",)],
        {"Ben": "the man"},
        "Dripping water.",
    )
    ranges = line_tokens.line_tokens(tokeniser, prompt)
    whole = line_tokens._tokens(tokeniser, prompt.text)
    first = ranges[0][0]
    assert ranges[0][1] == ranges[1][0] and ranges[1][1] == ranges[2][0], "lines follow each other"
    for (start, end), span in zip(ranges, prompt.lines, strict=True):
        alone = line_tokens._tokens(tokeniser, prompt.text[slice(*span)])
        assert whole[start:end] == alone[1:]  # without the token for the start of the text
    before = line_tokens._tokens(tokeniser, prompt.text[: prompt.lines[0][0]].rstrip())
    assert whole[:first] == before


def test_a_script_of_one_name_is_the_voice_itself():
    assert written("Anna: Hi.\n(pause 1)\nanna: Hello.", (Member("Anna", VOICE),)).reference is VOICE


@pytest.mark.parametrize(
    "script, options, message",
    [
        ("", {}, "The script is empty"),
        ("CARL: Hi.", {}, "spoken by CARL, who is not in the cast \\(Anna, Ben\\)"),
        ("[3-2] ANNA: Hi.", {}, "end must be after the start"),
        ("[3-4] ANNA: Hi.\n[1-2] BEN: Hi.", {}, "before the line above it"),
        ("[3-9] ANNA: Hi.", {}, "past the end of the clip at 4.84 s"),
        ("ANNA: Hi.", {"frames": 120}, "use 113 or 121"),
        (
            SCRIPT,
            {"members": cast(region=torch.ones(8, 8)), "picture": (96, 64)},
            "Ben is 8x8 and the picture 96x64",
        ),
    ],
)
def test_scripts_that_cannot_be(script, options, message):
    with pytest.raises(ValueError, match=message):
        written(script, **options)


def bar(image, place):
    """From where to where a member's colour is seen in their row, in fractions of the time line."""
    middle = timeline.ROWS_TOP + timeline.ROW_HEIGHT * (place + 0.5)
    row = image[0, round((middle + timeline.BAR_HEIGHT / 2 - 2) * timeline.SCALE)]
    wanted = torch.tensor(ImageColor.getrgb(timeline.COLOURS[place])) / 255
    columns = (row - wanted).abs().amax(dim=-1).lt(0.01).nonzero()[:, 0] / timeline.SCALE
    return [
        (x.item() - timeline.LEFT) / (timeline.RIGHT - timeline.LEFT) for x in (columns.min(), columns.max())
    ]


def test_the_time_line_shows_the_turns():
    scene = written("[0-1.21] ANNA: Hi.\n[2.42-4.84] BEN: Did you hear that?")
    image = timeline.draw(scene)
    assert image.shape[0] == 1 and image.shape[3] == 3 and image.min() >= 0 and image.max() <= 1
    assert bar(image, 0) == pytest.approx([0, 0.25], abs=0.01)
    assert bar(image, 1) == pytest.approx([0.5, 1], abs=0.01)


def test_remarks_make_the_time_line_higher():
    quiet, warned = timeline.draw(written(SCRIPT, frames=241)), timeline.draw(written("ANNA: Hi."))
    assert written("ANNA: Hi.").remarks == ["Ben never speaks."]
    assert warned.shape[1] != quiet.shape[1]


def test_eight_members_with_long_names_are_drawn():
    members = tuple(Member(f"A very long name {n}", VOICE if n % 2 else None) for n in range(8))
    script = "\n".join(
        f"{n + 1}: A line that is far too long for its bar, again and again." for n in range(8)
    )
    assert timeline.draw(written(script, members, frames=1001)).shape[2] == timeline.WIDTH * timeline.SCALE
