"""Draw all workflows, and record node schemas."""

import json
import urllib.request
from pathlib import Path

from . import app, files, schema
from .thumbnail import save_thumbnail


def draw_all(
    folder: Path = files.FOLDER,
    api_folder: Path = files.API_FOLDER,
    blueprint_folder: Path = files.BLUEPRINT_FOLDER,
) -> None:
    write(files.blueprint_files(blueprint_folder))
    write(files.app_files(folder))
    save_thumbnail(folder / f"{app.NAME}.jpg", app.TITLE, app.TAGLINE)
    for workflow in files.WORKFLOWS:
        write(files.files(workflow, folder, api_folder))
        thumbnail = folder / f"{workflow.build().name}.jpg"
        save_thumbnail(thumbnail, workflow.title, workflow.tagline)
        print(thumbnail)


def write(files: dict[Path, str]) -> None:
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path)


def record_schemas(host: str, node_types: list[str]) -> None:
    """Ask a running host about the node types that are recorded already, and about new ones."""
    with urllib.request.urlopen(f"{host.rstrip('/')}/object_info", timeout=30) as answer:
        info = json.load(answer)
    wanted = sorted({*schema.load_recorded(), *node_types})
    missing = [node_type for node_type in wanted if node_type not in info]
    if missing:
        raise SystemExit(f"The host at {host} has no node {', '.join(missing)}.")
    schema.record([schema.read_live(node_type, info[node_type]) for node_type in wanted])
    print(f"{schema.RECORDED}: {len(wanted)} node types")
