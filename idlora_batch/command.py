"""The commands: render, validate, report, study."""

import argparse
import contextlib
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import grid, on_ray, run, table
from .comfy.client import HostDied
from .comfy.installation import Installation, found, has_accelerator
from .comfy.site import Site
from .faults import BadTable
from .on_ray import RayWorkers, wait_until_gone
from .on_servers import ServerWorkers
from .scores import Scorer, own_python
from .store import DiskFull, ObjectStore, Store, opened
from .study import command as study
from .workflow import DEFAULT

INTERRUPTED, BAD, SOME_FAILED = 130, 2, 1
Workers = RayWorkers | ServerWorkers


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m idlora_batch",
        description="Renders a table of clips on one or many ComfyUIs, and answers questions about settings.",
        epilog="What follows -- goes to each ComfyUI that is started, such as: -- --lowvram",
    )
    commands = made.add_subparsers(dest="command", metavar="COMMAND", required=True)
    render = commands.add_parser("render", help="a table in, clips and scores out")
    _add_table(render)
    _add_out(render)
    add_hosts(render)
    render.set_defaults(run=run_render)
    validate = commands.add_parser("validate", help="check a whole table and render nothing")
    _add_table(validate)
    add_hosts(validate)
    validate.set_defaults(run=run_validate)
    report = commands.add_parser("report", help="write the results and the report of a folder again")
    report.add_argument("out", help="the folder of an earlier run")
    report.set_defaults(run=run_report)
    study.add_to(commands, add_hosts)
    return made


def _add_table(to: argparse.ArgumentParser) -> None:
    to.add_argument("table", type=Path, help="CSV, JSON lines or Parquet; columns: docs/batch.md")
    to.add_argument(
        "--grid", default="", metavar='"A=x,y B=1..4"', help="each row with each combination of values"
    )
    to.add_argument(
        "--root", type=Path, help="the folder that paths of the table stay in (default: the table's)"
    )
    to.add_argument("--workflow", default=DEFAULT, help="of rows that name none; default: %(default)s")
    to.add_argument("--sign", action="store_true", help="sign each clip with content credentials")


def _add_out(to: argparse.ArgumentParser) -> None:
    to.add_argument("--out", required=True, help="folder of the results, or s3://bucket/folder")
    to.add_argument(
        "--resume", action="store_true", help="go on with an earlier run; what is done is not done again"
    )
    to.add_argument(
        "--retry-failed", action="store_true", help="with --resume: try rows that failed once more"
    )


def add_hosts(to: argparse.ArgumentParser) -> None:
    """Which ComfyUIs render; shared by render, validate and study."""
    where = to.add_mutually_exclusive_group(required=True)
    where.add_argument("--comfyui", type=Path, help="your ComfyUI's folder; one is started on each GPU")
    where.add_argument("--server", nargs="+", metavar="URL", help="ComfyUIs that run already")
    to.add_argument(
        "--comfyui-python", type=Path, help="the Python that runs ComfyUI, where it is not beside it"
    )
    to.add_argument(
        "--comfyui-base", type=Path, help="the folder of models and custom_nodes, where it is another"
    )
    to.add_argument("--workers", type=int, default=0, help="how many ComfyUIs (default: one on each GPU)")
    to.add_argument("--cpu", action="store_true", help="run them without a GPU")
    to.add_argument("--gpus-per-worker", type=float, default=1.0, help="default: %(default)s")
    to.add_argument("--address", help="of a Ray cluster; its machines see the same folders as this one")
    to.add_argument(
        "--resource", action="append", default=[], metavar="NAME=N", help="of the cluster, for each worker"
    )
    to.add_argument("--timeout", type=float, metavar="SECONDS", help="for one row; none by default")


def main(arguments: list[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    end = given.index("--") if "--" in given else len(given)
    options = parser().parse_args(given[:end], argparse.Namespace(rest=tuple(given[end + 1 :])))
    # A script's `&` starts programs with Ctrl-C ignored; being told to end must do the same as Ctrl-C.
    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, signal.default_int_handler)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("\nStopped. Run the same command with --resume to go on.", file=sys.stderr)
        return INTERRUPTED
    except BadTable as error:
        print(f"{error}\nNothing was rendered.", file=sys.stderr)
        return BAD
    except (ValueError, RuntimeError, HostDied) as error:
        print(str(error), file=sys.stderr)
        return BAD


def run_render(options: argparse.Namespace) -> int:
    order = order_of(options, run.rows_of(options.table, _grid(options)), _root(options))
    store = opened(options.out)
    outcome = render_into(store, order, options)
    return tell(outcome, store)


def render_into(store: Store, order: run.Order, options: argparse.Namespace) -> run.Outcome:
    """Render what is not done yet into a store, and write its results however it ends."""
    with store.locked():
        store.prepare()
        store.refresh()
        if store.index() and not order.is_resumed:
            raise ValueError(
                f"{store} has results already. Go on with --resume, or name another folder with --out."
            )
        try:
            with hosts(options, store) as (workers, site):
                return run.render(order, store, site, workers)
        finally:
            with ignoring_interrupts():
                wait_until_gone(store.work)
                with contextlib.suppress(DiskFull):
                    run.finish(store)


def tell(outcome: run.Outcome, store: Store) -> int:
    print(
        f"{outcome.ok} rendered, {outcome.failed} failed, {outcome.skipped} done before: {store}/report.html"
    )
    if outcome.stopped:
        print(outcome.stopped, file=sys.stderr)
        return BAD
    return SOME_FAILED if outcome.failed else 0


def run_validate(options: argparse.Namespace) -> int:
    order = order_of(options, run.rows_of(options.table, _grid(options)), _root(options))
    import tempfile

    with tempfile.TemporaryDirectory(prefix="idlora-batch-", ignore_cleanup_errors=True) as folder:
        with one_host(options, Store(Path(folder))) as site:
            count = run.check(order, site)
        print(f"{count} rows, all good.")
    return 0


def run_report(options: argparse.Namespace) -> int:
    store = opened(options.out)
    if not (store.folder / "table.jsonl").is_file():
        raise ValueError(f"{options.out} holds no results of idlora_batch (no table.jsonl).")
    with store.locked():
        run.finish(store)
    print(f"{store}/report.html")
    return 0


def order_of(options: argparse.Namespace, rows: Any, root: Path) -> run.Order:
    input_folder = None
    if options.comfyui:
        input_folder = (options.comfyui_base or options.comfyui).expanduser() / "input"
    return run.Order(
        rows,
        root,
        options.workflow,
        is_resumed=getattr(options, "resume", False),
        is_retrying_failed=getattr(options, "retry_failed", False),
        is_signed=options.sign,
        input_folder=input_folder,
    )


@contextmanager
def hosts(options: argparse.Namespace, store: Store) -> Iterator[tuple[Workers, Site]]:
    """The workers that the options ask for, and what their ComfyUI is."""
    with _workers(options, store) as workers:
        schemas, versions = workers.facts()
        yield workers, Site(schemas, versions, workers.identify)


@contextmanager
def one_host(options: argparse.Namespace, store: Store) -> Iterator[Site]:
    """One ComfyUI to ask, without Ray."""
    from .renderer import Renderer, own_host

    if options.server:
        with ServerWorkers(options.server, store, Scorer(None)) as workers:
            schemas, versions = workers.facts()
            yield Site(schemas, versions, workers.identify)
        return
    installation = installation_of(options)
    renderer = Renderer(own_host(installation, store.work), store, Scorer(None))
    try:
        schemas, versions = renderer.facts(installation.base / "custom_nodes")
        yield Site(schemas, versions, renderer.identify)
    finally:
        renderer.close()


def _workers(options: argparse.Namespace, store: Store) -> Workers:
    if options.server:
        return ServerWorkers(options.server, store, Scorer(own_python()), options.timeout)
    installation = installation_of(options)
    is_far = options.address is not None or isinstance(store, ObjectStore)
    scorer = Scorer(installation.python, installation.base / "models")
    arguments = (installation, store, scorer, options.timeout, "" if is_far else str(store.work))
    print(f"Starting Ray and ComfyUI ({installation.tree}). {on_ray.PORTS}", file=sys.stderr)
    gpus = 0.0 if options.cpu else options.gpus_per_worker
    return RayWorkers(
        arguments, options.workers or int(options.cpu), gpus, options.address, _resources(options)
    )


def installation_of(options: argparse.Namespace) -> Installation:
    device = ("--cpu",) if options.cpu else ()
    installation = found(
        options.comfyui, options.comfyui_python, options.comfyui_base, (*device, *options.rest)
    )
    if not options.cpu and options.address is None and not has_accelerator(installation):
        raise ValueError(
            f"PyTorch of {installation.python} sees no GPU. To render without one: --cpu --workers N."
        )
    return installation


def _grid(options: argparse.Namespace) -> grid.Grid:
    return grid.parse(options.grid)


def _root(options: argparse.Namespace) -> Path:
    table.columns(options.table)  # that it is there and readable is told before any host is started
    return (options.root or options.table.parent).expanduser().resolve()


def _resources(options: argparse.Namespace) -> dict[str, float]:
    pairs = (item.partition("=") for item in options.resource)
    try:
        return {name: float(count) for name, _, count in pairs}
    except ValueError:
        raise ValueError(f"--resource takes NAME=N, got {options.resource}.") from None


@contextmanager
def ignoring_interrupts() -> Iterator[None]:
    """A second Ctrl-C does not break off the clearing up, which is short."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
