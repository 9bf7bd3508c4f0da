"""Nothing that ships is of the kind for which the registry flags a version; each rule is shown to catch its kind."""

import pytest

from support.installing.archive import Archive
from support.installing.scan import findings

BLOB = "QUJD" * 60
MEDIA = (".png", ".jpg", ".webp", ".flac", ".safetensors")


def test_nothing_that_ships_is_flagged(archive: Archive):
    programs = {name: archive.read(name) for name in archive.names if not name.endswith(MEDIA)}
    found = {name: findings(name, content.decode("utf-8")) for name, content in programs.items()}
    assert {name: flagged for name, flagged in found.items() if flagged} == {}


@pytest.mark.parametrize(
    "rule, source",
    [
        ("network", "import socket"),
        ("network", "import urllib.request as web"),
        ("network", "from urllib import request"),
        ("network", "def f():\n    from http.client import HTTPConnection"),
        ("network", "import requests"),
        ("network", "from aiohttp import ClientSession"),
        ("network", "from huggingface_hub import hf_hub_download"),
        ("network", "import asyncio as a\na.open_connection('h', 1)"),
        ("network", "import torch\ntorch.hub.load('a', 'b')"),
        ("program", "import subprocess"),
        ("program", "from os import system as run\nrun('ls')"),
        ("program", "import os as o\no.popen('ls')"),
        ("program", "import os\nos.execv('/bin/ls', [])"),
        ("program", "import ctypes"),
        ("environment", "import os\nos.environ['A']"),
        ("environment", "from os import getenv\ngetenv('A')"),
        ("code from text", "eval('1')"),
        ("code from text", "run = exec"),
        ("code from text", "compile('1', '', 'eval')"),
        ("code from text", "__import__('os')"),
        ("code from text", "getattr(__builtins__, 'ev' + 'al')"),
        ("code from text", "import importlib\nimportlib.import_module('a')"),
        ("unsafe loading", "import pickle"),
        ("unsafe loading", "from marshal import loads"),
        ("unsafe loading", "import torch\ntorch.load('a')"),
        ("unsafe loading", "from torch import load\nload('a', weights_only=False)"),
        ("unsafe loading", "import numpy as np\nnp.load('a', allow_pickle=True)"),
        ("unsafe loading", "import yaml\nyaml.load('a')"),
        ("encoded data", "import base64"),
        ("encoded data", f"data = '{BLOB}'"),
        ("encoded data", f"data = b'{BLOB}'"),
        ("not readable", "a = 1" + " + 1" * 100),
    ],
)
def test_bad_python_is_caught(rule: str, source: str):
    assert rule in {found.rule for found in findings("nodes/bad.py", source)}


@pytest.mark.parametrize(
    "source",
    [
        "import re\nre.compile('a')",
        "import torch\nmodel = torch.compile(torch.nn.Linear(1, 1))\nmodel.eval()",
        "import os\nos.path.join('a', 'b')",
        "# subprocess, eval('1') and os.environ\ntext = 'no socket, no exec()'",
        "from . import code, http",
        "from server import PromptServer",
    ],
)
def test_plain_python_is_not(source: str):
    assert findings("nodes/good.py", source) == []


@pytest.mark.parametrize(
    "rule, name, source",
    [
        ("not readable", "web/a.js", "a();" * 100),
        ("not readable", "web/a.min.js", "a();"),
        ("code from text", "web/a.js", "eval(text)"),
        ("code from text", "web/a.js", "const f = new Function('a', 'b')"),
        ("network", "web/a.js", "fetch('https://example.com/a')"),
        ("network", "web/a.js", "import a from 'https://example.com/a.js'"),
        ("network", "web/a.js", "const s = new WebSocket(url)"),
        ("encoded data", "web/a.js", f"const a = '{BLOB}'"),
    ],
)
def test_bad_javascript_is_caught(rule: str, name: str, source: str):
    assert rule in {found.rule for found in findings(name, source)}


def test_plain_javascript_is_not():
    source = "import { app } from '../../scripts/app.js'\nconst page = await fetch('/object_info')\n"
    assert findings("web/a.js", source) == []
