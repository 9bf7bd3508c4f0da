"""What the shipped modules import, and whether a host has it."""

import ast
import importlib.metadata
import posixpath
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

NEWER_THAN_PYTHON_3_10 = {"tomllib", "compression", "annotationlib"}
NOT_NEEDED = "#non essential"
NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Import:
    module: str
    line: int
    is_guarded: bool


def absolute_imports(source: str) -> list[Import]:
    """All imports of other packages; guarded are those in a `try` that catches ImportError."""
    tree = ast.parse(source)
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Try) and any(_catches_import_error(handler) for handler in node.handlers)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    return [
        Import(module, node.lineno, id(node) in guarded)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for module in modules_of(node)
    ]


def modules_of(statement: ast.Import | ast.ImportFrom) -> list[str]:
    """The modules of other packages that one statement names."""
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    return [statement.module] if statement.module and not statement.level else []


def missing_on(host: Path, sources: Mapping[str, str]) -> list[str]:
    """Unguarded imports that a ComfyUI of this release, with its own requirements alone, might not have."""
    available = _standard_library() | _modules_of_the_host(host) | _modules_of_its_requirements(host)
    return [
        f"{path}:{found.line} imports {found.module}"
        for path, source in sources.items()
        for found in absolute_imports(source)
        if not found.is_guarded and found.module.split(".")[0] not in available
    ]


def unresolved(sources: Mapping[str, str]) -> list[str]:
    """Relative imports that lead to no file among the sources."""
    return [
        f"{path}:{node.lineno} imports {'.' * node.level}{node.module or ''}"
        for path, source in sources.items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.level
        if not all(_leads_somewhere(target, sources) for target in _targets(path, node))
    ]


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id in ("ImportError", "ModuleNotFoundError")
        for node in ast.walk(handler.type or ast.Pass())
    )


def _standard_library() -> set[str]:
    return set(sys.stdlib_module_names) - NEWER_THAN_PYTHON_3_10


def _modules_of_the_host(host: Path) -> set[str]:
    packages = {path.name for path in host.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    return packages | {path.stem for path in host.glob("*.py")}


def _modules_of_its_requirements(host: Path) -> set[str]:
    """Top-level modules of what requirements.txt lists; what these need in turn may change, so it does not count."""
    text = (host / "requirements.txt").read_text(encoding="utf-8").split(NOT_NEEDED)[0]
    listed = {_normalised(match.group()) for line in text.splitlines() if (match := NAME.match(line))}
    by_module = importlib.metadata.packages_distributions()
    return {
        module for module, owners in by_module.items() if {_normalised(owner) for owner in owners} & listed
    }


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _targets(path: str, node: ast.ImportFrom) -> Iterator[str]:
    folder = path
    for _ in range(node.level):
        folder = posixpath.dirname(folder)
    base = posixpath.join(folder, *(node.module or "").split("."))
    if node.module:
        yield base
    else:
        yield from (posixpath.join(base, alias.name) for alias in node.names)


def _leads_somewhere(target: str, sources: Mapping[str, str]) -> bool:
    return f"{target}.py" in sources or posixpath.join(target, "__init__.py") in sources
