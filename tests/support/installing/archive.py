"""The archive of the pack that the registry keeps, and what should be in it."""

import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# Every file of the repository must match one of these lists, and only one: a new folder is a decision.
SHIPPED = {
    "code": r"__init__\.py|(nodes|idlora_core)/([a-z0-9_]+/)*[a-z0-9_]+\.py",
    "help pages": r"web/docs/LTXIDLoRA_\w+(/[a-zA-Z-]+)?\.md",
    "pictures of the help pages": r"web/docs/([\w-]+/)*[\w.-]+\.(png|jpg|webp|svg)",
    "web extension": r"web/js/[a-z]+\.js",
    "translations": r"locales/[a-zA-Z-]+/(nodeDefs|main|commands|settings)\.json",
    "blueprints": r"subgraphs/[^/]+\.json",
    "templates": r"workflows/[\w ,-]+\.json",
    "thumbnails": r"workflows/[\w ,-]+\.jpg",
    "example media": r"workflows/assets/[a-z0-9_]+\.(png|jpg|flac|wav)",
    "synthetic voices": r"voices/[\w ()]+\.safetensors",
    "voice detector": r"idlora_core/voice/silero_vad_(16k\.safetensors|LICENSE\.txt)",
    "notes on the templates": r"workflows/README\.md",
    "papers": r"README\.md|LICENSE|CHANGELOG\.md|pyproject\.toml",
}
NOT_SHIPPED = {
    "tests": r"tests/.*",
    "developer's tools": r"dev\.py|(dev_setup|tools|bench)/.*",
    "continuous integration": r"\.(ci|github)/.*",
    "documentation": r"docs/.*|CONTRIBUTING\.md",
    "settings of tools": r"\.(gitignore|gitattributes|comfyignore)",
}
LARGEST_MIB = 5
LONGEST_PATH = 100  # Windows takes 260 characters, and custom_nodes is some way down


@dataclass(frozen=True)
class Archive:
    """What `comfy node pack` made, and what it said."""

    path: Path
    output: str

    @property
    def names(self) -> list[str]:
        with zipfile.ZipFile(self.path) as archive:
            return archive.namelist()

    def read(self, name: str) -> bytes:
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(name)

    def texts(self, suffix: str) -> dict[str, str]:
        """Path -> text of the files with this suffix."""
        return {name: self.read(name).decode("utf-8") for name in self.names if name.endswith(suffix)}


def matching(patterns: dict[str, str], paths: Iterable[str]) -> set[str]:
    return {path for path in paths if any(re.fullmatch(pattern, path) for pattern in patterns.values())}
