"""`comfy node pack` gives what a user needs and nothing else."""

import re
import zipfile
from pathlib import Path

import pytest

from support.installing import checkout, programs
from support.installing.archive import LARGEST_MIB, LONGEST_PATH, NOT_SHIPPED, SHIPPED, Archive, matching
from support.installing.checkout import Checkout

ALWAYS = (
    "code",
    "help pages",
    "translations",
    "templates",
    "thumbnails",
    "blueprints",
    "example media",
    "papers",
)
HELP_PAGES = (
    "web/docs"  # what the frontend takes a help page's pictures to be relative to, translations included
)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)|<img[^>]* src=\"([^\"]+)\"")


def test_every_tracked_file_is_meant_to_ship_or_meant_not_to(repository: Checkout):
    tracked = repository.tracked()
    shipped, kept_back = matching(SHIPPED, tracked), matching(NOT_SHIPPED, tracked)
    assert tracked - shipped - kept_back == set(), (
        "Decide in tests/support/installing/archive.py, and in .comfyignore"
    )
    assert shipped & kept_back == set()


def test_the_archive_holds_all_that_is_meant_to_ship_and_nothing_else(repository: Checkout, archive: Archive):
    assert "Warning" not in archive.output, archive.output
    assert len(archive.names) == len(set(archive.names))
    assert set(archive.names) == matching(SHIPPED, repository.tracked())


@pytest.mark.parametrize("kind", ALWAYS)
def test_there_are_files_of_each_kind(archive: Archive, kind: str):
    assert matching({kind: SHIPPED[kind]}, archive.names)


def test_every_template_has_its_thumbnail(archive: Archive):
    templates = matching({"": SHIPPED["templates"]}, archive.names)
    thumbnails = matching({"": SHIPPED["thumbnails"]}, archive.names)
    assert {Path(name).stem for name in templates} == {Path(name).stem for name in thumbnails}


def test_what_ships_is_what_is_tracked(repository: Checkout, archive: Archive):
    changed = [
        name for name in archive.names if archive.read(name) != (repository.folder / name).read_bytes()
    ]
    assert changed == []


def test_it_is_small_and_its_paths_fit_every_system(archive: Archive):
    assert archive.path.stat().st_size < LARGEST_MIB * 2**20
    assert [name for name in archive.names if len(name) > LONGEST_PATH or not name.isascii()] == []
    assert len({name.lower() for name in archive.names}) == len(archive.names)


def test_an_installer_of_requirements_finds_nothing_to_do(archive: Archive):
    assert not {"requirements.txt", "install.py", "prestartup_script.py"} & set(archive.names)


def test_an_untracked_file_is_not_packed_and_a_forgotten_folder_is_noticed(
    repository: Checkout, home: Path, tmp_path: Path
):
    new = checkout.with_changes(repository, tmp_path / "new", {"scratch/notes.md": "of mine\n"})
    (new.folder / "nodes" / "untracked.py").write_text("", encoding="utf-8")
    programs.comfy(new.folder, home, "node", "pack")
    with zipfile.ZipFile(new.folder / "node.zip") as packed:
        names = set(packed.namelist())
    assert "nodes/untracked.py" not in names
    assert names - matching(SHIPPED, new.tracked()) == {"scratch/notes.md"}


def test_what_the_texts_link_to_is_there(repository: Checkout):
    missing = []
    for page in (repository.folder / name for name in repository.tracked() if name.endswith(".md")):
        is_help = page.is_relative_to(repository.folder / HELP_PAGES)
        base = repository.folder / HELP_PAGES if is_help else page.parent
        targets = [found[0] or found[1] for found in LINK.findall(page.read_text(encoding="utf-8"))]
        missing += [
            f"{page.name}: {to}"
            for to in targets
            if not re.match(r"[a-z]+:", to) and not (base / to).exists()
        ]
    assert missing == []
