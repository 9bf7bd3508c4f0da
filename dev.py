#!/usr/bin/env python3
"""The developer's commands. They need Python 3.10 or newer and a package index, and set up the rest themselves.

This file and what it imports at its top use the standard library alone. Once the environment stands, the command runs
again inside it.

    python3 dev.py demo         one picture, one voice, one prompt -> an mp4, in a real ComfyUI
    python3 dev.py test         all tests
    python3 dev.py host         a ComfyUI with this pack and small models, for trying things by hand
    python3 dev.py check        lint, format, types
    python3 dev.py bench        speed and memory, side by side with the five plain passes of stacked nodes
    python3 dev.py workflows    regenerate the files in workflows/
    python3 dev.py locales      regenerate the translations in locales/
    python3 dev.py screenshots  take the pictures in docs/images/ again

`python3 dev.py COMMAND --help` tells more. What is downloaded and made lives in ~/.cache/idlora-ltx2, or in the
folder named by IDLORA_CACHE. COMFYUI_PATH makes `demo` and `host` use an existing ComfyUI, run by the interpreter
named by COMFYUI_PYTHON, or by its own.
"""

import sys

if sys.version_info < (3, 10):
    sys.exit("dev.py needs Python 3.10 or newer; this is " + sys.version.split()[0] + ".")

import argparse
import contextlib
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent / "tests"))

from bench import command as bench
from dev_setup import checks, chromium, demo, environment, processes, tiers
from dev_setup.console import SetupError
from support.host_client import HostError
from tools.locales import command as locales


def add_workflow_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--record",
        nargs="*",
        metavar="NODE",
        help="first record the nodes' schemas, and those of new nodes, from a host",
    )


def write_workflows(options: argparse.Namespace) -> int:
    from tools.workflows import drawing as workflows

    if options.record is not None:
        with demo.plain_host() as host:
            workflows.record_schemas(host.url, options.record)
    workflows.draw_all()
    return 0


def take_screenshots(_: argparse.Namespace) -> int:
    from tools import screenshots

    screenshots.take(chromium.executable())
    return 0


@dataclass(frozen=True)
class Command:
    help: str
    run: Callable[[argparse.Namespace], int]
    add_options: Callable[[argparse.ArgumentParser], None] = lambda _: None
    rest: str = ""  # what options after -- are for
    runs_without_us: bool = False  # with a ComfyUI of your own, nothing is set up


COMMANDS = {
    "demo": Command(
        "run a shipped workflow in a real ComfyUI", demo.run_demo, demo.add_demo_options, "ComfyUI", True
    ),
    "test": Command("run the tests", tiers.run_tests, tiers.add_test_options, "pytest"),
    "host": Command(
        "leave a ComfyUI running until Ctrl-C", demo.run_host, demo.add_host_options, "ComfyUI", True
    ),
    "check": Command("lint, check format and types", checks.run_checks),
    "bench": Command(
        "measure speed and memory against plain passes", bench.run_bench, bench.add_bench_options, "", True
    ),
    "locales": Command("regenerate the translations from their catalogues", locales.run_locales),
    "workflows": Command("regenerate the workflows from their source", write_workflows, add_workflow_options),
    "screenshots": Command("take the documentation's pictures again, in a real browser", take_screenshots),
}


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options; what follows `--` as `rest`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    own, rest = arguments[:end], arguments[end + 1 :]
    parser = argparse.ArgumentParser(
        prog="dev.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        note = f"Options after -- go to {command.rest}." if command.rest else None
        command.add_options(
            parsers.add_parser(name, help=command.help, description=command.help, epilog=note)
        )
    options = parser.parse_args(own, argparse.Namespace(rest=rest))
    if rest and not COMMANDS[options.command].rest:
        parser.error(f"{options.command} takes no options after --")
    return options


def leave(signal_number: int, _: object) -> None:
    """Told to end: leave by an exception, so that every ComfyUI that was started is stopped."""
    with contextlib.suppress(OSError):  # the terminal may be gone
        print("\nTold to end", file=sys.stderr, flush=True)
    sys.exit(128 + signal_number)


def enter_environment(command: Command) -> None:
    """Start again in the environment's Python, set up first where it is missing; no return."""
    if command.runs_without_us and os.environ.get("COMFYUI_PATH"):
        return
    python = environment.python()
    if python != Path(sys.executable):
        again = [str(python), *sys.argv]
        if os.name == "nt":  # where exec leaves the terminal to two programs
            sys.exit(subprocess.call(again))
        os.execv(python, again)


def main() -> int:
    processes.on_being_told_to_end(leave)
    options = parse(sys.argv[1:])
    command = COMMANDS[options.command]
    try:
        enter_environment(command)
        return command.run(options)
    except (SetupError, HostError) as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted", file=sys.stderr, flush=True)
        return 130


if __name__ == "__main__":
    sys.exit(main())
