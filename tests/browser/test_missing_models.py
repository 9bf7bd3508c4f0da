"""A workflow on a host that has no models: the frontend offers to download them."""

import sys
from pathlib import Path

import pytest

from support.browser.shipped import NAMES, models_of
from support.host_process import HostProcess
from tools.workflows.app import NAME as APP
from tools.workflows.files import FOLDER

# One workflow for each set of models; the app, whose loaders are in a subgraph, has those of the fast one.
GRAPHS = [name for name in NAMES if name != APP]
DIFFERENT = {tuple(sorted(models_of(name))): name for name in reversed(GRAPHS)}


@pytest.fixture(scope="module")
def bare_host(comfy_tree, tmp_path_factory):
    """A second host, as after a fresh install: this pack, and nothing in `models`."""
    work_dir = tmp_path_factory.mktemp("bare")
    with HostProcess(comfy_tree, Path(sys.executable), work_dir, options=["--cpu"], threads=1) as host:
        yield host


@pytest.mark.parametrize("name", DIFFERENT.values())
def test_each_missing_model_is_offered_from_its_address(open_page, bare_host, name):
    page = open_page("classic", host=bare_host)
    page.drop_file(FOLDER / f"{name}.json")
    assert page.offered_downloads() == models_of(name)


def test_nodes_2_offers_the_same(open_page, bare_host):
    page = open_page("nodes2", host=bare_host)
    page.drop_file(FOLDER / "ID-LoRA Talking Head, paper settings.json")
    assert page.offered_downloads() == models_of("ID-LoRA Talking Head, paper settings")
