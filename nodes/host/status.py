"""What a node says to its user: its status line, advice and errors; and the pack's log."""

import functools
import logging
from typing import Any

from comfy_api.latest import io
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


ADVICE = "idlora.advice"
"""Event of the host's websocket that `web/js/idlora.js` shows: {node, title, text}; an empty text takes advice back."""
WARNING = "\N{WARNING SIGN} "


def send_advised_status(unique_id: str | None, title: str, advice: str, text: str) -> None:
    """Show a line of text, marked where it advises, and put the advice in front of the user.

    Args:
        title: the node's name.
        advice: sentences, with which `text` begins; empty where all is well.
    """
    send_status(unique_id, WARNING + text if advice else text)
    server = getattr(PromptServer, "instance", None)
    if server is not None and unique_id is not None:
        server.send_sync(ADVICE, {"node": unique_id, "title": title, "text": advice}, server.client_id)


def telling_errors(node: type[io.ComfyNode]) -> type[io.ComfyNode]:
    """The node, which shows the sentence of an error on its status line before the error goes on.

    ComfyUI's own box says that a node failed, and keeps the sentence in a log behind it.
    """
    execute = node.execute.__func__  # type: ignore[attr-defined]

    @functools.wraps(execute)
    def told(cls: type[io.ComfyNode], *args: Any, **inputs: Any) -> Any:
        try:
            return execute(cls, *args, **inputs)
        except (ValueError, RuntimeError) as error:
            send_status(getattr(cls.hidden, "unique_id", None), f"{WARNING}{error}")
            raise

    node.execute = classmethod(told)  # type: ignore[assignment]
    return node


def missing_output(reason: str) -> ExecutionBlocker:
    """In place of an output that cannot be given: the host shows the reason where it is used, and only there."""
    log.warning(reason)
    return ExecutionBlocker(reason)
