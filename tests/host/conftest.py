"""What tests of the running host share."""

import pytest

from bed.host_client import output_files
from bed.video import Video, read_video


@pytest.fixture(scope="session")
def studio(host):
    """The running host; the pack has put the example picture and voice into its input folder."""
    return host


@pytest.fixture(scope="session")
def render(studio):
    """Run a graph; the video that it saved."""

    def run(graph) -> Video:
        files = [file for file in output_files(studio.run(graph)) if file["filename"].endswith(".mp4")]
        assert len(files) == 1
        return read_video(studio.output_dir / files[0]["subfolder"] / files[0]["filename"])

    return run
