"""Encode Reference Audio in a running ComfyUI: what is played, shown and said, and that it is what was encoded."""

import http.client
import io
import time
import urllib.parse

import pytest
from PIL import Image

from idlora_core.voice.recording import prepare_recording
from support import recordings
from support.host_client import ExecutionFailed, PromptRefused
from support.host_progress import listening, status_text
from support.small_graph import GRAPH, small_graph
from tools.media import VOICE

WAIT_SECONDS = 10
RATE = 16_000
STEP = 2**-15  # of a 16-bit file
NEW_INPUTS = ("selection", "shorten_pauses", "level_loudness", "audioUI")


def voice_graph(extra=None, **inputs):
    """The voice alone, which runs by itself: the node is an output node."""
    nodes = {name: GRAPH[name] for name in ("voice", "audio_vae", "reference")} | (extra or {})
    reference = {
        **nodes["reference"],
        "inputs": {**nodes["reference"]["inputs"], "max_seconds": 5.0, **inputs},
    }
    return {**nodes, "reference": reference}


def view(host, file) -> bytes:
    """A file of a node's output as the frontend fetches it."""
    answer = host.fetch(f"/view?{urllib.parse.urlencode(file)}")
    assert answer.status == http.client.OK
    return answer.body


@pytest.fixture
def statuses(studio):
    """Texts that the host sends for nodes, as they come: (node id, text)."""
    received: list[tuple[str, str]] = []

    def hear(opcode, payload):
        if text := status_text(opcode, payload):
            received.append(text)

    with listening(studio, hear):
        yield received


def status(statuses) -> str:
    deadline = time.monotonic() + WAIT_SECONDS
    while not (texts := [text for node, text in statuses if node == "reference"]):
        assert time.monotonic() < deadline, "no status text came"
        time.sleep(0.05)
    return texts[-1]


@pytest.fixture
def example_voice():
    return recordings.read(VOICE)


def samples(content: bytes, tmp_path):
    """(1, 1, N) interleaved samples of a sound file, and its rate."""
    file = tmp_path / "sound.flac"
    file.write_bytes(content)
    return recordings.read(file)


def test_player_and_picture_are_served_and_hold_what_was_encoded(studio, tmp_path, example_voice):
    saved = {
        "class_type": "SaveAudio",
        "inputs": {"audio": ["reference", 1], "filename_prefix": "test/voice"},
    }
    outputs = studio.run(voice_graph({"save": saved}))["outputs"]
    (sound,), (picture,) = outputs["reference"]["audio"], outputs["reference"]["images"]
    assert sound["type"] == picture["type"] == "temp"
    with Image.open(io.BytesIO(view(studio, picture))) as image:
        assert image.width == 720 and image.height >= 360 and len(image.getcolors(100_000)) > 8
    played, sample_rate = samples(view(studio, sound), tmp_path)
    (file,) = outputs["save"]["audio"]
    given, _ = samples(view(studio, file), tmp_path)
    assert sample_rate == RATE and (played - given).abs().max() == 0
    expected = prepare_recording(*example_voice).waveform[0].T.reshape(1, 1, -1)
    assert played.shape == expected.shape and (played - expected).abs().max() <= STEP


def test_the_status_line_of_a_good_recording_has_no_advice(studio, statuses):
    studio.run(voice_graph(max_seconds=4.9))
    assert status(statuses) == "4.9 s, 123 tokens, -21 dBFS, 92% speech"


def test_the_status_line_begins_with_advice(studio, statuses):
    studio.run(voice_graph(max_seconds=1.0))
    advice = "\N{WARNING SIGN} Only 0.9 s of speech; 3-5 s are best: raise max_seconds. 1.0 s,"
    assert status(statuses).startswith(advice)


def test_each_new_input_changes_what_is_encoded(studio, tmp_path):
    def played(**inputs):
        (sound,) = studio.run(voice_graph(max_seconds=3.0, **inputs))["outputs"]["reference"]["audio"]
        return samples(view(studio, sound), tmp_path)[0]

    best, first = played(), played(selection="from the start")
    levelled = played(level_loudness=True)
    assert best.shape == first.shape and (best - first).abs().max() > 0.1
    ratio = levelled.square().mean().sqrt() / best.square().mean().sqrt()
    assert 0.5 < ratio < 0.95  # the example is louder than -23 LUFS
    assert (levelled - ratio * best).abs().max() < 0.01


def test_long_pauses_are_shortened_in_the_graph(studio, tmp_path, example_voice):
    def taken_seconds(shorten_pauses):
        quiet = {
            "class_type": "EmptyAudio",
            "inputs": {"duration": 3.0, "sample_rate": 24_000, "channels": 1},
        }
        twice = {
            "class_type": "AudioConcat",
            "inputs": {"audio1": ["voice", 0], "audio2": ["quiet", 0], "direction": "after"},
        }
        again = {
            "class_type": "AudioConcat",
            "inputs": {"audio1": ["twice", 0], "audio2": ["voice", 0], "direction": "after"},
        }
        graph = voice_graph(
            {"quiet": quiet, "twice": twice, "again": again},
            audio=["again", 0],
            max_seconds=30.0,
            shorten_pauses=shorten_pauses,
        )
        (sound,) = studio.run(graph)["outputs"]["reference"]["audio"]
        return samples(view(studio, sound), tmp_path)[0].shape[-1] / 2 / RATE

    assert taken_seconds(False) - taken_seconds(True) == pytest.approx(3.3, abs=0.3)


def test_graphs_without_the_new_inputs_run_as_the_defaults_do(studio, tmp_path):
    info = studio.object_info("LTXIDLoRA_EncodeReferenceAudio")["LTXIDLoRA_EncodeReferenceAudio"]
    assert info["output_node"] and list(info["input"]["optional"])[-1] == "audioUI"
    graph = voice_graph(max_seconds=2.5)
    assert not set(NEW_INPUTS) & set(graph["reference"]["inputs"])
    old = studio.run(graph)["outputs"]["reference"]["audio"][0]
    new = studio.run(voice_graph(max_seconds=2.5, selection="best part", shorten_pauses=True))
    sounds = [
        samples(view(studio, file), tmp_path)[0] for file in (old, new["outputs"]["reference"]["audio"][0])
    ]
    assert (sounds[0] - sounds[1]).abs().max() == 0


def test_a_temp_folder_that_cannot_be_written_takes_only_the_preview_away(studio, statuses, render):
    temp, aside = studio.work_dir / "temp", studio.work_dir / "temp_aside"
    temp.rename(aside)
    temp.write_text("a file where the host wants a folder")
    try:
        entry = studio.run(voice_graph(max_seconds=2.25))
        assert "reference" not in entry["outputs"]
        assert "No player: " in status(statuses) and "No picture: " in status(statuses)
        render(small_graph(reference={"max_seconds": 2.25}, sample={"seed": 77}))
    finally:
        temp.unlink()
        aside.rename(temp)


def test_an_unknown_selection_is_refused_by_the_host(studio):
    with pytest.raises(PromptRefused, match="selection"):
        studio.run(voice_graph(selection="the middle"))


def test_a_silent_recording_is_refused_in_words(studio):
    silent = {"class_type": "EmptyAudio", "inputs": {"duration": 2.0, "sample_rate": 24_000, "channels": 1}}
    with pytest.raises(ExecutionFailed, match="is silent"):
        studio.run(voice_graph({"silent": silent}, audio=["silent", 0]))
