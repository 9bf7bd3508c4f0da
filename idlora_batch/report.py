"""report.html: every clip in a player, sorted and filtered by score, with its settings. It opens without a server."""

import html
import json
from itertools import islice
from pathlib import Path
from typing import Any

from . import ledger
from .scores import WHAT
from .store import Store

MOST_ROWS = 5000  # a page with more takes browsers long; the tables have all
PAGE = Path(__file__).resolve().parent / "report_page.html"


def write(store: Store) -> None:
    """The report of what is there."""
    rows = [_shown(line) for line in islice(ledger.lines(store), MOST_ROWS + 1)]
    is_cut = len(rows) > MOST_ROWS
    data = {"rows": rows[:MOST_ROWS], "what": WHAT, "is_cut": is_cut}
    store.write("report.html", iter([page(store.folder.name, data).encode()]))


def page(title: str, data: dict[str, Any]) -> str:
    template = PAGE.read_text(encoding="utf-8")
    return template.replace("{{title}}", html.escape(title)).replace("{{data}}", script_json(data))


def script_json(data: Any) -> str:
    """JSON that cannot end the script element that it stands in; the page puts it out as text, never as HTML."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _shown(line: dict[str, Any]) -> dict[str, Any]:
    kept = ("row", "name", "status", "why", "seconds", "clip", "cells", "scores", "lines", "notes")
    return {name: line[name] for name in kept}
