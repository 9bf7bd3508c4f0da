"""A ComfyUI as a user has it: one folder for program, custom nodes, input, output and settings."""

import http.client
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from support.host_process import HostProcess

WITNESS = Path(__file__).with_name("witness")
NOT_OF_A_RELEASE = {"tests", "tests-unit", "models", "input", "output", "temp", "user"}


@dataclass(frozen=True)
class Seen:
    """What a running host showed of the packs in its custom_nodes, asked once, before anything else ran."""

    folders: list[str]
    object_info: dict[str, Any]
    templates: dict[str, list[str]]
    translations: dict[str, Any]
    blueprints: list[tuple[str, str]]
    modules: set[str]
    files: dict[str, bytes]
    log: str

    @property
    def imported(self) -> set[str]:
        """Folders and files of custom_nodes that the host's log lists as imported without a failure."""
        return set(re.findall(r"\d+\.\d+ seconds: .*custom_nodes[\\/](.+)$", self.log, re.MULTILINE))

    @property
    def node_modules(self) -> dict[str, str]:
        """Node id -> the pack that serves it, of all nodes from custom_nodes."""
        return {
            node_id: info["python_module"].removeprefix("custom_nodes.")
            for node_id, info in self.object_info.items()
            if info["python_module"].startswith("custom_nodes.")
        }


@dataclass(frozen=True)
class Installed:
    """A ComfyUI after the pack came into it, or went.

    Attributes:
        folders: the pack's, in custom_nodes.
        output: what the Manager said.
        new_files: path -> content of what is there besides ComfyUI's own files, after the host was stopped.
    """

    comfyui: Path
    folders: tuple[str, ...]
    output: str
    new_files: dict[str, bytes]
    seen: Seen


def users_comfyui(tree: Path, folder: Path) -> Path:
    """A copy of a ComfyUI release in `folder`, with the witness among its custom nodes."""

    def left_out(copied: str, names: list[str]) -> set[str]:
        return {"__pycache__"} | (NOT_OF_A_RELEASE if Path(copied) == tree else set())

    shutil.copytree(tree, folder, ignore=left_out)
    shutil.copytree(WITNESS, folder / "custom_nodes" / WITNESS.name)
    return folder


def new_files(comfyui: Path, tree: Path) -> dict[str, bytes]:
    """Path -> content of what is in a ComfyUI and not in the release, without the witness and compiled Python."""
    own = ("__pycache__", ".git", WITNESS.name)
    found = {path.relative_to(comfyui): path for path in comfyui.rglob("*") if path.is_file()}
    return {
        relative.as_posix(): path.read_bytes()
        for relative, path in found.items()
        if not (tree / relative).exists() and not set(own) & set(relative.parts)
    }


def _folders(custom_nodes: Path) -> list[str]:
    """The packs; Python keeps what it compiles of the host's own single files there, too."""
    return sorted(
        path.name for path in custom_nodes.iterdir() if path.is_dir() and path.name != "__pycache__"
    )


def seen_by_the_host(comfyui: Path, addresses: Sequence[str]) -> Seen:
    """Start the ComfyUI, look, and stop it.

    Args:
        addresses: paths to fetch besides, not quoted; `Seen.files` has those that were answered with 200.
    """
    python = Path(sys.executable)
    process = HostProcess(comfyui, python, comfyui, custom_nodes={}, options=["--cpu"], threads=1)
    with process as host:
        modules = set(host.get("/installing/modules"))
        blueprints = host.get("/global_subgraphs").values()
        return Seen(
            folders=_folders(comfyui / "custom_nodes"),
            object_info=host.object_info(),
            templates=host.get("/workflow_templates"),
            translations=host.get("/i18n"),
            blueprints=[
                (blueprint["info"]["node_pack"].removeprefix("custom_nodes."), blueprint["name"])
                for blueprint in blueprints
                if blueprint["source"] == "custom_node"
            ],
            modules=modules,
            files={
                address: content for address in addresses if (content := _file(host, address)) is not None
            },
            log=host.log_text(),
        )


def _file(host: HostProcess, address: str) -> bytes | None:
    answer = host.fetch(quote(address))
    return answer.body if answer.status == http.client.OK else None
