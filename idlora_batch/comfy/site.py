"""What a ComfyUI is: its nodes, versions and model files; what a clip's key depends on."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .client import Client

SAMPLES, SAMPLE_BYTES = 16, 64 << 10
SUFFIXES = ("", ".safetensors")  # a saved voice is named without one


@dataclass(frozen=True)
class Site:
    """schemas: the host's /object_info. versions: of ComfyUI and of the packs, by module.

    identify: model file as a node names it -> its identity, "" where no folder of the host has it.
    """

    schemas: dict[str, dict[str, Any]]
    versions: dict[str, str]
    identify: Callable[[str], str]


def schemas(client: Client) -> dict[str, dict[str, Any]]:
    return client.get("/object_info")


def versions(client: Client, nodes: dict[str, dict[str, Any]], custom_nodes: Path | None) -> dict[str, str]:
    """ComfyUI's version, and a hash of each pack's Python files where its folder is known, else its name alone."""
    modules = {str(node.get("python_module", "")) for node in nodes.values()}
    packs = sorted(module for module in modules if module.startswith("custom_nodes."))
    system = client.get("/system_stats")["system"]
    return {
        "comfyui": str(system.get("comfyui_version", "unknown")),
        **{pack: _pack_version(pack, custom_nodes) for pack in packs},
    }


def _pack_version(module: str, custom_nodes: Path | None) -> str:
    folder = custom_nodes / module.removeprefix("custom_nodes.") if custom_nodes else None
    if folder is None or not folder.is_dir():
        return "unknown"
    folder = folder.resolve()
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        inner = file.relative_to(folder)
        if inner.parts[0] not in ("tests", "idlora_batch", ".git", "output"):
            digest.update(f"{inner.as_posix()}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def identify(client: Client, name: str) -> str:
    """A model file's identity: size and sampled content where this process can read it, else size and date.

    Twenty gigabytes are not read for it: the first and last 64 KiB and 16 more between them are.
    """
    for folder in client.get("/experiment/models"):
        for path in folder["folders"]:
            for file in (Path(path) / (name + suffix) for suffix in SUFFIXES):
                if file.is_file():
                    return _sampled(file)
    for folder in client.get("/experiment/models"):
        for entry in client.get(f"/experiment/models/{folder['name']}"):
            if entry["name"] in (name, name + SUFFIXES[1]):
                return f"{entry.get('size')} bytes, changed {entry.get('modified')}"
    return ""


def _sampled(file: Path) -> str:
    size = file.stat().st_size
    digest = hashlib.sha256()
    with open(file, "rb") as content:
        for sample in range(SAMPLES + 1):
            content.seek(max(size - SAMPLE_BYTES, 0) * sample // SAMPLES)
            digest.update(content.read(SAMPLE_BYTES))
    return f"{size} bytes, {digest.hexdigest()[:16]}"
