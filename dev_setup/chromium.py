"""A Chromium that starts: the one that is there, else installed by apt-get or by Playwright."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from . import cache, environment
from .console import SetupError, run_logged, say

NAMED = "IDLORA_CHROMIUM"
COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APT_PACKAGES = ("chromium", "fonts-dejavu-core")
PLAYWRIGHTS_OWN = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""
CURE = (
    f"Install Chromium or Google Chrome and run this again, or name its executable in {NAMED}. "
    "On Debian: apt install chromium."
)


def executable() -> Path:
    """A browser that tells its version, installed first where there is none.

    Raises:
        SetupError: none is there, and none could be installed; with what to do.
    """
    named = os.environ.get(NAMED)
    if named:
        if not _starts(Path(named)):
            raise SetupError(f"{NAMED} names {named}, which does not start. {CURE}")
        return Path(named)
    return _found() or _installed()


def _found() -> Path | None:
    return next((candidate for candidate in _candidates() if _starts(candidate)), None)


def _candidates() -> Iterator[Path]:
    on_path = [shutil.which(command) for command in COMMANDS]
    yield from (Path(path) for path in on_path if path)
    yield from (_playwrights_own(variables) for variables in (dict(os.environ), _own_folder()))


def _playwrights_own(variables: dict[str, str]) -> Path:
    command = [environment.python(), "-c", PLAYWRIGHTS_OWN]
    answer = subprocess.run(command, env=variables, capture_output=True, text=True)
    return Path(answer.stdout.strip() or "no browser")


def _own_folder() -> dict[str, str]:
    """Variables that make Playwright keep its browsers in our cache."""
    return {**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(cache.root() / "playwright")}


def _starts(browser: Path) -> bool:
    """False also for Ubuntu's `chromium-browser` without snap: a script that only says where to get one."""
    try:
        answer = subprocess.run([browser, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and "chrom" in answer.stdout.lower()


def _installed() -> Path:
    with cache.locked("chromium"):
        for install in (_install_by_apt, _install_by_playwright):
            browser = _found()  # the first time: another dev.py may have installed it while we waited
            if browser:
                return browser
            try:
                install()
            except SetupError as error:
                say(str(error))
        browser = _found()
    if not browser:
        raise SetupError(f"There is no Chromium here, and none could be installed. {CURE}")
    return browser


def _install_by_apt() -> None:
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if not (is_root and shutil.which("apt-get")):
        return
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    log = cache.log_file("apt-update")
    run_logged(["apt-get", "update"], log, "Reading Debian's package lists", env=quietly)
    install = ["apt-get", "install", "-y", "--no-install-recommends", *APT_PACKAGES]
    run_logged(install, cache.log_file("apt-chromium"), "Installing Chromium (once)", env=quietly)


def _install_by_playwright() -> None:
    install = [environment.python(), "-m", "playwright", "install", "chromium"]
    title = "Downloading Chromium by Playwright (once)"
    run_logged(install, cache.log_file("playwright-chromium"), title, env=_own_folder())
