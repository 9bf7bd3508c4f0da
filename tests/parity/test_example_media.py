"""The example face and voice in the host's input folder: offered once, never in the way, never in part."""

import asyncio
import logging
import resource
import shutil
from contextlib import contextmanager

import folder_paths
import pytest

import idlora_pack
from dev_setup.versions import ROOT
from idlora_pack.nodes.host import example_media
from support import in_process
from tools.media import ASSETS, PORTRAIT, VOICE

EXAMPLES = {file.name: file.read_bytes() for file in sorted(ASSETS.iterdir())}


@pytest.fixture
def input_folder(tmp_path):
    """An input folder of its own for one test; not made yet."""
    before = folder_paths.get_input_directory()
    folder_paths.set_input_directory(str(tmp_path / "input"))
    yield tmp_path / "input"
    folder_paths.set_input_directory(before)


def load(package=idlora_pack):
    """As the host does when it starts."""

    async def run():
        extension = await package.comfy_entrypoint()
        await extension.on_load()
        return await extension.get_node_list()

    return asyncio.run(run())


def content(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@contextmanager
def file_size_limit(num_bytes):
    """Writing more fails in the middle of a file, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def the_warning(caplog):
    (record,) = [r for r in caplog.records if r.name == "idlora" and r.levelno >= logging.WARNING]
    return record.getMessage()


def test_the_examples_are_exactly_the_assets():
    assert sorted(EXAMPLES) == sorted(file.name for file in ASSETS.iterdir())


def test_loading_puts_both_into_the_input_folder(input_folder, caplog):
    assert load()
    assert content(input_folder) == EXAMPLES
    assert not caplog.records


def test_a_second_start_changes_nothing(input_folder):
    load()
    before = {file.name: file.stat().st_mtime_ns for file in input_folder.iterdir()}
    load()
    assert {file.name: file.stat().st_mtime_ns for file in input_folder.iterdir()} == before


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_file_of_the_users_is_not_overwritten(input_folder, name):
    input_folder.mkdir()
    (input_folder / name).write_bytes(b"mine")
    load()
    assert content(input_folder) == {**EXAMPLES, name: b"mine"}


def test_a_link_to_a_drive_that_is_away_is_not_replaced(input_folder):
    input_folder.mkdir()
    link = input_folder / VOICE.name
    link.symlink_to(input_folder / "away" / "voice.flac")
    load()
    assert link.is_symlink() and not link.exists()


def test_a_full_disk_leaves_nothing_and_one_warning(input_folder, caplog):
    with file_size_limit(len(EXAMPLES[PORTRAIT.name]) // 2):
        assert load()
    assert content(input_folder) == {}
    assert str(input_folder) in the_warning(caplog) and str(ASSETS) in the_warning(caplog)


def test_an_input_folder_that_cannot_be_is_one_warning(input_folder, caplog):
    input_folder.write_bytes(b"a file in its place")
    assert load()
    assert "were not copied" in the_warning(caplog)


def test_a_pack_without_its_assets_loads_with_one_warning(input_folder, tmp_path, caplog):
    for part in ("nodes", "idlora_core"):
        shutil.copytree(ROOT / part, tmp_path / "copy" / part)
    shutil.copyfile(ROOT / "__init__.py", tmp_path / "copy" / "__init__.py")
    copy = in_process.import_folder(tmp_path / "copy", "idlora_copy")
    assert len(load(copy)) == len(load())
    assert PORTRAIT.name in the_warning(caplog)


def test_the_names_that_are_copied_are_those_that_the_workflows_load():
    assert sorted(example_media.EXAMPLES) == sorted(EXAMPLES)


def test_processes_of_one_id_do_not_meet(input_folder, monkeypatch, caplog):
    """Two containers with one input folder, whose ids are often equal, copy at the same time."""
    copy, others = shutil.copymode, []

    def another_comes_between(source, part):
        copy(source, part)
        if not others:
            others.append(True)
            example_media.offer_examples()

    monkeypatch.setattr(shutil, "copymode", another_comes_between)
    load()
    assert content(input_folder) == EXAMPLES and not caplog.records
