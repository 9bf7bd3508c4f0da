"""Nothing of a download runs before its hash is found right."""

import hashlib
import io
import sys
import tarfile
from pathlib import Path

import pytest

from dev_setup import downloads, environment, takes_assets
from dev_setup.console import SetupError
from dev_setup.versions import LOCKED, SourceArchive

NAME, VERSION = "an-archive-of-ours", "1.0"


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """What the archive's build code writes when it runs."""
    return tmp_path / "ran"


@pytest.fixture
def archive(tmp_path: Path, marker: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source archive on an index that has nothing else."""
    files = {
        "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
        "setup.py": f"import setuptools\nopen({str(marker)!r}, 'w').close()\n"
        f"setuptools.setup(name={NAME!r}, version={VERSION!r})\n",
        "inner/a.txt": "content\n",
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n",
    }
    index = tmp_path / "index"
    index.mkdir()
    path = index / f"{NAME.replace('-', '_')}-{VERSION}.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"{NAME.replace('-', '_')}-{VERSION}/{name}")
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("IDLORA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(environment, "python", lambda: Path(sys.executable))
    return path


def test_an_archive_of_another_hash_never_runs(archive: Path, marker: Path, tmp_path: Path):
    with pytest.raises(SetupError, match="DO NOT MATCH THE HASHES"):
        downloads._unpack(SourceArchive(NAME, VERSION, "0" * 64), "inner", tmp_path / "out")
    assert not marker.exists()


def test_of_an_archive_with_recordings_nothing_runs_at_all(archive: Path, marker: Path, tmp_path: Path):
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    wanted = takes_assets.Archive("sdist", NAME, VERSION, sha256, {"inner/a.txt": "kept/a.txt"})
    (tmp_path / "download").mkdir()
    file = takes_assets._downloaded(wanted, tmp_path / "download")
    takes_assets._keep(file, wanted, tmp_path / "out")
    assert (tmp_path / "out" / "kept" / "a.txt").read_text() == "content\n"
    assert not marker.exists()


def test_an_archive_with_recordings_of_another_hash_is_not_used(archive: Path, tmp_path: Path):
    wanted = takes_assets.Archive("sdist", NAME, VERSION, "0" * 64, {"inner/a.txt": "a.txt"})
    (tmp_path / "download").mkdir()
    with pytest.raises(SetupError, match="DO NOT MATCH THE HASHES"):
        takes_assets._downloaded(wanted, tmp_path / "download")


def test_what_a_package_no_longer_has_is_said(archive: Path, tmp_path: Path):
    wanted = takes_assets.Archive("sdist", NAME, VERSION, "", {"inner/b.txt": "b.txt"})
    with pytest.raises(SetupError, match=r"lacks inner/b\.txt"):
        takes_assets._keep(archive, wanted, tmp_path / "out")


def test_one_of_the_pinned_hash_is_unpacked(archive: Path, tmp_path: Path):
    source = SourceArchive(NAME, VERSION, hashlib.sha256(archive.read_bytes()).hexdigest())
    (tmp_path / "out").mkdir()
    downloads._unpack(source, "inner", tmp_path / "out")
    assert (tmp_path / "out" / "a.txt").read_text() == "content\n"


def test_every_pin_has_hashes():
    lines = LOCKED.read_text(encoding="utf-8").splitlines()
    pins = [i for i, line in enumerate(lines) if "==" in line and not line.startswith((" ", "#"))]
    assert len(pins) > 150
    assert [lines[i] for i in pins if not lines[i + 1].startswith("    --hash=sha256:")] == []
