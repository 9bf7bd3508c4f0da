"""`dev.py demo` and `dev.py host`: the shipped workflow in the real host."""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from support.host_client import ApiGraph, HostError, output_files
from support.host_process import PACK, TEXT_ENCODER_DOUBLE, HostProcess
from tools.workflows import WORKFLOWS, small_overrides
from tools.workflows.files import API_FOLDER

from . import downloads, environment, hosts
from .console import SetupError, run_logged, say, tail
from .environment import variables
from .versions import NEWEST_HOST, ROOT

DEFAULT_WORKFLOW = "ID-LoRA Talking Head, paper settings"
DEFAULT_OUT = ROOT / "output"
DAY = 24 * 3600


def add_demo_options(parser: argparse.ArgumentParser) -> None:
    _add_shared_options(parser)
    names = [workflow.build().name for workflow in WORKFLOWS if not workflow.needs_packs]
    parser.add_argument("--workflow", choices=names, default=DEFAULT_WORKFLOW, help="default: %(default)s")
    parser.add_argument(
        "--picture", type=_existing_file, help="a picture of the person (default: the example)"
    )
    parser.add_argument(
        "--voice", type=_existing_file, help="a recording of the voice (default: the example)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NODE.INPUT=VALUE",
        help='change an input of the workflow, e.g. LTXIDLoRA_Prompt.speech="Good morning."; may be repeated',
    )


def add_host_options(parser: argparse.ArgumentParser) -> None:
    _add_shared_options(parser)
    parser.add_argument("--port", type=int, default=8188, help="default: %(default)s")


def _add_shared_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--models", type=Path, help="your own models folder, with the real files (default: small ones)"
    )
    parser.add_argument(
        "--out", type=Path, default=DEFAULT_OUT, help="folder for the results (default: %(default)s)"
    )


def _existing_file(text: str) -> Path:
    file = Path(text).expanduser()
    if not file.is_file():
        raise argparse.ArgumentTypeError(f"{text} is not a file")
    return file


def run_demo(options: argparse.Namespace) -> int:
    graph = load_graph(options)
    with running_host(options) as host:
        say(f"ComfyUI answers at {host.url}")
        give_inputs(host, graph, options.picture, options.voice)
        mp4 = render(host, graph)
        describe(host, mp4)
    say(str(mp4))
    return 0


def run_host(options: argparse.Namespace) -> int:
    with running_host(options, options.port) as host:
        say(f"Log: {host.log_file}\nResults: {host.output_dir}\nCtrl-C ends it.\n{host.url}")
        try:
            while True:
                time.sleep(1)
                host.require_alive()
        except KeyboardInterrupt:
            say("Stopping ComfyUI")
    return 0


@contextmanager
def running_host(options: argparse.Namespace, port: int = 0) -> Iterator[HostProcess]:
    """The chosen ComfyUI with this pack and the chosen models."""
    comfyui = hosts.chosen_host()
    out = writable(options.out.expanduser().resolve())
    is_small = options.models is None
    models = hosts.small_models() if is_small else hosts.users_models(options.models)
    device = ["--cpu"] if is_small else comfyui.device_options()
    say(f"Starting ComfyUI {comfyui.version} ({comfyui.tree}) with the models in {models}")
    with tempfile.TemporaryDirectory(prefix="idlora-", ignore_cleanup_errors=True) as work_dir:
        process = HostProcess(
            comfyui.tree,
            comfyui.python,
            Path(work_dir),
            models=models,
            custom_nodes={**PACK, **TEXT_ENCODER_DOUBLE} if is_small else PACK,
            options=[*device, *options.rest],
            output_dir=out,
            port=port,
            threads=1 if is_small else None,
            writes_bytecode=comfyui.is_ours,
        )
        with process:
            yield process


@contextmanager
def plain_host() -> Iterator[HostProcess]:
    """The newest ComfyUI with this pack and no models: to be asked about its nodes."""
    tree, python = downloads.comfyui(NEWEST_HOST), environment.python()
    with (
        tempfile.TemporaryDirectory(prefix="idlora-", ignore_cleanup_errors=True) as work_dir,
        HostProcess(tree, python, Path(work_dir), options=["--cpu"], threads=1) as host,
    ):
        yield host


def writable(folder: Path) -> Path:
    """The folder, made where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise SetupError(
            f"Cannot write results to {folder} ({error.strerror}). Name another with --out."
        ) from None


def load_graph(options: argparse.Namespace) -> ApiGraph:
    """A shipped workflow, made quick for the small models, with the inputs given by `--set`."""
    graph: ApiGraph = json.loads((API_FOLDER / f"{options.workflow}.json").read_text(encoding="utf-8"))
    if options.models is None:
        graph = small_overrides(graph)
    for assignment in options.set:
        target, _, text = assignment.partition("=")
        class_type, _, name = target.partition(".")
        set_input(graph, class_type, name, text)
    return graph


def set_input(graph: ApiGraph, class_type: str, name: str, text: str) -> None:
    """Set an input of all nodes of a type; where it is no text now, the text is read as JSON."""
    found = [node["inputs"] for node in graph.values() if node["class_type"] == class_type]
    if not found or any(name not in inputs for inputs in found):
        raise SetupError(f"The workflow has no input {name} of a node {class_type}.")
    for inputs in found:
        try:
            inputs[name] = text if isinstance(inputs[name], str) else json.loads(text)
        except json.JSONDecodeError:
            raise SetupError(f"{class_type}.{name} is {inputs[name]} and cannot be {text!r}.") from None


def give_inputs(host: HostProcess, graph: ApiGraph, picture: Path | None, voice: Path | None) -> None:
    """Copy the given picture and voice to the host, and load them; the examples are there already."""
    for class_type, name, given in (("LoadImage", "image", picture), ("LoadAudio", "audio", voice)):
        for node in graph.values():
            if node["class_type"] != class_type:
                continue
            if given:
                node["inputs"][name] = host.add_input(given)
            elif not (host.input_dir / node["inputs"][name]).is_file():
                raise HostError(
                    f"The example {node['inputs'][name]} is not in the host's input folder. "
                    f"The end of its log:\n{tail(host.log_text())}"
                )


def render(host: HostProcess, graph: ApiGraph) -> Path:
    """Run the graph with progress on the terminal; the video that it saved."""
    started = time.monotonic()
    with shown_progress(host, graph):
        entry = host.run(graph, timeout=DAY)
    say(f"Done in {time.monotonic() - started:.1f} s")
    files = [file for file in output_files(entry) if file["filename"].endswith(".mp4")]
    if not files:
        raise HostError("The workflow ended without saving an mp4.")
    return host.output_dir / files[0]["subfolder"] / files[0]["filename"]


def shown_progress(host: HostProcess, graph: ApiGraph) -> AbstractContextManager:
    """Progress on the terminal; nothing in a Python of yours that cannot speak to a websocket."""
    try:
        from support.host_progress import progress
    except ImportError:
        return nullcontext()
    return progress(host, graph)


def describe(host: HostProcess, mp4: Path) -> None:
    log = host.work_dir / "mp4_report.log"
    run_logged([host.python, "-m", "support.mp4_report", mp4], log, "The video holds", env=variables())
    say(f"  {log.read_text(encoding='utf-8').strip()}")
