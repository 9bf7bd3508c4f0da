"""`dev.py locales`: draw the files in locales/ from a host's node definitions."""

import argparse

from dev_setup.console import say
from dev_setup.demo import plain_host

from . import LANGUAGES, file, write


def run_locales(_: argparse.Namespace) -> int:
    with plain_host() as host:
        missing = write(host.object_info())
    for language in LANGUAGES:
        say(str(file(language)))
        for text in sorted(missing[language]):
            say(f"  not translated: {text}")
    return 1 if any(missing.values()) else 0
