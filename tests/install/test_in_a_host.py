"""After each way of installing, a host that is started shows all of the pack; after uninstalling, none of it."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from support.host_process import PACK_NAME
from support.installing import programs
from support.installing.archive import Archive
from support.installing.loopback import Loopback
from support.installing.users_comfyui import WITNESS, Installed

# Of the host's log: a pack not imported, a traceback through one, a bad locale file, a bad pyproject.toml.
TROUBLE = re.compile(
    r"(IMPORT FAILED|Cannot import|File \"|Error|Warning).*custom_nodes[\\/]|pyproject", re.IGNORECASE
)
HOSTS_FILES = {"comfyui.log", "user/comfyui.db", "user/comfyui.db.lock", "user/__manager/channels.list"}
EXAMPLES = ("portrait.png", "portrait_2.png", "two_people.png", "voice.flac", "voice_2.flac")
EXAMPLE_INPUTS = {f"input/idlora_{name}" for name in EXAMPLES}
# The host loads this file of its own under another name; it is small, and what it needs is loaded.
LOADED_TWICE = {"comfy_extras.nodes_lt_upsampler"}


def names_in(archive: Archive, folder: str, suffix: str = ".json") -> set[str]:
    paths = [PurePosixPath(name) for name in archive.names]
    return {path.stem for path in paths if str(path.parent) == folder and path.suffix == suffix}


def trouble(log: str) -> list[str]:
    return [line for line in log.splitlines() if TROUBLE.search(line)]


def added_modules(seen: set[str], without: set[str], folder: Path) -> set[str]:
    """Modules that the pack brings into a host, but its own and Python's."""
    own = str(folder).replace(".", "_x_")
    others = {name for name in seen - without if name != own and not name.startswith(f"{own}.")}
    return {name for name in others if name.split(".")[0] not in sys.stdlib_module_names}


# Three ways in: by the Manager from the registry, by the Manager from git, and three copies at once.


def test_every_node_is_there(installed: Installed, node_ids: set[str]):
    ours = {node_id for node_id, pack in installed.seen.node_modules.items() if pack in installed.folders}
    assert ours == node_ids


def test_every_copy_is_imported_and_the_log_has_no_trouble(installed: Installed):
    assert installed.seen.imported >= {*installed.folders, WITNESS.name}
    assert trouble(installed.seen.log) == []


def test_help_pages_templates_and_thumbnails_are_served_as_shipped(
    installed: Installed, archive: Archive, addresses: Callable[[str], list[str]], node_ids: set[str]
):
    for folder in (name for name in installed.folders if " " not in name):  # with one, no host serves them
        asked = addresses(folder)
        assert {f"/extensions/{folder}/docs/{node_id}.md" for node_id in node_ids} <= set(asked)
        assert [address for address in asked if address not in installed.seen.files] == []
        for name in (name for name in archive.names if name.startswith("web/")):
            address = f"/extensions/{folder}/{name.removeprefix('web/')}"
            assert installed.seen.files[address] == archive.read(name)


def test_the_templates_are_listed(installed: Installed, archive: Archive):
    listed = {folder: set(names) for folder, names in installed.seen.templates.items()}
    assert listed == {folder: names_in(archive, "workflows") for folder in installed.folders}


def test_the_translations_are_those_that_ship(installed: Installed, archive: Archive):
    shipped: dict[str, dict] = {}
    for name, text in archive.texts(".json").items():
        if name.startswith("locales/"):
            _, language, file = name.split("/")
            content = json.loads(text)
            key = file.removesuffix(".json")
            shipped.setdefault(language, {}).update(content if key == "main" else {key: content})
    assert installed.seen.translations == shipped


def test_the_blueprints_are_those_that_ship(installed: Installed, archive: Archive):
    shipped = {(folder, name) for folder in installed.folders for name in names_in(archive, "subgraphs")}
    assert set(installed.seen.blueprints) == shipped


def test_the_pack_writes_nothing_beside_itself(installed: Installed):
    own = tuple(f"custom_nodes/{folder}/" for folder in installed.folders)
    assert {name for name in installed.new_files if not name.startswith(own)} <= HOSTS_FILES | EXAMPLE_INPUTS


# What is particular to each.


def test_the_registry_route_unpacks_the_archive_as_it_is_and_tracks_its_files(
    from_registry: Installed, archive: Archive, pyproject: dict, server: Loopback
):
    name, version = pyproject["project"]["name"], pyproject["project"]["version"]
    assert "[INSTALLED]" in from_registry.output
    assert {f"/nodes/{name}/install?version={version}", f"/archives/{name}-{version}.zip"} <= set(
        server.asked
    )
    own = f"custom_nodes/{name}/"
    unpacked = {
        path.removeprefix(own): content
        for path, content in from_registry.new_files.items()
        if path.startswith(own)
    }
    assert unpacked.pop(".tracking").decode("utf-8").splitlines() == archive.names
    assert unpacked == {path: archive.read(path) for path in archive.names}


def test_a_version_that_is_not_published_is_not_installed(
    fresh_comfyui: Callable[[], Path], home: Path, server: Loopback
):
    comfyui = fresh_comfyui()
    output = programs.manager(
        comfyui, home, "install", f"{PACK_NAME}@9.9.9", "--mode", "cache", registry=server.url
    )
    assert "[INSTALLED]" not in output
    assert not (comfyui / "custom_nodes" / PACK_NAME).exists()


def test_a_git_install_stays_clean_so_that_it_can_be_updated(from_git: Installed):
    assert "[INSTALLED]" in from_git.output
    folder = from_git.comfyui / "custom_nodes" / from_git.folders[0]
    assert programs.git(folder, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    "line",
    [
        "   0.0 seconds (IMPORT FAILED): /a/custom_nodes/pack",
        '  File "/a/custom_nodes/pack/__init__.py", line 4, in <module>',
        "[WARNING] Error while calling comfy_entrypoint in C:\\a\\custom_nodes\\pack: no",
        "Error loading /a/custom_nodes/pack/locales/fr/nodeDefs.json",
        "Unable to parse pyproject.toml due to lack dependency pydantic-settings",
    ],
)
def test_trouble_in_a_log_would_be_noticed(line: str):
    good = "   0.0 seconds: /a/custom_nodes/pack"
    assert trouble(f"{good}\n{line}\n") == [line]


def test_of_several_copies_one_serves_all_nodes(three_copies: Installed, node_ids: set[str]):
    assert len({three_copies.seen.node_modules[node_id] for node_id in node_ids}) == 1


def test_it_brings_no_module_of_others_into_the_host(from_registry: Installed, uninstalled: Installed):
    folder = from_registry.comfyui / "custom_nodes" / from_registry.folders[0]
    added = added_modules(from_registry.seen.modules, uninstalled.seen.modules, folder)
    assert added - LOADED_TWICE == set()


@pytest.mark.parametrize("module", ["scipy.signal", "PIL.ImageDraw", "transformers"])
def test_a_module_of_others_would_be_noticed(module: str):
    own = {"/a_x_b/pack", "/a_x_b/pack.nodes"}
    assert added_modules({"sys", "wave", module, *own}, {"sys"}, Path("/a.b/pack")) == {module}


def test_uninstalling_leaves_a_host_that_starts_and_nothing_of_the_pack(uninstalled: Installed):
    assert "[UNINSTALLED]" in uninstalled.output
    assert uninstalled.seen.folders == [WITNESS.name]
    assert [node_id for node_id in uninstalled.seen.object_info if node_id.startswith("LTXIDLoRA_")] == []
    assert trouble(uninstalled.seen.log) == []
    assert set(uninstalled.new_files) <= HOSTS_FILES | EXAMPLE_INPUTS
