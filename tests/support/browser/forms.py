"""App mode as a user fills it in, and what the pack says in front of the user: toasts, and the estimate of speech."""

from abc import ABC, abstractmethod
from typing import Any

from playwright.sync_api import Locator, Page, expect

TOASTS = ".p-toast-message-error, .p-toast-message-warn"
HINTED = 300  # milliseconds after which the estimate is that of the words


class FormsAndSentences(ABC):
    """The part of a `ComfyPage` that is there when no graph is seen."""

    page: Page

    @abstractmethod
    def see(self, test_id: str) -> Locator: ...

    @abstractmethod
    def probe(self, name: str, *arguments: Any) -> Any: ...

    @abstractmethod
    def nodes(self) -> list[dict[str, Any]]: ...

    @abstractmethod
    def look(self, left: float, top: float, zoom: float) -> None: ...

    # App mode

    def run_app(self) -> int:
        """Press Run in app mode; what to give to the waits."""
        seen = self.page.evaluate("probe.events.length")
        self.see("linear-run-button").get_by_role("button", name="Run", exact=True).click()
        return seen

    def field(self, label: str) -> Locator:
        """A field of app mode, with its label."""
        named = self.see("builder-widget-label").get_by_text(label, exact=True)
        return self.see("app-mode-widget-item").filter(has=named)

    def fill(self, label: str, text: str) -> None:
        """Type into a field of app mode."""
        box = self.field(label).locator("textarea, input").first
        box.fill(text)
        box.blur()

    def choose(self, label: str, choice: str) -> None:
        """Open a list of app mode and choose from it."""
        self.field(label).get_by_test_id("widget-select-default-trigger").click()
        self.page.get_by_role("option", name=choice, exact=True).click()

    # Toasts

    def toasts(self) -> list[tuple[str, str]]:
        """What pops up in the corner and stays: title and sentence, of errors and warnings."""
        boxes = self.page.locator(TOASTS).all_inner_texts()
        return [(text.split("\n")[0], text.split("\n")[-1]) for text in boxes]

    def wait_toast(self, title: str, words: str) -> None:
        """Wait for a toast with this title and these words in its sentence."""
        told = self.page.locator(TOASTS).filter(has_text=title).filter(has_text=words)
        told.first.wait_for()

    def wait_num_toasts(self, number: int) -> None:
        """Wait until so many stay: one that is taken away fades."""
        expect(self.page.locator(TOASTS)).to_have_count(number)

    # The estimate of speech

    def type_speech(self, text: str) -> str:
        """Type into the speech box of ID-LoRA Prompt; what then stands below it."""
        (prompt,) = [node["id"] for node in self.nodes() if node["type"] == "LTXIDLoRA_Prompt"]
        left, top, _, _ = self.probe("bounds", [prompt])
        self.look(left - 100, top - 100, 1)
        box = self.page.locator("textarea").nth(self.probe("textBox", prompt, "speech"))
        box.fill(text)
        return self.hint()

    def hint(self) -> str:
        box = self.see("idlora-speech-fit")
        self.page.wait_for_timeout(HINTED)
        return box.locator("span").inner_text()

    def press_hint(self) -> None:
        self.see("idlora-speech-fit").get_by_role("button").click()

    def value(self, node_type: str, widget: str) -> Any:
        (node,) = [node for node in self.nodes() if node["type"] == node_type]
        return node["values"][widget]
