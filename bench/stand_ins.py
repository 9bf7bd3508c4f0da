"""Empty modules for packages that ComfyUI imports and that sampling LTX-2 does not use.

A machine with a GPU may have PyTorch and no package index. What is there is used; what is missing and only
imported gets a stand-in, whose parts raise when they are called.
"""

import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Iterable

NEEDED = ("torch", "numpy", "comfy_kitchen", "einops", "psutil", "tqdm")
ONLY_IMPORTED = (
    "PIL",
    "aiohttp",
    "av",
    "comfy_aimdo",
    "pydantic",
    "regex",
    "requests",
    "safetensors",
    "scipy",
    "sentencepiece",
    "tokenizers",
    "torchaudio",
    "torchsde",
    "torchvision",
    "transformers",
    "yaml",
)


def missing(names: Iterable[str]) -> list[str]:
    return [name for name in names if importlib.util.find_spec(name) is None]


def put_in_place() -> list[str]:
    """Make what is missing of ONLY_IMPORTED importable; returns those names."""
    absent = missing(ONLY_IMPORTED)
    sys.meta_path.insert(0, _Finder(absent))
    return absent


class _Absent(type):
    """Anything in a module that is not there: it may be named, derived from and decorated with, not called."""

    def __getattr__(cls, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return _part(f"{cls.__module__}.{name}")

    def __call__(cls, *args, **kwargs):
        if cls.__dict__.get("stands_in"):
            raise ImportError(
                f"{cls.__module__} is not installed here; the bench has an empty stand-in for it."
            )
        return super().__call__(*args, **kwargs)


def _part(name: str) -> type:
    return _Absent(name.rpartition(".")[2], (), {"__module__": name, "stands_in": True})


class _Module(types.ModuleType):
    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return _part(f"{self.__name__}.{name}")


class _Finder:
    def __init__(self, absent: list[str]):
        self.absent = absent

    def find_spec(self, name: str, path=None, target=None):
        if name.partition(".")[0] in self.absent:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)  # pyright: ignore[reportArgumentType]
        return None

    def create_module(self, spec) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing is in it."""
