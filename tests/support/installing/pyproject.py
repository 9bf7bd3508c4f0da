"""What the registry and the Manager read in pyproject.toml, checked more strictly than `comfy node validate` does."""

import re
from typing import Any

# https://docs.comfy.org/registry/specifications; the rest are PyPI's.
REGISTRY_CLASSIFIERS = {
    "Operating System :: OS Independent",
    "Operating System :: Microsoft :: Windows",
    "Operating System :: POSIX :: Linux",
    "Operating System :: MacOS",
    "Environment :: GPU :: NVIDIA CUDA",
    "Environment :: GPU :: AMD ROCm",
    "Environment :: GPU :: Intel Arc",
    "Environment :: NPU :: Huawei Ascend",
    "Environment :: GPU :: Apple Metal",
}
PYPI_CLASSIFIERS = {"Programming Language :: Python :: 3", "Topic :: Multimedia :: Video"}
NAME = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
HOST_VERSION = re.compile(r"(==|>=|<=|!=|~=|>|<)\d+\.\d+\.\d+")
# example.com is reserved for examples (RFC 2606): the address of a pack that has no public home yet.
REPOSITORY = re.compile(r"https://(github|example)\.com/[\w.-]+/[\w.-]+")
PUBLISHER = re.compile(r"[a-z0-9][a-z0-9-]*")
LONGEST_NAME = 100


def problems(pyproject: dict[str, Any]) -> list[str]:
    """The keys that are wrong, none when all is well."""
    checks = {**_project_checks(pyproject["project"]), **_comfy_checks(pyproject["tool"]["comfy"])}
    return [key for key, is_right in checks.items() if not is_right]


def _project_checks(project: dict[str, Any]) -> dict[str, bool]:
    name, classifiers = project.get("name", ""), project.get("classifiers", [])
    return {
        "name": bool(NAME.fullmatch(name)) and "comfyui" not in name and len(name) < LONGEST_NAME,
        "version": bool(VERSION.fullmatch(project.get("version", ""))),
        "description": bool(project.get("description", "").strip()),
        "license": _is_licence(project.get("license")),
        "classifiers": set(classifiers) <= REGISTRY_CLASSIFIERS | PYPI_CLASSIFIERS
        and any(classifier.startswith("Operating System") for classifier in classifiers),
        "dependencies": project.get("dependencies") == [],
        "requires-python": project.get("requires-python") == ">=3.10",
        "urls.Repository": bool(REPOSITORY.fullmatch(project.get("urls", {}).get("Repository", ""))),
    }


def _comfy_checks(comfy: dict[str, Any]) -> dict[str, bool]:
    hosts = comfy.get("requires-comfyui", "").split(",")
    known = {
        "PublisherId",
        "DisplayName",
        "Icon",
        "Banner",
        "requires-comfyui",
    }  # `web` would move the help pages
    return {
        "PublisherId": bool(PUBLISHER.fullmatch(comfy.get("PublisherId", ""))),
        "DisplayName": bool(comfy.get("DisplayName", "").strip()),
        "requires-comfyui": all(HOST_VERSION.fullmatch(part.strip()) for part in hosts),
        "Icon": all(_is_absent_or_address(comfy, key) for key in ("Icon", "Banner")),
        "unknown key": set(comfy) <= known,
    }


def _is_licence(value: Any) -> bool:
    """An SPDX name as PEP 639 has it, or the older table with one of two keys."""
    if isinstance(value, str):
        return bool(re.fullmatch(r"[A-Za-z0-9.+-]+", value))
    return isinstance(value, dict) and len(value) == 1 and bool(value.get("file") or value.get("text"))


def _is_absent_or_address(comfy: dict[str, Any], key: str) -> bool:
    return key not in comfy or bool(re.fullmatch(r"https://\S+\.(png|jpe?g|gif|svg|webp)", comfy[key]))


def versions_of(changelog: str) -> list[str]:
    """The versions that a changelog has headings for, in its order."""
    return re.findall(r"^## (\d+\.\d+\.\d+)\b", changelog, re.MULTILINE)
