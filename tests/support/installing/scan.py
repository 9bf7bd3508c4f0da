"""What the Comfy Registry's scan flags a version for, read from the sources that ship.

Python is judged by ruff: its security rules and a list of banned modules and functions, found under any alias. Our own
rules see what it does not: a builtin that is only named, data hidden in a text, lines that nobody reads. JavaScript is
judged by its text; it must be written by hand.
"""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

BANNED = {
    "network": "socket socketserver ssl http urllib urllib3 requests httpx aiohttp websocket websockets ftplib smtplib "
    "imaplib poplib telnetlib xmlrpc webbrowser paramiko huggingface_hub gdown wget asyncio.open_connection "
    "asyncio.start_server torch.hub",
    "program": "subprocess multiprocessing pty ctypes cffi pip ensurepip runpy code codeop os.system os.popen os.startfile "
    "os.fork os.forkpty os.kill os.posix_spawn os.posix_spawnp asyncio.create_subprocess_exec "
    "asyncio.create_subprocess_shell",
    "environment": "os.environ os.environb os.getenv os.getenvb os.putenv os.unsetenv",
    "code from text": "builtins importlib.import_module",
    "unsafe loading": "pickle cPickle _pickle dill cloudpickle joblib shelve marshal torch.load numpy.load yaml.load "
    "yaml.unsafe_load yaml.full_load",
    "encoded data": "base64 binascii codecs",
}
SECURITY_RULES = {"S1": "code from text", "S3": "unsafe loading", "S5": "unsafe loading", "S6": "program"}
NOT_HERE = "S101,S105,S110"  # assertions, words such as PASS_KEY, exceptions passed over
EVALUATORS = {"eval", "exec", "compile", "__import__", "__builtins__"}
LONGEST_LINE = 300
ENCODED = re.compile(r"[A-Za-z0-9+/=_-]{200,}|(?:\\x[0-9a-f]{2}){50,}")
JAVASCRIPT = {
    "code from text": r"\beval\s*\(|\bnew\s+Function\b|\batob\s*\(|\bsetTimeout\s*\(\s*['\"`]",
    "network": r"\bXMLHttpRequest\b|\bnew\s+WebSocket\b|\bsendBeacon\b|(?:fetch|import|from)\s*\(?\s*['\"`](?:https?:)?//",
}


@dataclass(frozen=True)
class Finding:
    rule: str
    line: int
    what: str


def findings(path: str, source: str) -> list[Finding]:
    """All that would be flagged in one file, by its suffix; nothing for files that hold no program."""
    if path.endswith(".py"):
        return [*_python(source), *_long_lines(source)]
    if path.endswith((".js", ".mjs", ".ts", ".html", ".css")):
        return [*_javascript(path, source), *_long_lines(source)]
    return []


def _long_lines(source: str) -> Iterator[Finding]:
    for number, line in enumerate(source.splitlines(), 1):
        if len(line) > LONGEST_LINE:
            yield Finding("not readable", number, f"{len(line)} characters in a line")


def _javascript(path: str, source: str) -> Iterator[Finding]:
    if ".min." in path:
        yield Finding("not readable", 1, "minified")
    for rule, pattern in {**JAVASCRIPT, "encoded data": ENCODED.pattern}.items():
        for match in re.finditer(pattern, source):
            yield Finding(rule, source.count("\n", 0, match.start()) + 1, match.group()[:40])


@cache
def _settings() -> str:
    """Ruff's list of banned names, each with the rule it breaks, as TOML in one line."""
    entries = (f'"{name}" = {{msg = "{rule}"}}' for rule, names in BANNED.items() for name in names.split())
    return f"lint.flake8-tidy-imports.banned-api = {{{', '.join(entries)}}}"


def _by_ruff(source: str) -> Iterator[Finding]:
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--no-cache",
        "--exit-zero",
        "--ignore-noqa",
    ]
    rules = [
        "--select",
        "S,TID251",
        "--ignore",
        NOT_HERE,
        "--config",
        _settings(),
        "--output-format",
        "json",
        "-",
    ]
    done = subprocess.run([*command, *rules], input=source, capture_output=True, text=True, check=True)
    for found in json.loads(done.stdout):
        code, message = found["code"], found["message"]
        rule = message.rsplit(": ", 1)[-1] if code == "TID251" else str(SECURITY_RULES.get(code[:2], code))
        yield Finding(rule, found["location"]["row"], f"{code} {message}")


def _python(source: str) -> Iterator[Finding]:
    yield from _by_ruff(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id in EVALUATORS:
            yield Finding("code from text", node.lineno, node.id)
        elif isinstance(node, ast.Constant):
            yield from _encoded(node)


def _encoded(constant: ast.Constant) -> Iterator[Finding]:
    value = constant.value
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if isinstance(text, str) and (
        ENCODED.search(text) or (isinstance(value, bytes) and len(value) > LONGEST_LINE)
    ):
        yield Finding("encoded data", constant.lineno, f"{len(text)} characters of it")
