"""Progress bar and latent preview are the host's own."""

import json
import struct
import time

import pytest

from support.host_progress import listening
from support.small_graph import small_graph

TEXT, BINARY, PREVIEW_KINDS = 0x1, 0x2, (1, 4)
JPEG = b"\xff\xd8\xff"
STEPS = 3
WAIT_SECONDS = 10


@pytest.fixture
def messages(studio):
    """What the host's websocket sends, as it comes: (opcode, payload)."""
    received: list[tuple[int, bytes]] = []
    with listening(studio, lambda opcode, payload: received.append((opcode, payload))):
        yield received


def previews(messages) -> list[bytes]:
    """Pictures of a run."""
    pictures = [payload for opcode, payload in messages if opcode == BINARY]
    return [picture for picture in pictures if struct.unpack(">I", picture[:4])[0] in PREVIEW_KINDS]


def hosts_sampler():
    """The same graph with the host's own guider and sampler."""
    guider = {"model": ["model", 0], "positive": ["positive", 0], "negative": ["negative", 0], "cfg": 2.0}
    sampled = {
        "noise": ["noise", 0],
        "guider": ["guider", 0],
        "sampler": ["euler", 0],
        "sigmas": ["sigmas", 0],
        "latent_image": ["latent", 0],
    }
    nodes = {
        "guider": {"class_type": "CFGGuider", "inputs": guider},
        "noise": {"class_type": "RandomNoise", "inputs": {"noise_seed": 0}},
        "euler": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
        "sigmas": {"class_type": "ManualSigmas", "inputs": {"sigmas": "1.0, 0.8, 0.4, 0.0"}},
        "sampled": {"class_type": "SamplerCustomAdvanced", "inputs": sampled},
    }
    return small_graph(nodes, decode={"latent": ["sampled", 0]})


def run(studio, messages, graph) -> tuple[list[bytes], list[int]]:
    """Previews of a run, and where the progress bar of its sampler stood; the host drops what follows too soon."""
    messages.clear()
    prompt_id = studio.run(graph)["prompt"][1].encode()
    deadline = time.monotonic() + WAIT_SECONDS
    # Of this run: the last message of the run before may come after its history is there.
    while not any(b"execution_success" in payload and prompt_id in payload for _, payload in messages):
        assert time.monotonic() < deadline, "the host did not say that the run is over"
        time.sleep(0.05)
    texts = [json.loads(payload) for opcode, payload in messages if opcode == TEXT]
    moved = [m for m in texts if m["type"] == "progress" and m["data"]["node"] in ("sample", "sampled")]
    assert all(m["data"]["max"] == STEPS for m in moved)
    return previews(messages), [m["data"]["value"] for m in moved]


def test_preview_and_progress_are_those_of_the_hosts_own_sampler(studio, messages, host_version):
    theirs, their_progress = run(studio, messages, hosts_sampler())
    ours, our_progress = run(studio, messages, small_graph(sample={"seed": 31, "steps": STEPS}))
    for progress in (our_progress, their_progress):
        assert progress == sorted(set(progress)) and progress[-1] == STEPS
    assert bool(ours) == bool(theirs) and all(JPEG in picture for picture in ours)
    if host_version == "0.30.0":  # older releases draw no preview of a joint latent
        assert len(ours) >= STEPS
