"""A fresh host offers the example face and voice; one that cannot take them starts all the same."""

import sys
from pathlib import Path

import pytest

from support.host_process import HostProcess
from tools.media import PORTRAIT, VOICE
from tools.workflows.schema import OWN_PACK, load_recorded

LOADERS = {"LoadImage": ("image", PORTRAIT), "LoadAudio": ("audio", VOICE)}
OWN_TYPES = {schema.type for schema in load_recorded().values() if schema.pack == OWN_PACK}


@pytest.mark.parametrize("loader", LOADERS)
def test_a_fresh_host_offers_the_examples(host, loader):
    name, asset = LOADERS[loader]
    assert (host.input_dir / asset.name).read_bytes() == asset.read_bytes()
    kind, options = host.object_info(loader)[loader]["input"]["required"][name]
    assert asset.name in (kind if isinstance(kind, list) else options["options"])


def test_nothing_else_is_left_in_the_input_folder(host):
    assert not [file.name for file in host.input_dir.iterdir() if file.name.startswith(".")]


@pytest.fixture(scope="module")
def hindered(comfy_tree, tmp_path_factory):
    """A host whose input folder cannot be written, not even by root: a file stands in its place."""
    folder = tmp_path_factory.mktemp("hindered")
    in_its_place = folder / "no_folder"
    in_its_place.touch()
    options = ["--cpu", "--input-directory", str(in_its_place)]
    with HostProcess(comfy_tree, Path(sys.executable), folder, options=options, threads=1) as process:
        yield process


def test_a_host_that_cannot_take_the_examples_has_all_nodes(hindered):
    assert hindered.object_info().keys() >= OWN_TYPES


def test_it_says_so_once(hindered):
    lines = [line for line in hindered.log_text().splitlines() if "were not copied" in line]
    assert len(lines) == 1 and "no_folder" in lines[0]
