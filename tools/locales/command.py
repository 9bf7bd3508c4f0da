"""`dev.py locales`: draw the files in locales/ from a host's node definitions."""

import argparse
import tempfile
from pathlib import Path

from dev_setup import downloads, environment
from dev_setup.console import say
from dev_setup.versions import NEWEST_HOST
from support.host_process import HostProcess

from . import LANGUAGES, file, write


def run_locales(_: argparse.Namespace) -> int:
    tree, python = downloads.comfyui(NEWEST_HOST), environment.python()
    with (
        tempfile.TemporaryDirectory(prefix="idlora-", ignore_cleanup_errors=True) as work_dir,
        HostProcess(tree, python, Path(work_dir), options=["--cpu"], threads=1) as host,
    ):
        missing = write(host.object_info())
    for language in LANGUAGES:
        say(str(file(language)))
        for text in sorted(missing[language]):
            say(f"  not translated: {text}")
    return 1 if any(missing.values()) else 0
