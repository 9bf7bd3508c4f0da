"""`dev.py test`: each tier in its own pytest, counted, with one line per tier at the end."""

import argparse
import os
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import cache, chromium, downloads, environment, hosts, processes, takes_assets
from .console import SetupError, say
from .versions import HOSTS, NEWEST_HOST, OLDEST_HOST, TESTS

TIERS = ("core", "setup", "takes", "parity", "host", "install", "browser", "fuzz")
WITHOUT_HOST = ("core", "setup")
DEFAULT_HOSTS = (OLDEST_HOST, NEWEST_HOST)
LANES = 2
LONGEST_FIRST = ("browser", "host", "parity", "fuzz", "install", "takes", "setup", "core")
SECONDS_TO_END = 30
TESTS_FAILED, NOTHING_COLLECTED = 1, 5


@dataclass(frozen=True)
class Run:
    """One pytest: a tier, on one ComfyUI."""

    tier: str
    host: str
    shows_host: bool

    @property
    def label(self) -> str:
        return f"{self.tier} on {self.host}" if self.shows_host else self.tier


@dataclass(frozen=True)
class Result:
    label: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    problem: str = ""

    @property
    def is_green(self) -> bool:
        """Skipped tests are not green: what did not run shows nothing."""
        return self.passed > 0 and not (self.failed or self.skipped or self.problem)

    def __str__(self) -> str:
        counts = f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped in {self.seconds:.0f} s"
        return f"{self.label}: {counts}" + (f" ({self.problem})" if self.problem else "")


def add_test_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tiers", nargs="*", metavar="TIER", help=f"of {', '.join(TIERS)}; all when none")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--all-hosts", action="store_true", help=f"parity and host on {', '.join(HOSTS)}")
    chosen.add_argument(
        "--hosts",
        metavar="V,V",
        help=f"parity and host on these (default: host on {','.join(DEFAULT_HOSTS)})",
    )

    parser.add_argument(
        "--newest-frontend",
        action="store_true",
        help="the browser tier on the newest frontend of the package index, in place of the one that ComfyUI pins",
    )

    parser.add_argument(
        "--one-by-one", action="store_true", help="never two tiers at a time; pytest's output as it comes"
    )


def run_tests(options: argparse.Namespace) -> int:
    runs = _runs(options)
    if len(runs) == 1 or options.one_by_one or (os.cpu_count() or 1) < LANES:
        results = [_run(run, options) for run in runs]
    else:
        results = _run_side_by_side(runs, options)
    say("")
    for result in results:
        say(str(result))
    passed, failed, skipped = (
        sum(getattr(r, name) for r in results) for name in ("passed", "failed", "skipped")
    )
    say(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if all(result.is_green for result in results) else 1


def _runs(options: argparse.Namespace) -> list[Run]:
    are_named = bool(options.all_hosts or options.hosts)
    chosen_hosts = tuple(HOSTS) if options.all_hosts else DEFAULT_HOSTS
    if options.hosts:
        chosen_hosts = tuple(options.hosts.split(","))
    unknown = [name for name in options.tiers if name not in TIERS] + [
        v for v in chosen_hosts if v not in HOSTS
    ]
    if unknown:
        raise SetupError(
            f"Unknown: {', '.join(unknown)}. Tiers: {', '.join(TIERS)}. Hosts: {', '.join(HOSTS)}."
        )
    runs = []
    for tier in options.tiers or TIERS:
        on_chosen = tier == "host" or (tier == "parity" and are_named)
        versions = chosen_hosts if on_chosen else (NEWEST_HOST,)
        runs += [Run(tier, version, shows_host=on_chosen) for version in versions]
    return runs


def _run_side_by_side(runs: list[Run], options: argparse.Namespace) -> list[Result]:
    """Results in the order of the runs; the long ones are started first."""
    say(f"{LANES} tiers at a time; each one's output follows when it has ended.")
    running: set[subprocess.Popen] = set()
    with ThreadPoolExecutor(LANES) as pool:
        by_length = sorted(runs, key=lambda run: LONGEST_FIRST.index(run.tier))
        futures = {run: pool.submit(_run, run, options, running) for run in by_length}
        try:
            return [futures[run].result() for run in runs]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(running):
                process.terminate()  # pytest stops the host that it started
            raise


def _run(run: Run, options: argparse.Namespace, running: set[subprocess.Popen] | None = None) -> Result:
    """One tier; beside others, which are in `running`, its output is shown when it has ended."""
    say(f"\n== {run.label}" + ("" if running is None else " begins"))
    started = time.monotonic()
    try:
        result = _run_pytest(run, options, running)
    except SetupError as error:
        say(str(error))
        result = Result(run.label, failed=1, problem="could not run")
    return Result(**{**vars(result), "seconds": time.monotonic() - started})


def _run_pytest(run: Run, options: argparse.Namespace, running: set[subprocess.Popen] | None) -> Result:
    """Raises: SetupError: what the tier needs could not be set up."""
    python, variables = environment.python(), _variables(run, options.newest_frontend)
    with tempfile.TemporaryDirectory(prefix="idlora-test-", ignore_cleanup_errors=True) as work_dir:
        report = Path(work_dir) / "report.xml"
        command = [python, "-m", "pytest", "-c", TESTS / "pytest.ini", TESTS / run.tier]
        outputs = [f"--junitxml={report}", f"--basetemp={work_dir}/files"]
        words = [*map(str, command), *outputs, *options.rest]
        if running is None:
            exit_code = _call(words, variables)
        else:
            log = Path(work_dir) / "output.txt"
            exit_code = _call_beside(words, variables, log, running)
            say(f"\n== {run.label}\n{log.read_text(encoding='utf-8', errors='replace')}")
        return _read_report(run.label, report, exit_code)


def _variables(run: Run, has_newest_frontend: bool) -> dict[str, str]:
    variables = {
        "OMP_NUM_THREADS": "1",  # the models are so small that more threads only get in each other's way
        "MKL_CBWR": "COMPATIBLE",  # else MKL's kernel, and the last bits, depend on where a tensor lies in memory
        **os.environ,
        "IDLORA_HOST_VERSION": run.host,
        "IDLORA_SPEECH": str(downloads.recorded_speech()),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(cache.root() / "hypothesis"),
    }
    if run.tier not in WITHOUT_HOST:
        variables["IDLORA_COMFY_TREE"] = str(downloads.comfyui(run.host))
        variables["IDLORA_MODELS"] = str(hosts.small_models())
    if run.tier == "takes":
        variables["IDLORA_TAKES"] = str(takes_assets.takes_assets())
    if run.tier == "browser":
        variables["IDLORA_CHROMIUM"] = str(chromium.executable())
        if has_newest_frontend:
            variables["IDLORA_FRONTEND"] = str(downloads.newest_frontend())
    return variables


def _call(command: list[str], variables: dict[str, str]) -> int:
    """Run pytest; when we are told to stop, let it stop the host that it started before we go."""
    process = subprocess.Popen(command, env=variables, preexec_fn=processes.end_with_parent)
    try:
        return process.wait()
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt):  # Ctrl-C in a terminal reaches pytest by itself
            process.terminate()
        try:
            process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
        raise


def _call_beside(
    command: list[str], variables: dict[str, str], log: Path, running: set[subprocess.Popen]
) -> int:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=processes.end_with_parent,
        )
    running.add(process)
    try:
        return process.wait()
    finally:
        running.discard(process)


def _read_report(label: str, report: Path, exit_code: int) -> Result:
    if exit_code == NOTHING_COLLECTED:
        return Result(label, failed=1, problem="collected no test")
    if not report.is_file():
        return Result(label, failed=1, problem=f"could not run, pytest ended with {exit_code}")
    counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in ElementTree.parse(report).iter("testsuite"):
        for name in counts:
            counts[name] += int(suite.get(name, 0))
    failed, skipped = counts["failures"] + counts["errors"], counts["skipped"]
    passed = counts["tests"] - failed - skipped
    if exit_code not in (0, TESTS_FAILED):
        return Result(
            label, passed, max(failed, 1), skipped, problem=f"cut short, pytest ended with {exit_code}"
        )
    return Result(label, passed, failed, skipped)
