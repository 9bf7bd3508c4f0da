"""Save Voice and Load Voice in a running ComfyUI: from a recording to a file, and from the file to a clip."""

import json
from datetime import date, timedelta

import av
import numpy
import pytest

from idlora_core.consent import Consent
from idlora_core.voice_file import read_voice, write_voice
from support.host_client import ExecutionFailed, PromptRefused, output_files
from support.small_graph import GRAPH, small_graph
from support.video import pictures

SHIPPED = "Synthetic Ada (British)"
CONSENT = {
    "consent_by": "Ada Lovelace",
    "consent_date": "2026-11-01",
    "consent_scope": "this film",
    "consent_statement": "You may use my voice for this film.",
}


@pytest.fixture(scope="module")
def folder(studio):
    return studio.work_dir / "models" / "idlora_voices"


@pytest.fixture(scope="module")
def saved(studio, folder):
    """A voice that was saved by a graph, and its file."""
    studio.run(saving("Ada", **CONSENT))
    return folder / "Ada.safetensors"


def saving(name, **inputs):
    """A graph that encodes the example voice and keeps it."""
    nodes = {key: GRAPH[key] for key in ("voice", "audio_vae", "reference")}
    own = {"reference": ["reference", 0], "audio": ["reference", 1], "name": name}
    return {**nodes, "keep": {"class_type": "LTXIDLoRA_SaveVoice", "inputs": {**own, **inputs}}}


def loading(name, **inputs):
    """The node alone, which runs by itself."""
    return {"load": {"class_type": "LTXIDLoRA_LoadVoice", "inputs": {"voice": name, **inputs}}}


def speaking(name, **inputs):
    """The one-stage graph with a voice on file in place of the recording."""
    graph = small_graph(loading(name, **inputs), sample={"reference": ["load", 0]})
    return {key: node for key, node in graph.items() if key not in ("voice", "reference")}


def names(host):
    return host.object_info("LTXIDLoRA_LoadVoice")["LTXIDLoRA_LoadVoice"]["input"]["required"]["voice"][1][
        "options"
    ]


def frames(host, graph):
    extra = {"class_type": "SaveImage", "inputs": {"images": ["decode", 1], "filename_prefix": "test/voice"}}
    files = output_files(host.run({**graph, "frames": extra}))
    paths = [host.output_dir / file["subfolder"] / file["filename"] for file in files]
    return pictures(tuple(path for path in paths if path.suffix == ".png"))


def test_a_saved_voice_is_listed_before_those_that_ship(studio, saved):
    assert saved.is_file() and names(studio)[0] == "Ada"
    assert SHIPPED in names(studio)


def test_a_clip_from_the_file_is_the_clip_from_the_recording(studio, saved):
    from_file, from_recording = (frames(studio, graph) for graph in (speaking("Ada"), small_graph()))
    assert numpy.array_equal(from_file, from_recording)
    assert not numpy.array_equal(from_file, frames(studio, speaking(SHIPPED, audio_vae=["audio_vae", 0])))


def test_the_node_shows_a_player_and_a_card_and_says_whose_voice_it_is(studio, saved, said):
    outputs = studio.run(loading("Ada"))["outputs"]["load"]
    assert len(outputs["audio"]) == len(outputs["images"]) == 1
    assert said("load") == "26 tokens. Consent by Ada Lovelace, on 2026-11-01, for this film."


def test_a_voice_without_consent_is_said(studio, folder, said):
    studio.run(saving("Nobody"))
    studio.run(loading("Nobody"))
    assert "No consent is recorded in this file." in said("load")


def test_the_consent_of_the_voice_can_be_that_of_a_signed_clip(studio, saved):
    graph = speaking("Ada")
    graph["save"] = {
        "class_type": "LTXIDLoRA_SaveSignedVideo",
        "inputs": {
            "video": ["decode", 0],
            "filename_prefix": "test/signed_voice",
            "signer": "A test",
            "consent": ["load", 2],
        },
    }
    graph["check"] = {"class_type": "LTXIDLoRA_CheckCredentials", "inputs": {"video": ["save", 0]}}
    graph["show"] = {"class_type": "PreviewAny", "inputs": {"source": ["check", 0]}}
    (report,) = studio.run(graph)["outputs"]["show"]["text"]
    assert "Consent by Ada Lovelace" in report and "You may use my voice for this film." in report


def test_the_voices_name_alone_goes_into_the_mp4(studio, saved):
    (file,) = output_files(studio.run(speaking("Ada")))
    with av.open(str(studio.output_dir / file["subfolder"] / file["filename"])) as mp4:
        tags = json.dumps(dict(mp4.metadata))
    assert '\\"voice\\": \\"Ada\\"' in tags and "Lovelace" not in tags and "this film" not in tags


def test_a_second_voice_of_that_name_is_refused_before_the_first_is_lost(studio, saved):
    before = saved.read_bytes()
    with pytest.raises(ExecutionFailed, match="There is a voice Ada.safetensors already"):
        studio.run(saving("Ada", language="French"))
    assert saved.read_bytes() == before


def test_consent_that_ended_yesterday_is_refused(studio, saved, folder):
    yesterday = (date.today() - timedelta(days=1)).isoformat()
    write_voice(
        read_voice(saved).__class__(
            **{**vars(read_voice(saved)), "consent": Consent("Ada L.", until=yesterday)}
        ),
        folder / "Ended.safetensors",
    )
    with pytest.raises(ExecutionFailed, match=f"Ada L. gave for the voice 'Ended' ended on {yesterday}"):
        studio.run(loading("Ended"))


def test_a_recording_alone_asks_for_the_vae(studio):
    with pytest.raises(ExecutionFailed, match="not encoded yet: connect audio_vae"):
        studio.run(loading(SHIPPED))


@pytest.mark.parametrize("content", [b"", b"\x80\x02}q\x00.", b"\xff" * 100, b"\0" * 7 + b"\x10{}"])
def test_a_hostile_file_is_one_sentence(studio, folder, content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Evil.safetensors").write_bytes(content)
    with pytest.raises(ExecutionFailed) as failed:
        studio.run(loading("Evil"))
    assert "Evil.safetensors is not a voice that can be loaded" in str(failed.value)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize("name", ["../Ada", "/etc/passwd", "Ada.safetensors", "gone"])
def test_a_voice_that_is_not_in_the_list_is_refused(studio, saved, name):
    with pytest.raises(PromptRefused):
        studio.run(loading(name))


@pytest.mark.parametrize("name", ["", "../Eve", "nul", "a\nb"])
def test_a_name_that_no_file_can_have_is_refused(studio, name):
    with pytest.raises(ExecutionFailed, match="voice"):
        studio.run(saving(name))
