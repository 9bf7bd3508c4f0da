"""One browser for many pages; each page is alone with the host, whatever it asks the internet for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from support.host_process import HostProcess

from .comfy_page import ComfyPage
from .listener import Listener

RENDERERS = {"classic": False, "nodes2": True}
SIZE = (1600, 1000)
OPTIONS = [
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--force-color-profile=srgb",
]
SETTINGS = {  # no tutorial, no news, nothing brought back from an earlier page
    "Comfy.TutorialCompleted": True,
    "Comfy.Notification.ShowVersionUpdates": False,
    "Comfy.Workflow.Persist": False,
    "Comfy.RightSidePanel.IsOpen": False,
    "Comfy.Minimap.Visible": False,
    "LiteGraph.Node.TooltipDelay": 50,
    "Comfy.Node.AlwaysShowAdvancedWidgets": False,
}


@dataclass
class Window:
    """A running Chromium."""

    browser: Browser

    @contextmanager
    def page(
        self,
        host: HostProcess,
        renderer: str,
        locale: str = "en",
        *,
        size: tuple[int, int] = SIZE,
        scale: float = 1,
        settings: dict[str, Any] | None = None,
    ) -> Iterator[ComfyPage]:
        """ComfyUI's frontend with an empty graph; the host keeps the settings, so one page at a time."""
        chosen = {"Comfy.VueNodes.Enabled": RENDERERS[renderer], "Comfy.Locale": locale}
        host.post("/settings", {**SETTINGS, **chosen, **(settings or {})})
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, device_scale_factor=scale
        )
        context.route(lambda url: _is_foreign(url, host.url), lambda route: route.abort())
        try:
            yield _opened(context.new_page(), host, renderer)
        finally:
            context.close()


def options() -> list[str]:
    """Chromium's sandbox does not work as root, which a container's user often is."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*OPTIONS, *(["--no-sandbox"] if is_root else [])]


@contextmanager
def open_window(executable: Path) -> Iterator[Window]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=options())
        try:
            yield Window(browser)
        finally:
            browser.close()


def _is_foreign(url: str, own: str) -> bool:
    return url.startswith("http") and not url.startswith(own + "/")


def _opened(page: Page, host: HostProcess, renderer: str) -> ComfyPage:
    comfy = ComfyPage(page, host, renderer, Listener(page))
    comfy.open()
    return comfy
