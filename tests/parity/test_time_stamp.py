"""A time stamp by a real RFC 3161 authority (openssl's, on loopback), asked only where the user names one."""

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/tsa.pem
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha384, sha512
[stamping]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
basicConstraints = critical,CA:FALSE
"""


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture
def authority(tmp_path: Path):
    """The address of an authority, and what it was asked."""
    config, asked = tmp_path / "tsa.cnf", []
    config.write_text(CONFIG.format(folder=tmp_path))
    (tmp_path / "serial").write_text("01\n")
    key = ("-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "ca.key", "-out", tmp_path / "ca.pem")
    openssl("req", "-x509", *key, "-days", "30", "-subj", "/O=Clock/CN=Clock Root")
    key = ("-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "tsa.key", "-out", tmp_path / "tsa.csr")
    openssl("req", *key, "-subj", "/O=Clock/CN=Clock")
    signed = (
        "-CA",
        tmp_path / "ca.pem",
        "-CAkey",
        tmp_path / "ca.key",
        "-extfile",
        config,
        "-extensions",
        "stamping",
    )
    openssl("x509", "-req", "-in", tmp_path / "tsa.csr", "-days", "20", *signed, "-out", tmp_path / "tsa.pem")

    class Authority(BaseHTTPRequestHandler):
        def do_POST(self):
            query, reply = tmp_path / "query.tsq", tmp_path / "reply.tsr"
            query.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(self.path)
            openssl("ts", "-reply", "-config", config, "-queryfile", query, "-out", reply)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(reply.read_bytes())

        def log_message(self, *_):
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Authority) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/stamp", asked
        server.shutdown()


def test_a_named_authority_stamps_the_clip(save, check, host, authority):
    address, asked = authority
    (host("private_files").private_folder() / "settings.json").write_text(
        f'{{"time_authority": "{address}"}}'
    )
    credentials, _ = check(save())
    assert asked == ["/stamp"]
    assert credentials.state == "trusted" and credentials.claims.time_stamp


def test_no_authority_is_asked_unless_named(save, check, authority):
    assert check(save())[0].claims.time_stamp == ""
    assert authority[1] == []
