"""A row becomes a task: a checked graph, the files it needs, and a key that says what the clip depends on."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import media, saved_voices
from .comfy.client import Graph
from .comfy.site import Site
from .faults import Fault
from .inputs import cast
from .paths import checked_name, inside
from .table import Cell, Row
from .workflow import (
    DEFAULT,
    SAVERS,
    Target,
    Workflow,
    file_of,
    is_link,
    load,
    replace_saver,
    require_nodes,
    targets,
)

FILES = {"face": ("image_upload", "picture"), "voice": ("audio_upload", "sound")}
OWN = ("workflow", "name")  # columns that set no input
MODEL_SUFFIXES = (".safetensors", ".sft", ".gguf", ".ckpt", ".pt", ".pth", ".bin")
FRAMES_PER_LATENT = 8
SIGNED = SAVERS[1]


@dataclass(frozen=True)
class Task:
    """One row, ready to render.

    files: name in the host's input folder -> file on disk. voice, speech: what scores compare a clip with.
    """

    key: str
    number: int
    cells: dict[str, Cell]
    variant: dict[str, Cell]
    graph: Graph
    files: dict[str, str]
    name: str = ""
    voice: str = ""
    speech: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class RowFaults(ValueError):
    """Everything that is wrong with one row."""

    def __init__(self, faults: list[Fault]):
        self.faults = faults
        super().__init__(faults[0].text)


@dataclass
class Planner:
    """Rows -> tasks.

    root: the folder that paths of the table are relative to, and must stay in. input_folder: the host's own, from
    which files that the workflow names are taken along. workflow: of rows that name none.
    """

    site: Site
    root: Path
    workflow: str = DEFAULT
    input_folder: Path | None = None
    is_signed: bool = False
    _workflows: dict[str, Workflow | ValueError] = field(default_factory=dict)
    _selectors: dict[str, set[str]] = field(default_factory=dict)
    _speaks: dict[str, bool] = field(default_factory=dict)
    _models: dict[str, str] = field(default_factory=dict)

    def tasks(self, rows: Iterable[Row]) -> Iterator[Task | Fault]:
        """A task for each good row, the faults of the others; names that two rows have are faults too."""
        first: dict[str, int] = {}
        for row in rows:
            try:
                task = self.task(row)
            except RowFaults as error:
                yield from error.faults
                continue
            if task.name and task.name.lower() in first:
                yield Fault(f"is also the name of row {first[task.name.lower()]}.", row.number, "name")
                continue
            if task.name:
                first[task.name.lower()] = row.number
            yield task

    def task(self, row: Row) -> Task:
        """Raises: RowFaults"""
        faults: list[Fault] = []
        try:
            workflow = self._workflow(str(row.values.get("workflow", self.workflow))).copied()
        except ValueError as error:
            raise RowFaults([Fault(str(error), row.number, "workflow")]) from None
        name = self._name(row, faults)
        files: dict[str, str] = {}
        for column, cell in self._in_order(workflow, row.values):
            try:
                self._apply(workflow, column, cell, files)
            except ValueError as error:
                faults.append(Fault(str(error), row.number, column))
        if "speech" not in row.values and self._needs_speech(workflow):
            faults.append(
                Fault("is missing: the clip would say the workflow's own words.", row.number, "speech")
            )
        if faults:
            raise RowFaults(faults)
        self._take_inputs_along(workflow, files)
        return Task(
            self._key(workflow),
            row.number,
            row.cells,
            row.variant,
            workflow.graph,
            files,
            name,
            self._voice(workflow, files),
            str(row.values.get("speech", "")),
        )

    def _workflow(self, name: str) -> Workflow:
        if name not in self._workflows:
            self._workflows[name] = self._loaded(name)
        found = self._workflows[name]
        if isinstance(found, ValueError):
            raise found
        return found

    def _loaded(self, name: str) -> Workflow | ValueError:
        try:
            file = file_of(name, self.root)
            if name.endswith(".json") and name != self.workflow:
                file = inside(self.root, name)
            workflow = load(file)
            workflow.schemas = self.site.schemas
            require_nodes(workflow)
            if self.is_signed:
                replace_saver(workflow, SIGNED)
            return workflow
        except ValueError as error:
            return error

    def _in_order(self, workflow: Workflow, values: dict[str, Cell]) -> list[tuple[str, Cell]]:
        """Lists whose options bring inputs come first: `preset` before the `steps` that it brings."""
        columns = [(column, cell) for column, cell in values.items() if column not in OWN]
        return sorted(columns, key=lambda item: not self._brings_inputs(workflow, item[0]))

    def _brings_inputs(self, workflow: Workflow, column: str) -> bool:
        if workflow.name not in self._selectors:
            self._selectors[workflow.name] = {
                selector.rpartition(".")[2]
                for node in workflow.graph
                for spec in workflow.specs(node, of_all_options=True).values()
                for selector, _ in spec.needs
            }
        return column.rpartition(".")[2] in self._selectors[workflow.name]

    def _apply(self, workflow: Workflow, column: str, cell: Cell, files: dict[str, str]) -> None:
        if column == "voice" and saved_voices.is_saved(workflow, str(cell)):
            saved_voices.use(workflow, str(cell))
        elif column in FILES:
            flag, kind = FILES[column]
            self._set_file(workflow, _upload_target(workflow, flag, column), str(cell), kind, files)
        elif column == "seconds":
            _set_seconds(workflow, cell)
        else:
            for target in targets(workflow, column):
                spec = workflow.spec(target)
                if spec.is_file:
                    kind = "sound" if spec.extra.get("audio_upload") else "picture"
                    self._set_file(workflow, target, str(cell), kind, files)
                else:
                    workflow.put(target, cast(spec, cell))

    def _set_file(
        self, workflow: Workflow, target: Target, value: str, kind: str, files: dict[str, str]
    ) -> None:
        path = inside(self.root, value)
        media.require(path, kind)
        self._upload(workflow, target, path, files)

    def _upload(self, workflow: Workflow, target: Target, path: Path, files: dict[str, str]) -> None:
        """The host's name of a file is its content's hash: equal for equal files, and nothing of its own name."""
        name = media.content_hash(path)[:32] + path.suffix.lower()
        files[name] = str(path)
        workflow.put(target, name)

    def _take_inputs_along(self, workflow: Workflow, files: dict[str, str]) -> None:
        """Files that the workflow itself names come from the user's own input folder, where they are there."""
        if self.input_folder is None:
            return
        for node in workflow.graph:
            for name, spec in workflow.specs(node).items():
                value = workflow.value(Target(node, name))
                if spec.is_file and isinstance(value, str) and value not in files:
                    path = (self.input_folder / value).resolve()
                    if path.is_relative_to(self.input_folder.resolve()) and path.is_file():
                        self._upload(workflow, Target(node, name), path, files)

    def _name(self, row: Row, faults: list[Fault]) -> str:
        """The clip's own name; rows that the grid made get its values behind it."""
        if "name" not in row.values:
            return ""
        parts = [str(row.values["name"]), *(f"{column}={value}" for column, value in row.variant.items())]
        try:
            return checked_name(" ".join(parts))
        except ValueError as error:
            faults.append(Fault(str(error), row.number, "name"))
            return ""

    def _needs_speech(self, workflow: Workflow) -> bool:
        if workflow.name not in self._speaks:
            try:
                self._speaks[workflow.name] = bool(targets(workflow.copied(), "speech"))
            except ValueError:
                self._speaks[workflow.name] = False
        return self._speaks[workflow.name]

    def _key(self, workflow: Workflow) -> str:
        """What the clip depends on: typed inputs, content of face and voice, model files, versions."""
        values = [value for node in workflow.graph.values() for value in node["inputs"].values()]
        names = sorted({value for value in values if isinstance(value, str) and _may_be_a_model(value)})
        names += saved_voices.names(workflow)
        modules = {self.site.schemas[name].get("python_module") for name in workflow.classes()}
        versions = {
            name: version
            for name, version in self.site.versions.items()
            if name in modules or name == "comfyui"
        }
        graph = {node_id: [node["class_type"], node["inputs"]] for node_id, node in workflow.graph.items()}
        parts = {"graph": graph, "models": {name: self._model(name) for name in names}, "versions": versions}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:40]

    def _model(self, name: str) -> str:
        if name not in self._models:
            self._models[name] = self.site.identify(name)
        return self._models[name]

    def _voice(self, workflow: Workflow, files: dict[str, str]) -> str:
        """The file of the voice, for scores; none where the voice is a saved one."""
        for node in workflow.graph:
            for name, spec in workflow.specs(node).items():
                value = workflow.value(Target(node, name))
                if spec.extra.get("audio_upload") and value in files:
                    return files[value]
        return ""


def _may_be_a_model(value: str) -> bool:
    return value.lower().endswith(MODEL_SUFFIXES)


def _upload_target(workflow: Workflow, flag: str, column: str) -> Target:
    """The one input that takes an upload of a kind.

    Raises:
        ValueError: none, or several.
    """
    found = [
        Target(node, name)
        for node in workflow.graph
        for name, spec in workflow.specs(node).items()
        if spec.extra.get(flag) and not is_link(workflow.value(Target(node, name)))
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ValueError(f"the workflow {workflow.name} loads no {column}.")
    choices = " or ".join(f"{target.node}.{target.input}" for target in found)
    raise ValueError(f"the workflow {workflow.name} loads {len(found)}; write the column as {choices}.")


def _set_seconds(workflow: Workflow, cell: Cell) -> None:
    """The shortest clip of 8n + 1 frames that lasts so long, as `idlora_core.frames.length_for` has it."""
    try:
        seconds = float(cell)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 3600:
        raise ValueError(f"takes a number of seconds above 0, got {cell!r}.")
    length = targets(workflow, f"{_length_owner(workflow)}.length")[0]
    rate_target = targets(workflow, f"{_length_owner(workflow)}.frame_rate")[0]
    frames = (
        max(-(-(seconds * float(workflow.value(rate_target)) - 1) // FRAMES_PER_LATENT), 0)
        * FRAMES_PER_LATENT
        + 1
    )
    workflow.put(length, cast(workflow.spec(length), int(frames)))


def _length_owner(workflow: Workflow) -> str:
    """The node that makes the latent: it has both a length and a frame rate, and an output LATENT."""
    for node_id in workflow.graph:
        names = workflow.specs(node_id)
        outputs = workflow.schemas.get(workflow.graph[node_id]["class_type"], {}).get("output") or []
        if "length" in names and "frame_rate" in names and "LATENT" in outputs:
            return node_id
    raise ValueError(f"the workflow {workflow.name} has no node with a length and a frame rate.")
