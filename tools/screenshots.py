"""`dev.py screenshots`: the pictures in docs/images/ and web/docs/images/, taken of the real frontend on a real host.

The example picture and voice are real; the clip of the finished run is noise, as small random models make it.
"""

import io
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from dev_setup import downloads, hosts
from dev_setup.versions import NEWEST_HOST, ROOT
from support.browser.comfy_page import ComfyPage
from support.browser.shipped import NAMES, nodes_of
from support.browser.window import Window, open_window
from support.host_client import output_files
from support.host_process import PACK, TEXT_ENCODER_DOUBLE, HostProcess
from tools import mask_picture
from tools.workflows import WORKFLOWS, small_overrides
from tools.workflows.api_format import SMALL_VALUES
from tools.workflows.app import NAME as APP
from tools.workflows.files import API_FOLDER, FOLDER

IMAGES = ROOT / "docs" / "images"
# Help pages show pictures from beside them, which are shipped: `![..](images/<node_id>.webp)`.
HELP_IMAGES = ROOT / "web" / "docs" / "images"
MARGIN = 30  # graph units around what is shown
MAX_BYTES, QUALITIES = 240_000, (90, 80, 70, 60, 50)
TITLE_HEIGHT, NODE_GAP, COLUMN = 30, 40, 400  # the same
PLOT_STEPS = 30
REMARKED_SCRIPT = "[0-0.3] ANNA: Oh! Did you hear that?\nBEN: What?\n[2-3] ANNA + BEN: Run!"
TOAST_FADES = 1_000  # milliseconds
RUN_SIZE, TABS = (1300, 900), 38  # window, and the height of its row of tabs
BARE = {  # nothing over the graph; text at every zoom
    "Comfy.Graph.CanvasInfo": False,
    "Comfy.Graph.CanvasMenu": False,
    "LiteGraph.Canvas.MinFontSizeForLOD": 0,
    "Comfy.Node.AlwaysShowAdvancedWidgets": True,
}
Box = tuple[float, float, float, float]


def take_all(window: Window, host: HostProcess) -> None:
    own = sorted(kind for kind in host.object_info() if kind.startswith("LTXIDLoRA_"))
    with window.page(host, "classic", scale=1.5, settings=BARE) as page:
        take_workflows(page)
    with window.page(host, "classic", scale=2, settings=BARE) as page:
        take_nodes(page, own)
    with window.page(host, "nodes2", scale=1.5, settings=BARE) as page:
        take_nodes_together(page, own)
    with window.page(host, "nodes2", size=RUN_SIZE, scale=1.5) as page:
        take_run(page)
    with window.page(host, "nodes2", size=RUN_SIZE, scale=1.5) as page:
        take_voice(page)
    with window.page(host, "nodes2", size=RUN_SIZE, scale=1.5) as page:
        take_scene(page, "run_scene_script")
    with window.page(host, "nodes2", size=RUN_SIZE, scale=1.5) as page:
        take_scene(page, "run_scene_remarks", script=REMARKED_SCRIPT)
    mask_picture.main()
    with window.page(host, "nodes2", size=RUN_SIZE) as page:
        take_app(page)
    take_plot(host)


def take_workflows(page: ComfyPage) -> None:
    hide_all_but_the_graph(page)
    for name in NAMES:
        page.drop_file(FOLDER / f"{name}.json")
        if name == APP:
            page.command("Comfy.ToggleLinear")  # from the form to the graph
        save(framed(page, page.probe("bounds"), zoom=0.7), f"workflow_{short_name(name)}")


def short_name(workflow: str) -> str:
    """The name of the function that builds it: short, and without spaces."""
    names = {entry.build().name: entry.build.__name__ for entry in WORKFLOWS}
    return names.get(workflow, "app")


def take_nodes(page: ComfyPage, kinds: list[str]) -> None:
    hide_all_but_the_graph(page)
    for kind in kinds:
        page.clear()
        add_example(page, kind)
        picture = framed(page, page.probe("bounds"), zoom=1)
        save(picture, f"node_{kind.removeprefix('LTXIDLoRA_')}")
        save(picture, kind, HELP_IMAGES)


def take_nodes_together(page: ComfyPage, kinds: list[str], num_columns: int = 4) -> None:
    """All nodes, each below the shortest column so far."""
    hide_all_but_the_graph(page)
    bottoms = [0.0] * num_columns
    for kind in kinds:
        column = bottoms.index(min(bottoms))
        node_id = add_example(page, kind, column * (COLUMN + NODE_GAP), bottoms[column], COLUMN)
        bottoms[column] = page.probe("bounds", [node_id])[3] + TITLE_HEIGHT + NODE_GAP
    save(framed(page, page.probe("bounds"), zoom=0.9), "nodes_2")


def take_run(page: ComfyPage) -> None:
    """After a run: the window, with sampler, decoder and player in view; and what the reference's node shows."""
    page.drop_file(FOLDER / "ID-LoRA Talking Head, paper settings.json")
    page.set_values(SMALL_VALUES | {"seed": 42})
    page.wait_success(page.run())
    page.film()
    page.page.evaluate("() => document.querySelector('video').pause()")
    left, top, _, _ = page.probe("bounds", ids_of(page, "LTXIDLoRA_KSampler", "SaveVideo"))
    page.look(left - 130, top - 140, 1)
    width, height = RUN_SIZE
    picture = page.page.screenshot(clip={"x": 0, "y": TABS, "width": width, "height": height - TABS})
    save(picture, "run_one_stage")
    hide_all_but_the_graph(page)
    box = page.probe("bounds", ids_of(page, "LTXIDLoRA_EncodeReferenceAudio"))
    picture = framed(page, box, zoom=1.2)
    save(picture, "run_reference")
    save(picture, "run_reference", HELP_IMAGES)


def take_scene(page: ComfyPage, name: str, **values: Any) -> None:
    """After a run: who speaks when, on Scene Script."""
    page.drop_file(FOLDER / "ID-LoRA Two People Talking.json")
    page.set_values(SMALL_VALUES | {"steps": 1, "seed": 42, "seconds": 4.8} | values)
    page.wait_success(page.run())
    page.film()
    hide_all_but_the_graph(page)
    picture = framed(page, page.probe("bounds", ids_of(page, "LTXIDLoRA_SceneScript")), zoom=1.2)
    save(picture, name)
    save(picture, name, HELP_IMAGES)


def take_voice(page: ComfyPage) -> None:
    """Load Voice after a run: player, card, status line."""
    page.drop_file(FOLDER / "ID-LoRA Talking Head, saved voice.json")
    page.set_values(SMALL_VALUES | {"seed": 42})
    page.wait_success(page.run())
    hide_all_but_the_graph(page)
    picture = framed(page, page.probe("bounds", ids_of(page, "LTXIDLoRA_LoadVoice")), zoom=1.2)
    save(picture, "run_voice", HELP_IMAGES)


def take_app(page: ComfyPage) -> None:
    """The form before a run and after it, and with words that do not fit."""
    page.drop_file(FOLDER / f"{APP}.json")
    page.see("linear-widgets").wait_for()
    save(page.page.screenshot(), "app")
    page.set_values({name: value for name, value in SMALL_VALUES.items() if name == "max_side"})
    words = page.field("What is said").locator("textarea")
    said = words.input_value()
    words.fill(f"{said} And I could go on like this for quite a while.")
    page.hint()
    save(page.page.screenshot(), "app_estimate")
    words.fill(said)
    page.set_values({"seconds": SMALL_VALUES["seconds"]})
    page.wait_success(page.run_app())
    page.see("linear-center-panel").locator("video[controls]").wait_for()
    page.settle()
    # The small distilled LoRA of the tests has so low a rank that the sampler takes the model for a dev one, and says so.
    for close in page.page.locator(".p-toast-close-button").all():
        close.click()
    page.page.wait_for_timeout(TOAST_FADES)
    save(page.page.screenshot(), "app_ran")


def take_plot(host: HostProcess) -> None:
    """The plot of a whole small run, as the sampler gives it."""
    graph = small_overrides(
        json.loads((API_FOLDER / "ID-LoRA Talking Head, paper settings.json").read_text(encoding="utf-8"))
    )
    (sampler,) = [key for key, node in graph.items() if node["class_type"] == "LTXIDLoRA_KSampler"]
    graph[sampler]["inputs"]["preset.steps"] = PLOT_STEPS
    graph["plot"] = {
        "class_type": "SaveImage",
        "inputs": {"images": [sampler, 1], "filename_prefix": "plot"},
    }
    (file,) = [file for file in output_files(host.run(graph)) if file["filename"].startswith("plot")]
    picture = (host.output_dir / file["subfolder"] / file["filename"]).read_bytes()
    save(picture, "run_guidance_plot")
    save(picture, "run_guidance_plot", HELP_IMAGES)


def ids_of(page: ComfyPage, *kinds: str) -> list[str]:
    return [node["id"] for node in page.nodes() if node["type"] in kinds]


def hide_all_but_the_graph(page: ComfyPage) -> None:
    page.command("Workspace.ToggleFocusMode")
    page.page.add_style_tag(content=".no-drag.fixed, .p-toast { display: none }")


def example_values(kind: str) -> dict[str, Any]:
    """The values that a node of this type has in the first workflow that has one."""
    nodes = (node for workflow in WORKFLOWS for node in workflow.build().nodes)
    values = next((node.values for node in nodes if node.schema.type == kind), {})
    return {name: value for name, value in values.items() if isinstance(value, str | int | float)}


def framed(page: ComfyPage, box: Box, zoom: float) -> bytes:
    """The part of the graph in `box`, at `zoom` CSS pixels per unit, in a window that it fills."""
    left, top, right, bottom = box
    width, height = ((right - left + 2 * MARGIN) * zoom, (bottom - top + 2 * MARGIN) * zoom)
    page.page.set_viewport_size({"width": int(width) + 1, "height": int(height) + 80})
    page.look(left - MARGIN, top - MARGIN, zoom)
    x, y = page.probe("corner")
    return page.page.screenshot(clip={"x": x, "y": y, "width": int(width), "height": int(height)})


def add_example(page: ComfyPage, kind: str, x: float = 0, y: float = 0, width: float | None = None) -> str:
    """Add a node as the first workflow that has one shows it: its values, and its size."""
    node_id = page.add_node(kind)
    page.set_values(example_values(kind))
    found = (node["size"] for name in NAMES for node in nodes_of(name) if node["type"] == kind)
    own_width, height = next(found, (None, 0))
    page.probe("put", node_id, x, y, width or own_width, height)
    page.settle()
    return node_id


def save(screenshot: bytes, name: str, folder: Path = IMAGES) -> None:
    """Write a WebP file, in the best quality that keeps it small."""
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    for quality in QUALITIES:
        content = io.BytesIO()
        picture.save(content, "WEBP", quality=quality, method=6)
        if content.tell() <= MAX_BYTES:
            break
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.webp"
    file.write_bytes(content.getvalue())
    print(
        f"{file.relative_to(ROOT)}: {picture.width}x{picture.height}, {content.tell() // 1024} KiB",
        flush=True,
    )


@contextmanager
def running_host() -> Iterator[HostProcess]:
    with tempfile.TemporaryDirectory(prefix="idlora-", ignore_cleanup_errors=True) as work_dir:
        host = HostProcess(
            downloads.comfyui(NEWEST_HOST),
            Path(sys.executable),
            Path(work_dir),
            models=hosts.small_models(),
            custom_nodes={**PACK, **TEXT_ENCODER_DOUBLE},
            options=["--cpu", "--preview-method", "none"],
            threads=1,
        )
        with host:
            yield host


def take(chromium: Path) -> None:
    with running_host() as host, open_window(chromium) as window:
        take_all(window, host)
