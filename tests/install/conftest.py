"""The pack, packed once and installed in several ways, each into a ComfyUI of its own."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import pytest
import tomlkit

from dev_setup.versions import ROOT
from support.host_process import PACK_NAME
from support.installing import checkout, loopback, programs, users_comfyui
from support.installing.archive import Archive
from support.installing.checkout import Checkout
from support.installing.users_comfyui import Installed

REPOSITORY_NAME = "ComfyUI-ID-LoRA"  # as a fork or a rename might be called
ODD_NAME = "ID LoRA (v0.1)-x"


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a fresh account."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return checkout.of_the_working_tree(tmp_path_factory.mktemp("checkout") / PACK_NAME)


@pytest.fixture(scope="session")
def archive(repository: Checkout, home: Path) -> Archive:
    output = programs.comfy(repository.folder, home, "node", "pack")
    return Archive(repository.folder / "node.zip", output)


@pytest.fixture(scope="session")
def pyproject(repository: Checkout) -> dict:
    text = (repository.folder / "pyproject.toml").read_text(encoding="utf-8")
    return tomlkit.parse(text).unwrap()


@pytest.fixture(scope="session")
def node_ids() -> set[str]:
    """All nodes of the pack, as the host last described them (a test of the host tier keeps the record true)."""
    schemas = json.loads((ROOT / "tools" / "workflows" / "node_schemas.json").read_text(encoding="utf-8"))
    return {node_id for node_id in schemas if node_id.startswith("LTXIDLoRA_")}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[loopback.Loopback]:
    with loopback.serving(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture(scope="session")
def fresh_comfyui(comfy_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    return lambda: users_comfyui.users_comfyui(comfy_tree, tmp_path_factory.mktemp("comfyui") / "ComfyUI")


@pytest.fixture(scope="session")
def looked_at(comfy_tree: Path) -> Callable[..., Installed]:
    """Start a host in a ComfyUI, and note what it shows and what is there when it has stopped."""

    def look(
        comfyui: Path, folders: tuple[str, ...], output: str = "", asked: Sequence[str] = ()
    ) -> Installed:
        seen = users_comfyui.seen_by_the_host(comfyui, asked)
        return Installed(comfyui, folders, output, users_comfyui.new_files(comfyui, comfy_tree), seen)

    return look


@pytest.fixture(scope="session")
def addresses(archive: Archive) -> Callable[[str], list[str]]:
    """Where a host serves the shipped help pages, templates and thumbnails of a folder of custom_nodes."""

    def of_folder(folder: str) -> list[str]:
        pages = [name.removeprefix("web/") for name in archive.names if name.startswith("web/")]
        templates = [
            path.name for path in map(PurePosixPath, archive.names) if str(path.parent) == "workflows"
        ]
        help_pages = [f"/extensions/{folder}/{page}" for page in pages]
        return help_pages + [f"/api/workflow_templates/{folder}/{name}" for name in templates]

    return of_folder


@pytest.fixture(scope="session")
def from_registry(
    archive: Archive,
    pyproject: dict,
    server: loopback.Loopback,
    home: Path,
    fresh_comfyui: Callable[[], Path],
    addresses: Callable[[str], list[str]],
    looked_at: Callable[..., Installed],
) -> Installed:
    """Installed by the Manager's registry route: its own code, but for the registry's address."""
    comfyui = fresh_comfyui()
    name, version = pyproject["project"]["name"], pyproject["project"]["version"]
    server.publish(name, version, archive.path)
    arguments = ("install", f"{name}@{version}", "--mode", "cache")
    output = programs.manager(comfyui, home, *arguments, registry=server.url)
    return looked_at(comfyui, (name,), output, addresses(name))


@pytest.fixture(scope="session")
def from_git(
    repository: Checkout,
    server: loopback.Loopback,
    home: Path,
    fresh_comfyui: Callable[[], Path],
    addresses: Callable[[str], list[str]],
    looked_at: Callable[..., Installed],
) -> Installed:
    """Installed by the Manager from a repository's address; the folder gets the repository's name."""
    comfyui = fresh_comfyui()
    repository.publish(server.folder, REPOSITORY_NAME)
    url = f"{server.url}/{REPOSITORY_NAME}.git"
    output = programs.manager(comfyui, home, "install", url, "--mode", "cache")
    return looked_at(comfyui, (REPOSITORY_NAME,), output, addresses(REPOSITORY_NAME))


@pytest.fixture(scope="session")
def three_copies(
    archive: Archive,
    fresh_comfyui: Callable[[], Path],
    addresses: Callable[[str], list[str]],
    looked_at: Callable[..., Installed],
) -> Installed:
    """Unpacked by hand into three folders, one of them with every character that a name might have."""
    comfyui = fresh_comfyui()
    folders = (PACK_NAME, REPOSITORY_NAME, ODD_NAME)
    for folder in folders:
        shutil.unpack_archive(archive.path, comfyui / "custom_nodes" / folder)
    asked = [address for folder in folders for address in addresses(folder)]
    return looked_at(comfyui, folders, asked=asked)


@pytest.fixture(scope="session", params=["from_registry", "from_git", "three_copies"])
def installed(request: pytest.FixtureRequest) -> Installed:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def uninstalled(from_registry: Installed, home: Path, looked_at: Callable[..., Installed]) -> Installed:
    """The ComfyUI of `from_registry` after the Manager removed the pack and the host was started again."""
    folders = from_registry.folders
    output = programs.manager(from_registry.comfyui, home, "uninstall", *folders, "--mode", "cache")
    return looked_at(from_registry.comfyui, (), output)
