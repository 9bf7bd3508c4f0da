"""Running git, comfy-cli and the Manager's cm-cli with a home of their own and no way out but loopback."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

DEAD_PROXY = "http://127.0.0.1:9"  # "discard": nobody listens, so that a request to the world fails at once
NOT_PASSED = ("PYTHON", "GIT_", "COMFY", "XDG_", "PIP_", "UV_", "CM_")
MANAGER_OF_A_REGISTRY = Path(__file__).with_name("manager_of_a_registry.py")


class ProgramFailed(RuntimeError):
    """A program ended with an error; the message holds what it printed."""


def variables(home: Path) -> dict[str, str]:
    """The environment of a fresh account: nothing of the developer's is read or written, nothing is fetched."""
    kept = {key: value for key, value in os.environ.items() if not key.upper().startswith(NOT_PASSED)}
    folders = (
        "HOME",
        "USERPROFILE",
        "APPDATA",
        "LOCALAPPDATA",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
    )
    proxies = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    loopback = {"no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1,localhost"}
    git = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
    plain = {"NO_COLOR": "1", "COLUMNS": "300", "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"}
    return (
        {**kept, **git, **plain, **loopback, "PIP_NO_INDEX": "1", "OMP_NUM_THREADS": "1"}
        | {name: str(home) for name in folders}
        | dict.fromkeys(proxies, DEAD_PROXY)
    )


def run(command: Sequence[object], folder: Path, environment: Mapping[str, str]) -> str:
    """What a program printed, on either stream.

    Raises:
        ProgramFailed: it is not there, or ended with an error.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300
        )
    except FileNotFoundError as error:
        raise ProgramFailed(f"{words[0]} is not installed, and the tests of installing need it.") from error
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        raise ProgramFailed(f"{' '.join(words)} ended with {done.returncode}:\n{output}")
    return output


def git(folder: Path, *arguments: object) -> str:
    settings = (
        "user.name=test",
        "user.email=test@localhost",
        "init.defaultBranch=main",
        "core.autocrlf=false",
    )
    options = [option for setting in settings for option in ("-c", setting)]
    return run(["git", *options, *arguments], folder, variables(folder))


def comfy(folder: Path, home: Path, *arguments: str) -> str:
    """comfy-cli, in a folder; asks nothing and reports nothing."""
    program = [sys.executable, "-m", "comfy_cli", "--skip-prompt"]
    run([*program, "tracking", "disable"], folder, variables(home))
    return run([*program, *arguments], folder, variables(home))


def manager(comfyui: Path, home: Path, *arguments: str, registry: str | None = None) -> str:
    """ComfyUI-Manager's cm-cli on a ComfyUI; `registry` is the address that stands for api.comfy.org."""
    program = [MANAGER_OF_A_REGISTRY, registry] if registry else ["-m", "cm_cli"]
    environment = {**variables(home), "COMFYUI_PATH": str(comfyui)}
    return run([sys.executable, *program, *arguments], comfyui, environment)
