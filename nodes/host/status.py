"""The status line that a node shows, and the pack's log."""

import logging

from comfy_execution.graph_utils import ExecutionBlocker
from server import PromptServer

log = logging.getLogger("idlora")


def send_status(unique_id: str | None, text: str) -> None:
    """Show a line of text on a node, and in the log.

    Args:
        unique_id: the node's `cls.hidden.unique_id`; None shows it in the log only, as does a host that runs
            without its server.
    """
    text = text.encode("utf-8", "backslashreplace").decode()  # a file's name need not be UTF-8
    log.info(text)
    server = getattr(PromptServer, "instance", None)
    if server is not None and unique_id is not None:
        server.send_progress_text(text, unique_id)


def missing_output(reason: str) -> ExecutionBlocker:
    """In place of an output that cannot be given: the host shows the reason where it is used, and only there."""
    log.warning(reason)
    return ExecutionBlocker(reason)
