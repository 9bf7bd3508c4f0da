"""The shipped workflow files against their source, and against each other."""

import copy
import functools
import itertools
import json

import av
import numpy
import pytest
from PIL import Image

from idlora_core.frames import clip_length
from idlora_core.speech_length import speech_fit
from tools import media
from tools.workflows import WORKFLOWS, draw_api, draw_ui, small_overrides
from tools.workflows.app import NAME as APP
from tools.workflows.app import TAGLINE, TITLE
from tools.workflows.files import API_FOLDER, FOLDER, app_files, files
from tools.workflows.graph import ANY, Graph
from tools.workflows.head import CLIP_LENGTH
from tools.workflows.schema import FOREIGN, PLAYER, RECORDED
from tools.workflows.thumbnail import save_thumbnail, source_of

NAMES = [workflow.build().name for workflow in WORKFLOWS]
THUMBNAILS = [f"{name}.jpg" for name in (*NAMES, APP)]
SCHEMAS = {
    node_type: schema
    for file in (RECORDED, FOREIGN)
    for node_type, schema in json.loads(file.read_text(encoding="utf-8")).items()
}
MODEL_FOLDERS = (
    "checkpoints",
    "diffusion_models",
    "text_encoders",
    "vae",
    "loras",
    "latent_upscale_models",
)
NOT_IN_PROMPT = ("IMAGEUPLOAD", "AUDIOUPLOAD", "AUDIO_UI")  # widgets that the frontend keeps to itself
TITLE_BAR = 30


def ui_file(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def api_file(name):
    return json.loads((API_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def real_nodes(ui):
    return [node for node in ui["nodes"] if node["type"] != "MarkdownNote"]


def as_prompt(ui):
    """What the frontend makes of a UI-format graph when Run is clicked: from file and schemas alone."""
    links = {link[0]: link for link in ui["links"]}
    prompt = {}
    for node in real_nodes(ui):
        inputs = widget_values(node)
        for slot in node["inputs"]:
            if slot["link"] is not None:
                _, origin, origin_slot, *_ = links[slot["link"]]
                inputs[slot["name"]] = [str(origin), origin_slot]
        title = node.get("title", SCHEMAS[node["type"]]["title"])
        prompt[str(node["id"])] = {"class_type": node["type"], "inputs": inputs, "_meta": {"title": title}}
    return prompt


def widget_values(node):
    schema = {entry["name"]: entry for entry in SCHEMAS[node["type"]]["inputs"]}
    values = iter(node["widgets_values"])
    found = {}
    for slot in node["inputs"]:
        if "widget" not in slot or schema.get(slot["name"], {}).get("type") == PLAYER:
            continue
        value = next(values)
        if slot["type"] not in NOT_IN_PROMPT:
            found[slot["name"]] = value
        if schema.get(slot["name"], {}).get("control_after_generate"):
            assert next(values) in ("fixed", "increment", "decrement", "randomize")
    assert list(values) == []
    return found


def rectangle(node):
    (x, y), (width, height) = node["pos"], node["size"]
    return x, y - TITLE_BAR, x + width, y + height


def group_rectangle(group):
    x, y, width, height = group["bounding"]
    return x, y, x + width, y + height


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def encloses(outer, inner):
    return outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=NAMES)
def test_committed_files_are_what_the_source_draws(workflow):
    for path, text in files(workflow).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `python3 dev.py workflows`."


def test_there_is_no_file_without_a_source():
    assert sorted(path.stem for path in API_FOLDER.glob("*.json")) == sorted(NAMES)
    for kind in ("json", "jpg"):
        assert sorted(path.stem for path in FOLDER.glob(f"*.{kind}")) == sorted([*NAMES, APP])


@pytest.mark.parametrize("name", NAMES)
def test_both_formats_say_the_same(name):
    assert as_prompt(ui_file(name)) == api_file(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_required_input_is_there(name):
    for node in api_file(name).values():
        entries = SCHEMAS[node["class_type"]]["inputs"]
        assert {entry["name"] for entry in entries if not entry.get("optional")} <= node["inputs"].keys()


@pytest.mark.parametrize("name", NAMES)
def test_ids_and_links_agree_in_both_directions(name):
    ui = ui_file(name)
    nodes = {node["id"]: node for node in ui["nodes"]}
    assert len(nodes) == len(ui["nodes"]) and max(nodes) == ui["last_node_id"]
    assert len({link[0] for link in ui["links"]}) == len(ui["links"]) == ui["last_link_id"]
    for link_id, origin, origin_slot, target, target_slot, kind in ui["links"]:
        source, sink = nodes[origin]["outputs"][origin_slot], nodes[target]["inputs"][target_slot]
        assert link_id in source["links"] and sink["link"] == link_id
        assert source["type"] == kind and sink["type"] in (kind, ANY)
        assert nodes[origin]["order"] < nodes[target]["order"]
    inputs = [slot["link"] for node in nodes.values() for slot in node["inputs"] if slot["link"] is not None]
    outputs = [link for node in nodes.values() for slot in node["outputs"] for link in slot["links"] or ()]
    assert sorted(inputs) == sorted(outputs) == sorted(link[0] for link in ui["links"])


@pytest.mark.parametrize("name", NAMES)
def test_nodes_and_groups_do_not_overlap(name):
    ui = ui_file(name)
    nodes, groups = map(rectangle, ui["nodes"]), map(group_rectangle, ui["groups"])
    for boxes in (nodes, groups):
        assert not [pair for pair in itertools.combinations(boxes, 2) if overlap(*pair)]


@pytest.mark.parametrize("name", NAMES)
def test_groups_enclose_their_nodes(name):
    ui = ui_file(name)
    groups = [group_rectangle(group) for group in ui["groups"]]
    assert [group["title"][:4] for group in ui["groups"]] == [f"{i} · " for i in range(1, len(groups) + 1)]
    for node in ui["nodes"]:
        inside = [encloses(group, rectangle(node)) for group in groups]
        touched = [overlap(group, rectangle(node)) for group in groups]
        assert inside == touched
        assert sum(inside) == 1 or node["type"] == "MarkdownNote"


@pytest.mark.parametrize("name", NAMES)
def test_model_links_belong_to_the_files_that_the_node_names(name):
    linked = 0
    for node in real_nodes(ui_file(name)):
        models = node["properties"].get("models", [])
        assert {model["name"] for model in models} == {
            value for value in node["widgets_values"] if str(value).endswith((".safetensors", ".gguf"))
        }
        for model in models:
            assert model["url"].startswith("https://huggingface.co/")
            assert model["url"].rsplit("/", 1)[1] == model["name"] and "/resolve/main/" in model["url"]
            assert model["directory"] in MODEL_FOLDERS
        linked += len(models)
    assert linked


@pytest.mark.parametrize("name", NAMES)
def test_input_files_are_in_the_assets(name):
    loaders = ("LoadImage", "LoadAudio")
    for node in api_file(name).values():
        if node["class_type"] in loaders:
            (file_name,) = node["inputs"].values()
            assert (media.ASSETS / file_name).is_file()


@pytest.mark.parametrize("name", NAMES)
def test_small_overrides_change_sizes_and_nothing_else(name):
    graph = api_file(name)
    before = copy.deepcopy(graph)
    small = small_overrides(graph)
    assert graph == before
    changed = {
        (node["_meta"]["title"], key): small[node_id]["inputs"][key]
        for node_id, node in graph.items()
        for key, value in node["inputs"].items()
        if small[node_id]["inputs"][key] != value
    }
    assert changed.pop(("Clip Length", "seconds")) == 1.0
    assert {key: value for (_, key), value in changed.items()}.items() <= {
        ("max_side", 128),
        ("preset.steps", 4),
        ("width", 192),
        ("height", 128),
    }
    assert {"max_side", "width"} & {key for _, key in changed}
    assert small_overrides(small) == small


@pytest.mark.parametrize("name", NAMES)
def test_length_and_frame_rate_are_entered_once(name):
    graph = api_file(name)
    (clip,) = [key for key, node in graph.items() if node["class_type"] == CLIP_LENGTH]
    asking = [
        node["inputs"]
        for node in graph.values()
        if node["class_type"] in ("LTXIDLoRA_FirstFrame", "LTXIDLoRA_Prompt", "LTXIDLoRA_SceneScript")
    ]
    assert len(asking) >= 2
    for inputs in asking:
        assert (inputs["length"], inputs["frame_rate"]) == ([clip, 0], [clip, 1])


@pytest.mark.parametrize("name", NAMES)
def test_the_example_words_fit_the_clip(name):
    graph = api_file(name)
    (clip,) = [node["inputs"] for node in graph.values() if node["class_type"] == CLIP_LENGTH]
    length = clip_length(clip["seconds"], clip["frame_rate"])
    lines = [node["inputs"]["speech"] for node in graph.values() if node["class_type"] == "LTXIDLoRA_Prompt"]
    for line in lines:
        line = line if isinstance(line, str) else graph[line[0]]["inputs"]["value"]
        assert speech_fit(line, length, clip["frame_rate"]).startswith("about")


def test_small_overrides_leave_linked_and_absent_inputs_alone():
    graph = {"1": {"class_type": "X", "inputs": {"preset.steps": ["2", 0], "other": 30}}}
    assert small_overrides(graph) == graph


def test_drawing_twice_gives_the_same():
    for workflow in WORKFLOWS:
        assert draw_ui(workflow.build()) == draw_ui(workflow.build())
        assert draw_api(workflow.build()) == draw_api(workflow.build())


@pytest.mark.parametrize(
    ("mistake", "error"),
    [
        (lambda load, base: load(model=base["MODEL"], lora="x"), "no input lora"),
        (lambda load, base: load(model=base["MODEL"]), "needs a value for lora_name"),
        (lambda load, base: load(lora_name="x"), "needs a value for model"),
        (lambda load, base: load(model=base["VAE"], lora_name="x"), "is MODEL; the link gives VAE"),
        (lambda load, base: base["AUDIO"], "no output 'AUDIO'; it has MODEL, CLIP, VAE"),
    ],
)
def test_mistakes_in_a_source_are_named(mistake, error):
    section = Graph("mistaken").section("1 · Models", "#888888", width=300)
    checkpoint = section.node("CheckpointLoaderSimple", ckpt_name="x.safetensors")
    with pytest.raises((ValueError, KeyError), match=error):
        mistake(functools.partial(section.node, "LTXIDLoRA_Load"), checkpoint)


def test_the_app_is_what_the_source_draws():
    for path, text in app_files().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `python3 dev.py workflows`."
    with Image.open(FOLDER / f"{APP}.jpg") as thumbnail:
        assert thumbnail.info["comment"].decode() == source_of(TITLE, TAGLINE)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=NAMES)
def test_the_thumbnail_was_drawn_from_the_source_as_it_is(workflow):
    with Image.open(FOLDER / f"{workflow.build().name}.jpg") as thumbnail:
        drawn_from = thumbnail.info.get("comment", b"").decode()
    assert drawn_from == source_of(workflow.title, workflow.tagline), "Draw again: python3 dev.py workflows"


def test_a_thumbnail_says_what_it_was_drawn_from(tmp_path):
    save_thumbnail(tmp_path / "drawn.jpg", "Title", "tagline")
    with Image.open(tmp_path / "drawn.jpg") as drawn:
        assert drawn.size == (512, 512) and drawn.info["comment"].decode() == source_of("Title", "tagline")
    assert source_of("Title", "tagline") != source_of("Title", "another")


def test_the_voice_can_be_used_as_a_reference():
    with av.open(str(media.VOICE)) as file:
        samples = numpy.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)]) / 2.0**15
        assert file.streams.audio[0].layout.name == "mono"
    silence = int(media.LEADING_SILENCE_SECONDS * media.VOICE_SAMPLE_RATE)
    assert 5.0 < len(samples) / media.VOICE_SAMPLE_RATE < 8.0
    assert numpy.abs(samples[:silence]).max() == 0 and 0.1 < numpy.abs(samples).max() < 1.0


@pytest.mark.parametrize("file_name", [*THUMBNAILS, "assets/idlora_portrait.png", "assets/idlora_voice.flac"])
def test_media_are_small(file_name):
    path = FOLDER / file_name
    assert path.stat().st_size < {".jpg": 60_000, ".png": 300_000, ".flac": 300_000}[path.suffix]
