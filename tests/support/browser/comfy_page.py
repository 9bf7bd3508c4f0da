"""What a person does in ComfyUI's frontend, and what they then see. Made for frontend 1.47."""

import base64
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, Request, TimeoutError, expect

from support.host_process import HostProcess

from .forms import FormsAndSentences
from .listener import Listener

PROBE = Path(__file__).with_name("probe.js")
SOON, LATE, UNBLOCKED = 60_000, 300_000, 10_000  # milliseconds, only there to end a hang
POINTINGS, TOOLTIP_SHOWN = 20, 1_000
DOUBLE_CLICKS, DOUBLE_CLICK_TAKEN = 10, 3_000
CANVAS, CORNER, ROOM = (800, 500), (1590, 990), 750  # points of the window; height for a node
TYPED = 1_000  # milliseconds after which a search has been taken
QUIET = 500  # milliseconds without a request: what was loading is loaded
MEDIA_TYPES = {".json": "application/json", ".mp4": "video/mp4"}
ENDS = ("execution_success", "execution_error", "execution_interrupted")
SHOWN_WORDS = "tip => { const e = document.querySelector(tip); return e?.checkVisibility() && e.innerText }"
TOOLTIP = {"classic": ".node-tooltip", "nodes2": ".p-tooltip-text"}


class ComfyPage(FormsAndSentences):
    """One tab with the frontend of a running host.

    `page` is Playwright's, for what has no verb here; `listener` has what the tab complained about.
    """

    def __init__(self, page: Page, host: HostProcess, renderer: str, listener: Listener):
        self.page, self.host, self.renderer, self.listener = page, host, renderer, listener
        page.set_default_timeout(SOON)
        page.add_init_script(path=PROBE)

    # Opening, and waiting

    def open(self) -> None:
        """Load the frontend, and begin with an empty graph."""
        try:
            self._load(UNBLOCKED)
        except TimeoutError:  # seldom, the frontend's own curtain stays when all is loaded
            self._load(SOON)
        self.probe("listen")
        self.clear()
        self.settle()

    def _load(self, timeout: int) -> None:
        self.page.goto(self.host.url, wait_until="domcontentloaded")
        self.wait_until("probe.isReady()")
        self.wait_until("!probe.isBlocked()", timeout)

    def probe(self, name: str, *arguments: Any) -> Any:
        """Call a function of probe.js."""
        return self.page.evaluate(f"args => window.probe.{name}(...args)", list(arguments))

    def command(self, name: str) -> None:
        self.page.evaluate("name => app.extensionManager.command.execute(name)", name)

    def wait_until(self, condition: str, timeout: int = SOON) -> None:
        """Wait for a JavaScript expression to be true."""
        self.page.wait_for_function(f"() => {condition}", timeout=timeout)

    def settle(self) -> None:
        """Wait until nothing has been loading for a while: checks that the frontend makes on its own are done."""
        quiet = 0
        while quiet < QUIET:
            before = self.listener.num_requests
            self.page.wait_for_timeout(100)
            is_quiet = self.listener.num_loading == 0 and self.listener.num_requests == before
            quiet = quiet + 100 if is_quiet else 0

    def see(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    # Graphs

    def drop_file(self, file: Path) -> None:
        """Drop a file on the canvas and wait for its graph."""
        if self.nodes():
            self.clear()
        content = base64.b64encode(file.read_bytes()).decode()
        self.probe("drop", file.name, content, MEDIA_TYPES[file.suffix])
        self.wait_until("probe.nodes().length > 0")
        self.settle()

    def clear(self) -> None:
        """Begin a new, empty graph in a new tab."""
        self.command("Comfy.NewBlankWorkflow")
        self.wait_until("probe.nodes().length === 0")

    def set_values(self, values: dict[str, Any]) -> None:
        """Type into all widgets of these names that hold a value of the same kind, or into what feeds them."""
        self.probe("setValues", values)

    def nodes(self) -> list[dict[str, Any]]:
        return self.probe("nodes")

    def missing_types(self) -> list[str]:
        return sorted(node["type"] for node in self.nodes() if not node["isKnown"])

    def overlaps(self) -> list[list[str]]:
        """Titles of nodes that cover each other, two by two."""
        self.fit_view()
        return self.probe("overlaps")

    def complaints(self) -> list[str]:
        """What the frontend lays over the graph: its error box, and open dialogs."""
        boxes = [self.see("error-overlay"), self.page.get_by_role("dialog")]
        return [text for box in boxes for text in box.all_inner_texts()]

    def fit_view(self) -> None:
        self.command("Comfy.Canvas.FitView")
        self.page.evaluate("() => probe.stillView()")

    def look(self, left: float, top: float, zoom: float) -> None:
        """Bring a point of the graph to the canvas's top left corner, at `zoom` CSS pixels per unit."""
        self.settle()
        self.probe("look", left, top, zoom)
        self.page.evaluate("() => probe.stillView()")

    # Running

    def run(self) -> int:
        """Press Run; what to give to the waits."""
        seen = self.page.evaluate("probe.events.length")
        self.see("queue-button").click()
        begun = "seen => probe.eventsSince(seen).some(e => e.name === 'execution_start')"
        self.page.wait_for_function(begun, arg=seen)
        return seen

    def wait_end(self, seen: int) -> dict[str, Any]:
        """Wait for the end of a run; the event that tells it."""
        self.page.wait_for_function("seen => probe.hasEnded(seen)", arg=seen, timeout=LATE)
        events = self.probe("eventsSince", seen)
        return next(event for event in events if event["name"] in ENDS)

    def wait_success(self, seen: int) -> dict[str, Any]:
        """Wait for a run's success; its entry in the host's history."""
        end = self.wait_end(seen)
        assert end["name"] == "execution_success", end
        entry = self.host.history(end["detail"]["prompt_id"])
        assert entry is not None
        return entry

    def wait_steps(self, seen: int, num_steps: int) -> None:
        """Wait until a sampler has told of some steps."""
        told = "([seen, n]) => probe.eventsSince(seen).filter(e => e.name === 'progress').length >= n"
        self.page.wait_for_function(told, arg=[seen, num_steps], timeout=LATE)

    def interrupt(self, seen: int) -> float:
        """Press the button that stops the run; seconds from the press to the host's word that it stopped."""
        self.page.get_by_label("Cancel current run").click()
        end = self.wait_end(seen)
        assert end["name"] == "execution_interrupted", end
        return (end["at"] - self.page.evaluate("probe.clickedAt")) / 1000

    def film(self) -> dict[str, Any]:
        """Play the video that the graph shows, until sound has been decoded."""
        self.fit_view()
        expect(self.page.locator("video")).to_have_count(1)
        self.wait_until("document.querySelector('video').readyState >= 1")
        self.page.evaluate("async () => { await probe.player() }")
        self.wait_until("probe.film().soundBytes > 0")
        return self.probe("film")

    # Finding and reading

    def search(self, words: str) -> list[str]:
        """Double-click the canvas and type; the names of the nodes that are offered."""
        box = self._search_box()
        box.fill(words)
        self.settle()
        names = [text.splitlines()[0] for text in self.see("result-item").all_inner_texts()]
        self.page.keyboard.press("Escape")
        box.wait_for(state="detached")
        return names

    def _search_box(self) -> Locator:
        """Double-click until it is taken for a double click: on a busy machine the clicks come too far apart."""
        box = self.page.get_by_role("search").locator("input[role=combobox]")
        for _ in range(DOUBLE_CLICKS):
            self.page.mouse.dblclick(*CANVAS)
            with suppress(TimeoutError):
                box.wait_for(timeout=DOUBLE_CLICK_TAKEN)
                break
        return box

    def templates(self, pack: str) -> dict[str, int]:
        """The templates of a pack in the template browser: name -> width of the picture that is shown."""
        self.command("Comfy.BrowseTemplates")
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_text(pack, exact=True).click()
        self.settle()
        cards = dialog.locator("[data-testid^=template-workflow-]")
        return dict(self._template(card) for card in cards.all())

    def _template(self, card: Locator) -> tuple[str, int]:
        """Name and width of the picture; the frontend loads the picture when its card comes into view."""
        card.scroll_into_view_if_needed()
        name = (card.get_attribute("data-testid") or "").removeprefix("template-workflow-")
        return name, card.locator("img").evaluate("image => image.naturalWidth")

    def found_templates(self, *searches: str) -> list[list[str]]:
        """Type into the template browser's search; the names of the templates that each search leaves."""
        self.command("Comfy.BrowseTemplates")
        dialog = self.page.get_by_role("dialog")
        dialog.locator("[data-testid^=template-workflow-]").first.wait_for()
        return [self._search_templates(dialog, words) for words in searches]

    def _search_templates(self, dialog: Locator, words: str) -> list[str]:
        dialog.locator("input[type=text]").first.fill(words)
        self.page.wait_for_timeout(TYPED)
        return self.probe("templates")

    def help(self, node_type: str) -> Locator:
        """Add a node, select it and press the info button; the panel's content when loaded."""
        self.probe("select", self.add_node(node_type))
        self.see("info-button").click()
        content = self.see("properties-panel").locator(".node-help-content")
        content.locator(".markdown-content, .fallback-content").wait_for()
        self.settle()
        return content

    def errors_panel(self) -> Locator:
        """Press "View details" in the error box; the side panel with the list of errors."""
        self.see("error-overlay-see-errors").click()
        return self.see("properties-panel")

    def offered_downloads(self) -> dict[str, tuple[str, str]]:
        """Files that the errors panel offers to download: name -> folder, address that its button opens."""
        panel = self.errors_panel()
        panel.get_by_test_id("missing-model-importable-rows").wait_for()
        offered = {}
        for button in panel.get_by_test_id("missing-model-download").all():
            name = (button.get_attribute("aria-label") or "").removeprefix("Download ")
            offered[name] = (self._folder(button), self._address(button, name))
        return offered

    def _folder(self, button: Locator) -> str:
        """The line below a model's name, in its row."""
        return button.locator("xpath=preceding-sibling::span[1]/span[last()]").inner_text()

    def _address(self, button: Locator, name: str) -> str:
        """Press Download; where the new tab then looks for the file, in vain: it is alone with its host."""

        def asks_for_it(request: Request) -> bool:
            return request.is_navigation_request() and request.url.endswith(name)

        with self.page.context.expect_event("request", asks_for_it) as asked:
            button.click()
        return asked.value.url

    # A node's words

    def add_node(self, node_type: str) -> str:
        """Add a node and bring it into view; its id."""
        node_id = self.probe("addNode", node_type, 0, 0)
        self.page.evaluate("() => probe.stillView()")
        left, top, _, bottom = self.probe("bounds", [node_id])
        self.look(left - 400, top - 100, min(1, ROOM / (bottom - top)))
        return node_id

    def words(self, node_id: str) -> dict[str, Any]:
        """A node's `title`, `inputs` (name -> the word shown) and `outputs` (the words shown), as on the screen."""
        words = self.probe("words", node_id)
        if self.renderer == "nodes2":
            shown = self.node(node_id).inner_text().splitlines()
            all_words = [words["title"], *words["inputs"].values(), *words["outputs"]]
            assert not [word for word in all_words if word not in shown], shown
        return words

    def node(self, node_id: str) -> Locator:
        """A node's element, in Nodes 2.0."""
        return self.page.locator(f"[data-node-id='{node_id}']")

    def title_tooltip(self, node_id: str) -> str:
        """Point at a node's title; the words that appear."""
        return self._tooltip(node_id, "title", self.probe("words", node_id)["title"])

    def pointable(self, node_id: str) -> list[str]:
        """Names of the inputs whose tooltip the renderer shows where one points at them.

        Classic has none on text boxes. Nodes 2.0 looks for a socket's tooltip under its translated name, and
        finds none.
        """
        return self.probe("pointable", node_id, self.renderer == "nodes2")

    def input_tooltip(self, node_id: str, name: str) -> str:
        """Point at one of a node's inputs; the words that appear. Nodes 2.0 adds a long value to them."""
        word = self.probe("words", node_id)["inputs"][name]
        return self._tooltip(node_id, name, word).split("\n\n")[0]

    def _tooltip(self, node_id: str, part: str, word: str) -> str:
        tip = self.page.locator(TOOLTIP[self.renderer])
        self.page.mouse.move(*CORNER)
        expect(tip).to_be_hidden()
        for attempt in range(POINTINGS):
            self._point(node_id, part, word, attempt)
            with suppress(TimeoutError):
                # The words at once with that they show: a tooltip may go and come again.
                return self.page.wait_for_function(
                    SHOWN_WORDS, arg=TOOLTIP[self.renderer], timeout=TOOLTIP_SHOWN
                ).json_value()
        raise AssertionError(f"No tooltip of {part} shows")

    def _point(self, node_id: str, part: str, word: str, attempt: int) -> None:
        if self.renderer == "nodes2":
            words = self.node(node_id).get_by_text(word, exact=True)
            # From top to bottom: the title, the outputs, one of which may have the input's name, the widgets.
            (words.first if part == "title" else words.last).hover(force=True)
        else:
            x, y = self.probe("place", node_id, part)
            self.page.mouse.move(x + attempt % 2, y)
