"""A server on loopback: files for git, and the few answers of the Comfy Registry that an install asks for."""

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


@dataclass
class Loopback:
    """What is served, and what was asked.

    Attributes:
        url: address, without a slash at its end.
        folder: its files are served under /.
        published: node id -> version -> path of its archive under `folder`.
        asked: the paths of all requests so far.
    """

    url: str
    folder: Path
    published: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def publish(self, node_id: str, version: str, archive: Path) -> None:
        """What the registry does when a version is published: keep the archive, name its address."""
        target = self.folder / "archives" / f"{node_id}-{version}.zip"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(archive.read_bytes())
        self.published.setdefault(node_id, {})[version] = target.relative_to(self.folder).as_posix()

    def install_answer(self, path: str) -> dict | None:
        """The registry's answer to GET /nodes/<id>/install?version=<version>; None where it has none."""
        address = urlsplit(path)
        parts = address.path.strip("/").split("/")
        if len(parts) != 3 or (parts[0], parts[2]) != ("nodes", "install"):
            return None
        versions = self.published.get(parts[1], {})
        version = parse_qs(address.query).get("version", list(versions)[-1:])[0] if versions else ""
        if version not in versions:
            return None
        address = {
            "id": f"{parts[1]}-{version}",
            "version": version,
            "downloadUrl": f"{self.url}/{versions[version]}",
        }
        return {**address, "dependencies": [], "deprecated": False, "status": "NodeVersionStatusActive"}


class _Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *arguments, loopback: Loopback, **options):
        self.loopback = loopback
        super().__init__(*arguments, directory=str(loopback.folder), **options)

    def do_GET(self) -> None:
        self.loopback.asked.append(self.path)
        answer = self.loopback.install_answer(self.path)
        if answer is None:
            return super().do_GET()
        body = json.dumps(answer).encode()
        self.send_response(http.HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: `asked` has it."""


@contextmanager
def serving(folder: Path) -> Iterator[Loopback]:
    loopback = Loopback("", folder)
    handler = functools.partial(_Handler, loopback=loopback)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        loopback.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield loopback
        server.shutdown()
        thread.join()
