"""Takes, Pick Take and Score Take in a running ComfyUI: four seeds, one clip, and all that was measured in a file."""

import json

import numpy
import pytest
import torch

from idlora_core.takes.voice_encoder import VoiceEncoder
from support.host_client import ExecutionFailed, PromptRefused, output_files
from support.small_graph import GRAPH, small_graph
from support.video import pictures

SEEDS = [7, 8, 9, 10]
WORDS = "This is a synthetic voice, made for testing."


def taking(count=4, **inputs):
    """The one-stage graph with several takes, of which one is decoded and saved."""
    own = {"latents": ["sample", 0], "audio_vae": ["audio_vae", 0], "seeds": ["takes", 0]}
    heard = {"reference_audio": ["reference", 1], "words": WORDS}
    extra = {
        "takes": {"class_type": "LTXIDLoRA_Takes", "inputs": {"takes": count, "first_seed": SEEDS[0]}},
        "pick": {"class_type": "LTXIDLoRA_PickTake", "inputs": {**own, **heard, **inputs}},
        "report": {"class_type": "PreviewAny", "inputs": {"source": ["pick", 3]}},
        "frames": {
            "class_type": "SaveImage",
            "inputs": {"images": ["decode", 1], "filename_prefix": "test/take"},
        },
    }
    return small_graph(
        extra,
        sample={"seed": ["takes", 0], "steps": 1},
        decode={"latent": ["pick", 0]},
        reference={"max_seconds": 5.0},
    )


def scoring(**inputs):
    """Score Take on the example voice."""
    nodes = {"voice": GRAPH["voice"]}
    score = {"class_type": "LTXIDLoRA_ScoreTake", "inputs": {"audio": ["voice", 0], "words": WORDS, **inputs}}
    return {
        **nodes,
        "score": score,
        "report": {"class_type": "PreviewAny", "inputs": {"source": ["score", 0]}},
    }


def report_of(entry):
    return json.loads(entry["outputs"]["report"]["text"][0])


def frames_of(host, files):
    paths = [host.output_dir / file["subfolder"] / file["filename"] for file in files]
    return pictures(tuple(path for path in paths if path.suffix == ".png"))


@pytest.fixture(scope="module")
def metrics(studio):
    folder = studio.work_dir / "models" / "idlora_metrics"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "broken.pt").write_bytes(b"\x80\x02}q\x00.")
    yield folder
    (folder / "broken.pt").unlink()


@pytest.fixture
def encoder_file(metrics):
    """Weights of Resemblyzer's layout, random: the real ones are those of the tier `takes`."""
    torch.manual_seed(0)
    torch.save({"model_state": VoiceEncoder().state_dict()}, metrics / "a_first.pt")
    yield metrics / "a_first.pt"
    (metrics / "a_first.pt").unlink()


@pytest.fixture(scope="module")
def run(studio):
    """Four takes, run once."""
    return studio.run(taking(voice_encoder="off"))


def test_one_clip_is_saved_of_four_takes(studio, run):
    files = output_files(run)
    assert [file["filename"].rpartition(".")[2] for file in files].count("mp4") == 1
    assert len(frames_of(studio, files)) == 9
    assert len(report_of(run)["takes"]) == 4


def test_the_clip_is_that_of_the_winners_seed(studio, run):
    seed = report_of(run)["winner"]["seed"]
    assert seed in SEEDS
    alone = small_graph(
        {"frames": taking()["frames"]}, sample={"seed": seed, "steps": 1}, reference={"max_seconds": 5.0}
    )
    expected = frames_of(studio, output_files(studio.run(alone)))
    assert numpy.array_equal(frames_of(studio, output_files(run)), expected)


def test_all_scores_are_in_a_file_named_after_the_winner(studio, run):
    seed = report_of(run)["winner"]["seed"]
    (file,) = (studio.output_dir / "takes").glob(f"*_seed{seed}.json")
    assert json.loads(file.read_text(encoding="utf-8")) == report_of(run)


def test_the_node_plays_the_takes_and_shows_the_table(studio, run, said):
    shown = run["outputs"]["pick"]
    assert len(shown["audio"]) == 4 and len(shown["images"]) == 1
    studio.run(taking(voice_encoder="off", words="Hello."))
    line = said("pick")
    assert line.startswith("Best of 4: seed 7, ") and "Words not measured: put a folder with Whisper" in line


def test_a_single_take_without_seeds_is_well_too(studio):
    graph = taking(1, seeds=-1, reference_audio=["reference", 1])
    report = report_of(studio.run(graph))
    assert report["winner"] == {"take": 1, "seed": None} and len(report["takes"]) == 1


def test_a_file_that_is_no_encoder_is_refused_before_the_first_take(studio, metrics, status_lines):
    with pytest.raises(ExecutionFailed, match=r"broken\.pt is not") as failed:
        studio.run(taking(voice_encoder="broken.pt", filename_prefix="takes/refused"))
    assert "PickTake" in str(failed.value) and "\n" not in str(failed.value)
    assert status_lines("sample") == []


def test_a_model_that_is_not_there_is_refused_by_the_host(studio):
    with pytest.raises(PromptRefused):
        studio.run(taking(voice_encoder="gone.pt"))


def test_a_video_vae_is_refused_before_the_first_take(studio, status_lines):
    with pytest.raises(ExecutionFailed, match="connect LTXV Audio VAE Loader"):
        studio.run(taking(voice_encoder="off", audio_vae=["model", 2]))
    assert status_lines("sample") == []


def test_score_take_measures_a_recording(studio):
    (take,) = report_of(studio.run(scoring(voice_encoder="off")))["takes"]
    assert 3 < take["speech_seconds"] < 8 and take["onset_seconds"] < 1 and take["similarity"] is None


def test_a_model_that_is_put_there_is_used_by_the_same_graph(studio, metrics, request):
    graph = scoring(reference_audio=["voice", 0])
    (metrics / "broken.pt").rename(metrics / "broken")
    try:
        remarks = report_of(studio.run(graph))["remarks"]
        assert any("Voice not measured: put pretrained.pt" in remark for remark in remarks)
        request.getfixturevalue("encoder_file")
        (take,) = report_of(studio.run(graph))["takes"]
        assert take["similarity"] == pytest.approx(1, abs=1e-3)
    finally:
        (metrics / "broken").rename(metrics / "broken.pt")


def test_score_take_needs_one_sound(studio):
    graph = scoring()
    del graph["score"]["inputs"]["audio"]
    with pytest.raises(ExecutionFailed, match="connect either audio or video"):
        studio.run(graph)


@pytest.mark.parametrize("takes", [0, -1, 65, 10**6])
def test_too_many_takes_are_refused_before_one_is_sampled(studio, takes, status_lines):
    graph = taking(voice_encoder="off")
    graph["number"] = {"class_type": "PrimitiveInt", "inputs": {"value": takes}}
    graph["takes"]["inputs"]["takes"] = ["number", 0]
    with pytest.raises(ExecutionFailed, match="takes"):
        studio.run(graph)
    assert status_lines("sample") == []
