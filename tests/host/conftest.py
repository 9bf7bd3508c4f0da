"""What tests of the running host share."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from support import in_process
from support.host_client import ApiGraph, output_files
from support.host_progress import listening, status_text
from support.video import Video, read_video

in_process.import_all()

SECONDS_TO_SAY = 10
SAVERS = ("SaveVideo", "LTXIDLoRA_SaveSignedVideo")


@pytest.fixture(scope="session")
def studio(host):
    """The running host; the pack has put the example picture and voice into its input folder."""
    return host


@pytest.fixture(scope="session")
def render(studio):
    """Run a graph; the video that it saved, with its frames as they were before they were compressed."""

    def run(graph) -> Video:
        files = output_files(studio.run(with_frames(graph)))
        paths = [studio.output_dir / file["subfolder"] / file["filename"] for file in files]
        (mp4,) = [path for path in paths if path.suffix == ".mp4"]
        frames = sorted(path for path in paths if path.suffix == ".png")
        return replace(read_video(mp4), frames=tuple(frames))

    return run


def with_frames(graph: ApiGraph) -> ApiGraph:
    """The graph, saving the pictures of its video without loss as well."""
    (save,) = [node["inputs"] for node in graph.values() if node["class_type"] in SAVERS]
    source = save["video"][0]
    images = graph[source]["inputs"].get("images", [source, 1])  # Create Video, or AV Decode
    inputs = {"images": images, "filename_prefix": save["filename_prefix"] + "_frames"}
    return {**graph, "frames": {"class_type": "SaveImage", "inputs": inputs}}


@pytest.fixture
def status_lines(studio) -> Iterator[Callable[[str], list[str]]]:
    """The lines that nodes have shown since the test began, by the node's id."""
    lines: list[tuple[str, str]] = []

    def hear(opcode: int, payload: bytes) -> None:
        if text := status_text(opcode, payload):
            lines.append(text)

    with listening(studio, hear):
        yield lambda node: [text for shown_by, text in lines if shown_by == node]


@pytest.fixture
def said(status_lines) -> Callable[[str], str]:
    """The last line that a node has shown; it may come a moment after the run's end."""

    def last(node: str) -> str:
        deadline = time.monotonic() + SECONDS_TO_SAY
        while not (lines := status_lines(node)):
            assert time.monotonic() < deadline, "no status line came"
            time.sleep(0.05)
        return lines[-1]

    return last
