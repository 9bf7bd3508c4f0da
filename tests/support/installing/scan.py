"""What the Comfy Registry's scan flags a version for, read from the sources that ship.

Python is judged by its syntax tree, so that a word in a comment or a message is no finding and an alias does not hide
one. JavaScript is judged by its text; it must be written by hand.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .imports import modules_of

MODULES = {
    "network": "socket socketserver ssl http urllib urllib3 requests httpx aiohttp websocket websockets ftplib smtplib "
    "imaplib poplib telnetlib xmlrpc webbrowser paramiko huggingface_hub gdown wget",
    "program": "subprocess multiprocessing pty ctypes cffi pip ensurepip runpy code codeop",
    "unsafe loading": "pickle cPickle _pickle dill cloudpickle joblib shelve marshal",
    "encoded data": "base64 binascii codecs",
}
CALLS = {
    "program": "os.system os.popen os.startfile os.fork os.forkpty os.kill os.posix_spawn os.posix_spawnp "
    "asyncio.create_subprocess_exec asyncio.create_subprocess_shell",
    "network": "asyncio.open_connection asyncio.start_server torch.hub.load torch.hub.load_state_dict_from_url "
    "torch.hub.download_url_to_file",
    "environment": "os.environ os.environb os.getenv os.getenvb os.putenv os.unsetenv",
    "code from text": "eval exec compile __import__ __builtins__ builtins importlib.import_module",
    "unsafe loading": "yaml.load yaml.unsafe_load yaml.full_load",
}
PROGRAM_STARTERS = ("os.exec", "os.spawn")
LONGEST_LINE = 300
ENCODED = re.compile(r"[A-Za-z0-9+/=_-]{200,}|(?:\\x[0-9a-f]{2}){50,}")
JAVASCRIPT = {
    "code from text": r"\beval\s*\(|\bnew\s+Function\b|\batob\s*\(|\bsetTimeout\s*\(\s*['\"`]",
    "network": r"\bXMLHttpRequest\b|\bnew\s+WebSocket\b|\bsendBeacon\b|(?:fetch|import|from)\s*\(?\s*['\"`](?:https?:)?//",
}
_MODULE_RULES = {module: rule for rule, modules in MODULES.items() for module in modules.split()}
_NAME_RULES = {name: rule for rule, names in CALLS.items() for name in names.split()}


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


def _python(source: str) -> Iterator[Finding]:
    tree = ast.parse(source)
    names = _imported_names(tree)
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (
                Finding(rule, line, module) for module in modules_of(node) if (rule := _module_rule(module))
            )
        elif isinstance(node, (ast.Name, ast.Attribute)):
            name = _full_name(node, names)
            if rule := _name_rule(name):
                yield Finding(rule, line, name)
        elif isinstance(node, ast.Call):
            yield from _unsafe_load(node, _full_name(node.func, names))
        elif isinstance(node, ast.Constant):
            yield from _encoded(node)


def _module_rule(module: str) -> str | None:
    return _MODULE_RULES.get(module.split(".")[0])


def _imported_names(tree: ast.AST) -> dict[str, str]:
    """Name in the file -> what it stands for: `from os import environ as e` gives e -> os.environ."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _full_name(node: ast.AST, names: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{_full_name(node.value, names)}.{node.attr}"
    return ""


def _name_rule(name: str) -> str | None:
    return "program" if name.startswith(PROGRAM_STARTERS) else _NAME_RULES.get(name)


def _unsafe_load(call: ast.Call, name: str) -> Iterator[Finding]:
    options = {keyword.arg: getattr(keyword.value, "value", None) for keyword in call.keywords}
    if name == "torch.load" and options.get("weights_only") is not True:
        yield Finding("unsafe loading", call.lineno, "torch.load without weights_only=True")
    if name in ("numpy.load", "np.load") and options.get("allow_pickle"):
        yield Finding("unsafe loading", call.lineno, "numpy.load with allow_pickle")


def _encoded(constant: ast.Constant) -> Iterator[Finding]:
    value = constant.value
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if isinstance(text, str) and (
        ENCODED.search(text) or (isinstance(value, bytes) and len(value) > LONGEST_LINE)
    ):
        yield Finding("encoded data", constant.lineno, f"{len(text)} characters of it")
