"""One host and one browser for all tests; pages of their own for each test, in both renderers."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from dev_setup.versions import ROOT
from support.browser.comfy_page import ComfyPage
from support.browser.window import RENDERERS, Window, open_window
from support.host_process import HostProcess

KEPT = ROOT / "output" / "browser"  # picture and console of pages whose test failed
PAGES = pytest.StashKey[list[ComfyPage]]()
OpenPage = Callable[..., ComfyPage]


@pytest.fixture(scope="session")
def studio(host: HostProcess) -> HostProcess:
    """The running host; the pack has put the example picture and voice into its input folder."""
    return host


@pytest.fixture(scope="session")
def window(chromium: Path) -> Iterator[Window]:
    with open_window(chromium) as opened:
        yield opened


@pytest.fixture(params=RENDERERS)
def renderer(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def open_page(request: pytest.FixtureRequest, window: Window, studio: HostProcess) -> Iterator[OpenPage]:
    """Open a page on the host, or on another; the test's end closes it and fails on what it complained about."""
    pages = request.node.stash[PAGES] = []
    with ExitStack() as stack:

        def open_one(
            renderer: str, locale: str = "en", host: HostProcess = studio, **settings: Any
        ) -> ComfyPage:
            pages.append(stack.enter_context(window.page(host, renderer, locale, settings=settings)))
            return pages[-1]

        yield open_one
        for page in pages:
            require_no_problems(page, request.node.name)


@pytest.fixture
def page(open_page: OpenPage, renderer: str) -> ComfyPage:
    """An empty graph in one of the renderers."""
    return open_page(renderer)


@pytest.fixture(scope="session")
def shared_page(
    window: Window, studio: HostProcess
) -> Callable[[str, str], AbstractContextManager[ComfyPage]]:
    """The same for fixtures that several tests share: `with shared_page(renderer, name) as page`."""

    @contextmanager
    def open_one(renderer: str, name: str) -> Iterator[ComfyPage]:
        with window.page(studio, renderer) as page:
            try:
                yield page
            except BaseException:
                print(keep(page, name))
                raise
            require_no_problems(page, name)

    return open_one


def require_no_problems(page: ComfyPage, name: str) -> None:
    problems = page.listener.problems
    assert not problems, "\n".join([*problems, keep(page, name)])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Keep what a failed test's pages show, before they are closed, and say where."""
    if call.excinfo is not None and call.when == "call":
        for page in item.stash.get(PAGES, []):
            item.add_report_section("call", "browser", keep(page, item.name))
    return (yield)


def keep(page: ComfyPage, name: str) -> str:
    folder = KEPT / re.sub(r"\W+", "-", name).strip("-")
    folder.mkdir(parents=True, exist_ok=True)
    page.page.screenshot(path=folder / "page.png")
    (folder / "console.log").write_text("\n".join(page.listener.lines), encoding="utf-8")
    (folder / "comfyui.log").write_text(page.host.log_text(), encoding="utf-8")
    return f"Picture, console and the host's log are in {folder}"
