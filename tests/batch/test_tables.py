"""A whole table is checked before anything is rendered: every fault at once, by row and column."""

import json
import shutil
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from bed import batch_runs as runs
from idlora_batch import grid, inputs, media, paths, table
from idlora_batch.comfy.installation import found
from idlora_batch.comfy.site import Site
from idlora_batch.faults import BadTable, Fault, described
from idlora_batch.ledger import harmless
from idlora_batch.plan import Planner, Task
from idlora_batch.renderer import Renderer, own_host
from idlora_batch.scores import Scorer
from idlora_batch.store import Store
from idlora_batch.workflow import SHIPPED, Target, load, targets

PACK = "custom_nodes.idlora-ltx2"


@pytest.fixture(scope="session")
def schemas(tmp_path_factory, comfyui):
    """/object_info of a real ComfyUI with this pack."""
    options = dict(option.removeprefix("--").partition("=")[::2] for option in comfyui)
    installation = found(
        *(Path(options[name]) for name in ("comfyui", "comfyui-python", "comfyui-base")), ("--cpu",)
    )
    store = Store(tmp_path_factory.mktemp("asked"))
    renderer = Renderer(own_host(installation, store.work), store, Scorer(None))
    try:
        nodes, versions = renderer.facts(installation.base / "custom_nodes")
        assert len(versions[PACK]) == 16
        assert renderer.identify("small_ltx23.safetensors").partition(" bytes, ")[2]
        assert renderer.identify("nothing.safetensors") == ""
        return nodes
    finally:
        renderer.close()


@pytest.fixture
def planned(schemas, folder):
    """What a table's rows come to."""

    def plan(file, **changes) -> list[Task | Fault]:
        site = Site(
            schemas, {"comfyui": "0.30.0", PACK: "1"}, changes.pop("identify", lambda name: f"{name} 1")
        )
        grid_text = changes.pop("grid", "")
        planner = Planner(site, folder, **{"workflow": "small.json", **changes})
        planner.workflow = (
            str(folder / "small.json") if planner.workflow == "small.json" else planner.workflow
        )
        return list(planner.tasks(grid.multiplied(table.rows(file), grid.parse(grid_text))))

    return plan


def value(task: Task, node: str, name: str):
    return task.graph[node]["inputs"][name]


def test_a_row_sets_the_inputs_that_its_columns_name(planned, folder):
    lines = [
        "face,voice,speech,visual,sounds,seconds,seed,steps,LTXIDLoRA_Load.strength,latent.max_side",
        'idlora_portrait.png,idlora_voice.flac,"Hello, you.",A man.,Rain.,0.5,7,3,0.5,96',
    ]
    (task,) = planned(runs.write_table(folder / "a.csv", *lines))
    assert isinstance(task, Task)
    assert value(task, "prompt", "speech") == "Hello, you."
    assert (value(task, "prompt", "visual"), value(task, "prompt", "sounds")) == ("A man.", "Rain.")
    assert (value(task, "sample", "seed"), value(task, "sample", "preset.steps")) == (7, 3)
    assert (value(task, "lora", "strength"), value(task, "latent", "max_side")) == (0.5, 96)
    assert value(task, "latent", "length") == 17  # the shortest 8n + 1 of 0.5 s at 25 fps
    assert value(task, "face", "image") in task.files and value(task, "voice", "audio") in task.files
    assert "portrait" not in json.dumps(task.graph)


def test_csv_json_lines_and_parquet_give_the_same_keys(planned, folder):
    rows = [{"speech": "Hello.", "seed": seed, "identity_scale": 2.0} for seed in (1, 2)]
    csv_file = runs.write_table(folder / "a.csv", "speech,seed,identity_scale", "Hello.,1,2", "Hello.,2,2.0")
    json_file = runs.write_table(folder / "a.jsonl", *map(json.dumps, rows))
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "a.parquet")
    keys = [[task.key for task in planned(file)] for file in (csv_file, json_file, folder / "a.parquet")]
    assert keys[0] == keys[1] == keys[2] and len(set(keys[0])) == 2


def test_a_key_depends_on_settings_files_models_and_versions_and_on_nothing_else(planned, folder):
    file = runs.write_table(folder / "a.csv", "face,speech,name", "idlora_portrait.png,Hello.,one")
    (task,) = planned(file)
    shutil.copy(folder / "idlora_portrait.png", folder / "other.png")
    same = runs.write_table(folder / "b.csv", "name,face,speech", "two,other.png,Hello.")
    assert planned(same)[0].key == task.key
    assert planned(file, identify=lambda name: f"{name} 2")[0].key != task.key
    (folder / "other.png").write_bytes((folder / "other.png").read_bytes() + b"\0")
    assert planned(same)[0].key != task.key


def test_a_grid_multiplies_rows_and_their_names(planned, folder):
    file = runs.write_table(folder / "a.csv", "speech,name", "Hello.,ann")
    tasks = planned(file, grid="speed=exact,fast seed=1..3")
    assert len(tasks) == 6 == len({task.key for task in tasks})
    assert tasks[0].name == "ann speed=exact seed=1"
    assert value(tasks[3], "options", "speed") == "fast"


def test_an_option_of_a_node_that_the_workflow_lacks_brings_the_node(schemas, folder):
    workflow = load(SHIPPED / "idlora_one_stage.json")
    workflow.schemas = schemas
    (target,) = targets(workflow, "speed")
    taken = [node["inputs"].get("guidance") for node in workflow.graph.values()]
    assert [target.node, 0] in taken
    assert workflow.graph[target.node]["class_type"] == "LTXIDLoRA_GuidanceOptions"


def test_choosing_another_option_exchanges_the_inputs_that_it_brings(schemas, folder):
    workflow = load(folder / "small.json")
    workflow.schemas = schemas
    options = workflow.spec(Target("sample", "preset")).options
    for option in options:
        workflow.put(Target("sample", "preset"), option)
        own = {name for name in workflow.graph["sample"]["inputs"] if name.startswith("preset.")}
        assert own == {name for name in workflow.specs("sample") if name.startswith("preset.")}
    assert len(options) > 1


@pytest.mark.parametrize("name", sorted(file.stem for file in SHIPPED.glob("*.json")))
def test_every_shipped_workflow_takes_the_documented_columns(planned, folder, schemas, name):
    needed = {node["class_type"] for node in json.loads((SHIPPED / f"{name}.json").read_text()).values()}
    lines = [
        "face,voice,speech,visual,sounds,seconds,seed",
        "idlora_portrait.png,idlora_voice.flac,Hi.,A.,B.,2,3",
    ]
    (found,) = planned(runs.write_table(folder / "a.csv", *lines), workflow=name)
    if needed <= set(schemas):
        assert isinstance(found, Task), found
    else:
        assert isinstance(found, Fault) and "does not have" in found.text


BAD = [
    ("no speech", ["seed", "1"], "row 1, speech: is missing"),
    ("no such column", ["speech,colour", "Hi.,red"], "row 1, colour: the workflow small has no such input"),
    ("not a picture", ["face,speech", "note.txt,Hi."], "row 1, face: note.txt is not a picture"),
    ("text named png", ["face,speech", "fake.png,Hi."], "row 1, face: fake.png is not a picture"),
    ("not there", ["voice,speech", "gone.wav,Hi."], "gone.wav is not there"),
    ("picture as voice", ["voice,speech", "idlora_portrait.png,Hi."], "is not a recording"),
    ("up and out", ["face,speech", "../../etc/passwd,Hi."], "leads out of"),
    ("absolute", ["face,speech", "/etc/passwd,Hi."], "leads out of"),
    ("link", ["face,speech", "link.png,Hi."], "leads out of"),
    ("null", ["face,speech", "a\0.png,Hi."], "null character"),
    ("one name twice", ["speech,name", "Hi.,ann", "Ho.,Ann"], "row 2, name: is also the name of row 1"),
    ("name with a folder", ["speech,name", "Hi.,../ann"], "cannot be a file's name"),
    ("name of a device", ["speech,name", "Hi.,CON.mp4"], "cannot be a file's name"),
    ("no number", ["speech,steps", "Hi.,many"], "row 1, steps: takes a whole number, got 'many'"),
    ("out of range", ["speech,identity_scale", "Hi.,-5"], "takes 0"),
    ("no option", ["speech,speed", "Hi.,warp"], "takes exact, fast; got 'warp'"),
    ("infinite", ["speech,identity_scale", "Hi.,inf"], "takes a number"),
    ("connected", ["speech,sample.model", "Hi.,x"], "is connected"),
    ("several", ["speech,strength", "Hi.,1"], "write FirstFrame.strength or Load.strength"),
    ("no seconds", ["speech,seconds", "Hi.,long"], "takes a number of seconds"),
    ("no workflow", ["speech,workflow", "Hi.,gone.json"], "There is no workflow"),
    ("unknown workflow", ["speech,workflow", "Hi.,gone"], "neither a .json file nor one of the shipped"),
    ("workflow outside", ["speech,workflow", "Hi.,../a.json"], "leads out of"),
    ("editor's workflow", ["speech,workflow", "Hi.,editor.json"], "Export (API)"),
    ("not JSON", ["speech,workflow", "Hi.,note.json"], "is not a workflow"),
    ("another pack's", ["speech,workflow", "Hi.,foreign.json"], "does not have: SomebodysNode"),
    ("cells", ["speech,seed", "Hi."], "row 1: has 1 cells, the header 2"),
    ("column twice", ["speech,speech", "Hi.,Ho."], "there more than once"),
    ("empty name", ["speech,", "Hi.,Ho."], "A column has no name"),
    ("many columns", [",".join(f"c{i}" for i in range(10**6))], "has 1000000 columns; at most 500"),
]


@pytest.mark.parametrize("lines, sentence", [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_table_is_told_in_a_sentence(planned, folder, lines, sentence):
    (folder / "note.txt").write_text("not a picture")
    (folder / "note.json").write_text("not JSON")
    (folder / "fake.png").write_text("not a picture")
    (folder / "link.png").symlink_to("/etc/passwd")
    (folder / "editor.json").write_text('{"nodes": [], "links": []}')
    (folder / "foreign.json").write_text('{"1": {"class_type": "SomebodysNode", "inputs": {}}}')
    file = runs.write_table(folder / "a.csv", *lines)
    try:
        found = [fault for fault in planned(file) if isinstance(fault, Fault)]
    except BadTable as error:
        found = list(error.faults)
    assert sentence in described(found)


def test_every_fault_is_told_at_once(planned, folder):
    file = runs.write_table(folder / "a.csv", "speech,steps,face", "Hi.,x,no.png", "Hi.,2,", ",3,", "Hi.,x,")
    text = described(fault for fault in planned(file) if isinstance(fault, Fault))
    assert "rows 1, 4, steps: takes a whole number, got 'x'." in text
    assert "row 1, face: " in text and "row 3, speech: is missing" in text
    assert len(text.splitlines()) == 3


@pytest.mark.parametrize("content", [b"", b"speech,seed\n", b"\xef\xbb\xbfspeech\n"])
def test_an_empty_table_has_no_rows(folder, content):
    (folder / "a.csv").write_bytes(content)
    assert list(table.rows(folder / "a.csv")) == []


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        ("a.csv", b"speech\n\xff\xfe", "is not UTF-8"),
        ("a.csv", b'speech\n"open', "cannot be read"),
        ("a.jsonl", b"{", "is not valid JSON"),
        ("a.jsonl", b"[1]", "is not a JSON object"),
        ("a.jsonl", b'{"speech": {"a": 1}}', "takes text or a number"),
        ("a.parquet", b"PAR1", "cannot be read"),
        ("a.xlsx", b"", "is not a table"),
        ("gone.csv", None, "There is no table"),
    ],
)
def test_what_is_not_a_table_is_told(folder, name, content, sentence):
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(BadTable, match=sentence):
        list(table.rows(folder / name))


@pytest.mark.parametrize(
    "text", ["speed", "=1", "speed=", "seed=5..1", "seed=1..1000000", "a=1 a=2", "a=1..200 b=1..200"]
)
def test_a_grid_that_is_none_is_told(text):
    with pytest.raises(ValueError, match="--grid"):
        grid.parse(text)


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_the_csv_is_a_formula(cell):
    assert harmless(cell) == f"'{cell}"


def test_plain_cells_stay_as_they_are():
    assert [harmless(cell) for cell in ("Hello = you", -1.5, None, "")] == ["Hello = you", -1.5, None, ""]


def test_paths_stay_below_the_root(tmp_path):
    assert paths.inside(tmp_path, "a/../b.png") == (tmp_path / "b.png").resolve()
    assert paths.inside(tmp_path, str(tmp_path / "b.png")) == (tmp_path / "b.png").resolve()
    with pytest.raises(ValueError, match="leads out"):
        paths.inside(tmp_path / "a", "../b.png")


def test_media_are_known_by_their_content(folder):
    media.require(folder / "idlora_portrait.png", "picture")
    media.require(folder / "idlora_voice.flac", "sound")
    with pytest.raises(ValueError, match="is not a picture"):
        media.require(folder / "idlora_voice.flac", "picture")


def test_truth_is_written_in_several_ways():
    spec = inputs.Spec("BOOLEAN", (), {}, False)
    assert [inputs.cast(spec, cell) for cell in ("true", "No", True, "0")] == [True, False, True, False]
    with pytest.raises(ValueError, match="true or false"):
        inputs.cast(spec, "perhaps")
