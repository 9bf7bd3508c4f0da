"""This checkout as a repository of its own: what would be committed now, whatever its state."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from dev_setup.versions import ROOT

from . import programs


@dataclass(frozen=True)
class Checkout:
    """A clean repository with one commit."""

    folder: Path

    def tracked(self) -> set[str]:
        """Paths with forward slashes, from the root."""
        return set(programs.git(self.folder, "ls-files", "-z").split("\0")) - {""}

    def publish(self, served: Path, name: str) -> None:
        """Put a bare clone where a plain file server can serve it to git: `<served>/<name>.git`."""
        bare = served / f"{name}.git"
        programs.git(self.folder, "clone", "--quiet", "--bare", self.folder, bare)
        programs.git(bare, "update-server-info")


def of_the_working_tree(folder: Path) -> Checkout:
    """All files that git would not ignore, committed in `folder`, which must not exist.

    The index is filled straight from the working tree: changes that are not committed are in, and the tree itself
    may be a clone, a worktree, or no repository at all.
    """
    folder.mkdir(parents=True)
    programs.git(folder, "init", "--quiet")
    programs.git(folder, f"--git-dir={folder / '.git'}", f"--work-tree={ROOT}", "add", "--all")
    programs.git(folder, "commit", "--quiet", "--message", "The working tree")
    programs.git(folder, "checkout-index", "--all")
    return Checkout(folder)


def with_changes(source: Checkout, folder: Path, changes: dict[str, str]) -> Checkout:
    """A copy with other texts in some files, committed."""
    shutil.copytree(source.folder, folder)
    for path, text in changes.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    programs.git(folder, "add", "--all", "--force")
    programs.git(folder, "commit", "--quiet", "--message", "Changes")
    return Checkout(folder)
