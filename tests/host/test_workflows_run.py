"""Each shipped workflow from its API file, end to end on the small models: what the mp4 holds."""

import json

import av
import pytest

from support.host_client import output_files
from tools.workflows import WORKFLOWS, small_overrides
from tools.workflows.api_format import SMALL_LENGTH, SMALL_SIZE, SMALL_VALUES
from tools.workflows.files import API_FOLDER

NAMES = [workflow.build().name for workflow in WORKFLOWS if not workflow.needs_packs]
SIDE, LENGTH = SMALL_VALUES["max_side"], SMALL_LENGTH
SIZES = {  # (width, height, frames)
    "ID-LoRA Talking Head, paper settings": (SIDE, SIDE, LENGTH),
    "ID-LoRA Talking Head, two stages": (2 * SIDE, 2 * SIDE, LENGTH),
    "ID-LoRA Talking Head, two stages HQ": (2 * SIDE, 2 * SIDE, LENGTH),
    "ID-LoRA Talking Head, fast lip sync": (SIDE, SIDE, LENGTH),
    "ID-LoRA Best of Four": (SIDE, SIDE, LENGTH),
    "ID-LoRA Talking Head, saved voice": (SIDE, SIDE, LENGTH),
    "ID-LoRA Talking Head, signed": (SIDE, SIDE, LENGTH),
    "ID-LoRA Talking Head, long speech": (SIDE, SIDE, 2 * LENGTH - 1),  # the frame at the seam is there once
    "ID-LoRA Two People Talking": (SIDE, 3 * SIDE // 4, LENGTH),  # 3:2, to multiples of 32
    "ID-LoRA Two People, Reference Sheet": (*SMALL_SIZE.values(), LENGTH),
    "ID-LoRA Shot Reverse Shot": (SIDE, SIDE, 2 * LENGTH),
}
FRAME_RATE = 25
AAC_FRAME_SECONDS = 1024 / 48_000


def api_graph(name):
    return json.loads((API_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=NAMES)
def clip(request, render):
    """Name and video of one workflow, with the example picture and voice."""
    return request.param, render(small_overrides(api_graph(request.param)))


def test_the_clip_has_the_size_and_the_frames_of_the_graph(clip):
    name, video = clip
    assert (video.width, video.height, video.num_frames) == SIZES[name]
    assert video.frame_rate == FRAME_RATE


def test_picture_and_sound_are_in_step(clip, record_property):
    name, video = clip
    report = (
        f"{name}: {video.width}x{video.height}, {video.num_frames} frames at {video.frame_rate} fps, sound"
        f" {video.audio_seconds:.3f} s in {video.audio_channels} channels, {video.path.stat().st_size} bytes"
    )
    record_property("mp4", report)
    print(report)
    assert video.audio_channels == 2 and video.audio_peak > 0
    assert abs(video.audio_seconds - video.seconds) <= 2 * AAC_FRAME_SECONDS


def test_the_frozen_sound_is_the_first_stages(studio):
    """Two stages differ from one in the picture only: the decoded sound is the same, sample for sample."""
    graph = small_overrides(api_graph("ID-LoRA Talking Head, two stages"))
    samplers = [key for key, node in graph.items() if node["class_type"] == "LTXIDLoRA_KSampler"]
    (decode,) = [key for key, node in graph.items() if node["class_type"] == "LTXIDLoRA_DecodeAV"]
    assert len(samplers) == 2
    sounds = [sound(studio, graph, decode, sampler) for sampler in samplers]
    assert sounds[0] == sounds[1]


def sound(studio, graph, decode, sampler) -> bytes:
    """The samples of a lossless file with what one sampler's latent decodes to."""
    inputs = {**graph[decode]["inputs"], "latent": [sampler, 0]}
    save = {"audio": [decode, 2], "filename_prefix": f"audio/stage_{sampler}"}
    graph = {key: node for key, node in graph.items() if node["class_type"] != "SaveVideo"}
    graph |= {
        decode: {"class_type": "LTXIDLoRA_DecodeAV", "inputs": inputs},
        "save": {"class_type": "SaveAudio", "inputs": save},
    }
    (file,) = output_files(studio.run(graph))
    with av.open(str(studio.output_dir / file["subfolder"] / file["filename"])) as container:
        return b"".join(frame.to_ndarray().tobytes() for frame in container.decode(audio=0))
