"""What one page complained about and loads, and which complaints are this pack's doing."""

import re

from playwright.sync_api import ConsoleMessage, Error, Page, Request

from support.host_process import PACK_NAME

OURS = re.compile(rf"{re.escape(PACK_NAME)}|LTXIDLoRA_|idlora")
# Addresses outside, which the page is kept from: the registry is asked about packs by name.
ELSEWHERE = re.compile(r"https?://(?!127\.0\.0\.1)\S+")
# The frontend asks for a help page in the user's language first, and for the plain one when there is none.
HELP_IN_A_LANGUAGE = re.compile(r"/docs/LTXIDLoRA_\w+/[\w-]+\.md$")


class Listener:
    """Listens to a page from before it loads.

    Attributes:
        lines: all console messages, and exceptions that nobody caught.
        problems: those that fail a test: uncaught exceptions, and errors that name this pack or its nodes.
        num_requests, num_loading: requests made so far, and those not answered yet.
    """

    def __init__(self, page: Page):
        self.lines: list[str] = []
        self.problems: list[str] = []
        self.num_requests, self.num_loading = 0, 0
        page.on("console", self._on_console)
        page.on("pageerror", self._on_page_error)
        page.on("request", self._on_request)
        page.on("requestfinished", self._on_answer)
        page.on("requestfailed", self._on_answer)

    def _on_console(self, message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        line = f"{message.type}: {message.text} ({url})"
        self.lines.append(line)
        names_us = OURS.search(ELSEWHERE.sub("", line)) and not HELP_IN_A_LANGUAGE.search(url)
        if message.type == "error" and names_us:
            self.problems.append(line)

    def _on_page_error(self, error: Error) -> None:
        line = f"uncaught: {error.stack or error}"
        self.lines.append(line)
        self.problems.append(line)

    def _on_request(self, _: Request) -> None:
        self.num_requests += 1
        self.num_loading += 1

    def _on_answer(self, _: Request) -> None:
        self.num_loading -= 1
