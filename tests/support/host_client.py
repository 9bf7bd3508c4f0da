"""Talking to a running ComfyUI over HTTP: queue a graph, wait for it, read what it says went wrong."""

import http.client
import json
import time
import uuid
from contextlib import suppress
from typing import Any, NamedTuple

ApiGraph = dict[str, dict[str, Any]]
SECONDS_BETWEEN_LOOKS = 0.1


class HostError(RuntimeError):
    """The host did not do what was asked; the message holds what it said."""


class HostSilent(HostError):
    """No answer: the host is not up yet, is ending, or is gone."""


class PromptRefused(HostError):
    """The host's validation refused the graph before running it."""

    def __init__(self, answer: dict[str, Any], graph: ApiGraph):
        self.answer = answer
        self.node_errors: dict[str, Any] = answer.get("node_errors") or {}
        super().__init__(_refusal_text(answer, graph))


class ExecutionFailed(HostError):
    """A node raised, or the run was interrupted."""

    def __init__(self, entry: dict[str, Any]):
        self.entry = entry
        super().__init__(failure(entry) or "The run did not complete.")


class Answer(NamedTuple):
    """What a host answered."""

    status: int
    content_type: str
    body: bytes


class HostClient:
    """One ComfyUI server; the graphs are in API format."""

    def __init__(self, port: int):
        self.port = port
        self.client_id = uuid.uuid4().hex

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def request(self, method: str, path: str, body: Any = None, timeout: float = 60) -> tuple[int, Any]:
        """Status and decoded JSON (or None) of one request.

        Raises:
            HostSilent: no answer.
        """
        answer = self.exchange(method, path, body, timeout)
        return answer.status, json.loads(answer.body) if answer.body.strip() else None

    def exchange(self, method: str, path: str, body: Any = None, timeout: float = 60) -> Answer:
        """One request as it is answered; a new connection each time, never through a proxy.

        Raises:
            HostSilent: no answer.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, path, data, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return Answer(response.status, response.getheader("Content-Type", ""), response.read())
        except (OSError, http.client.HTTPException) as error:
            raise HostSilent(f"{self.url}{path} gave no answer: {error!r}") from error
        finally:
            connection.close()

    def fetch(self, path: str) -> Answer:
        """A file that the host serves, whatever it answers."""
        return self.exchange("GET", path)

    def get(self, path: str) -> Any:
        return _checked("GET", path, *self.request("GET", path))

    def post(self, path: str, body: Any) -> Any:
        return _checked("POST", path, *self.request("POST", path, body))

    def object_info(self, node_id: str | None = None) -> dict[str, Any]:
        """Schemas of all nodes, or of one, by node id."""
        return self.get(f"/object_info/{node_id}" if node_id else "/object_info")

    def post_prompt(self, graph: ApiGraph) -> str:
        """Queue a graph.

        Returns:
            its prompt id.

        Raises:
            PromptRefused: the host's validation found something; `node_errors` as the host gave them.
        """
        status, answer = self.request("POST", "/prompt", {"prompt": graph, "client_id": self.client_id})
        if status != http.client.OK or answer.get("node_errors"):
            raise PromptRefused(answer or {}, graph)
        return answer["prompt_id"]

    def history(self, prompt_id: str) -> dict[str, Any] | None:
        """The entry of a finished run, None before."""
        return self.get(f"/history/{prompt_id}").get(prompt_id)

    def wait(self, prompt_id: str, timeout: float = 600) -> dict[str, Any]:
        """The history entry of a run when it is over, whether it succeeded, failed or was interrupted.

        Raises:
            HostError: the host died, or the time is over.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.require_alive()
            # A host that dies is silent before its process is seen to have ended: look at that again first.
            with suppress(HostSilent):
                entry = self.history(prompt_id)
                if entry is not None:
                    return entry
            time.sleep(SECONDS_BETWEEN_LOOKS)
        raise HostError(f"The graph was not done after {timeout:.0f} s.")

    def run(self, graph: ApiGraph, timeout: float = 600) -> dict[str, Any]:
        """Queue a graph and wait for its success.

        Raises:
            PromptRefused, ExecutionFailed, HostError
        """
        entry = self.wait(self.post_prompt(graph), timeout)
        if failure(entry):
            raise ExecutionFailed(entry)
        return entry

    def interrupt(self) -> None:
        self.post("/interrupt", {})

    def require_alive(self) -> None:
        """Overridden where the process is known; a server that is not ours is taken to be alive."""


def failure(entry: dict[str, Any]) -> str | None:
    """Why a run did not succeed, from its history entry; None where it did."""
    status = entry.get("status") or {}
    for event, details in status.get("messages") or []:
        if event == "execution_error":
            message = (details.get("exception_message") or details.get("exception_type") or "").strip()
            return f"{details.get('node_type')} (node {details.get('node_id')}): {message}"
        if event == "execution_interrupted":
            return f"Interrupted in {details.get('node_type')} (node {details.get('node_id')})."
    return None if status.get("completed", True) else "The run did not complete."


def output_files(entry: dict[str, Any]) -> list[dict[str, str]]:
    """The files that a run saved: filename, subfolder, type."""
    found = []
    for node_output in (entry.get("outputs") or {}).values():
        for items in node_output.values():
            found += [item for item in items if isinstance(item, dict) and "filename" in item]
    return [item for item in found if item.get("type") == "output"]


def _checked(method: str, path: str, status: int, content: Any) -> Any:
    if status >= http.client.BAD_REQUEST:
        raise HostError(f"{method} {path} was answered with {status}: {content}")
    return content


def _refusal_text(answer: dict[str, Any], graph: ApiGraph) -> str:
    lines, said = [], set()
    for node_id, found in (answer.get("node_errors") or {}).items():
        class_type = found.get("class_type") or graph.get(node_id, {}).get("class_type")
        for error in found.get("errors") or []:
            # What `validate_inputs` refuses comes once for every input that it looks at: "input - sentence".
            sentence = node_id, (error.get("details") or "").partition(" - ")[2] or error.get("details")
            if sentence in said:
                continue
            said.add(sentence)
            lines.append(f"{class_type} (node {node_id}): {error.get('message')}: {error.get('details')}")
    error = answer.get("error") or {}
    if not lines and isinstance(error, dict):
        lines.append(" ".join(filter(None, (error.get("message"), error.get("details")))))
    return "The host refused the graph:\n" + "\n".join(f"  {line}" for line in lines or [str(error)])
