"""Save Signed Video and Check Credentials through the real host: the prompt's route, its folders, its player."""

import json
import shutil

import av
import pytest

from support.host_client import ExecutionFailed, failure, output_files
from support.host_process import PACK, TEXT_ENCODER_DOUBLE, HostProcess
from support.small_graph import small_graph
from support.video import read_video

CONSENT = "Jane Doe agreed on 3 May 2026 to this clip."
FREE = {"unload_models": True, "free_memory": True}
REPORT = {"class_type": "PreviewAny", "inputs": {"source": ["check", 0]}}
STATE = {"class_type": "PreviewAny", "inputs": {"source": ["check", 1]}}
SALT = {"class_type": "PreviewAny", "inputs": {"source": ["check", 2]}}
READERS = {"report": REPORT, "state": STATE, "salt": SALT}


def signing(**inputs):
    values = {
        "video": ["decode", 0],
        "filename_prefix": "signed/clip",
        "signer": "Jane Doe",
        "consent": CONSENT,
        "face": ["face", 0],
        "voice": ["voice", 0],
    }
    merged = {name: value for name, value in (values | inputs).items() if value is not None}
    return {"class_type": "LTXIDLoRA_SaveSignedVideo", "inputs": merged}


def checking(video, **inputs):
    return {"class_type": "LTXIDLoRA_CheckCredentials", "inputs": {"video": video, **inputs}}


def signed_graph(**inputs):
    """The small graph with Save Signed Video, and Check Credentials behind it, in place of Save Video."""
    check = checking(["save", 0], face=["face", 0], voice=["voice", 0])
    return {**small_graph(), "save": signing(**inputs), "check": check, **READERS}


def check_graph(file, **inputs):
    """Load Video and Check Credentials alone."""
    load = {"class_type": "LoadVideo", "inputs": {"file": file}}
    face = {"class_type": "LoadImage", "inputs": {"image": "idlora_portrait.png"}}
    return {"load": load, "face": face, "check": checking(["load", 0], **inputs), **READERS}


def shown(entry):
    """What the three text previews show."""
    return {name: entry["outputs"][name]["text"][0] for name in READERS}


def mp4_of(host, entry):
    (file,) = output_files(entry)
    return host.output_dir / file["subfolder"] / file["filename"]


@pytest.fixture(scope="module")
def signed(studio):
    """A clip that was rendered, signed and checked: the history entry and the file."""
    entry = studio.run(signed_graph())
    return entry, mp4_of(studio, entry)


@pytest.fixture
def looked_at(studio, signed):
    """Check a file of the input folder: (changed content, inputs) -> what is shown."""

    def run(content=None, **inputs):
        name = studio.add_input(signed[1], f"looked_at_{abs(hash(str(content)))}.mp4")
        if content is not None:
            (studio.input_dir / name).write_bytes(content)
        return shown(studio.run(check_graph(name, **inputs)))

    return run


def test_a_rendered_clip_is_signed_and_read_back(signed):
    entry, file = signed
    text = shown(entry)
    print(text["report"])
    assert file.name == "clip_00001_.mp4" and file.parent.name == "signed"
    assert text["state"] == "trusted"
    for line in ("with this installation's key", "Signer: Jane Doe", "made by a trained model", CONSENT):
        assert line in text["report"]
    assert "The face is the recorded one.\nThe voice is the recorded one." in text["report"]
    assert read_video(file).num_frames == 9


def test_the_node_has_the_hosts_player_and_names_the_file(signed):
    entry, file = signed
    output = entry["outputs"]["save"]
    assert output["images"][0]["filename"] == file.name and output["animated"] == [True]


def test_the_graph_is_in_the_signed_file(signed):
    with av.open(str(signed[1])) as container:
        assert json.loads(container.metadata["prompt"])["save"]["inputs"]["signer"] == "Jane Doe"


def test_the_folder_holds_nothing_but_the_clips(studio, signed):
    assert {path.name for path in signed[1].parent.iterdir()} == {signed[1].name}


def test_a_loaded_file_is_checked_by_itself(looked_at):
    text = looked_at(face=["face", 0])
    assert text["state"] == "trusted" and "The face is the recorded one." in text["report"]
    assert len(text["salt"]) == 64


def test_one_bit_in_the_picture_is_found(looked_at, signed):
    content = bytearray(signed[1].read_bytes())
    content[content.rindex(b"mdat") + 1000] ^= 1
    text = looked_at(bytes(content))
    assert text["state"] == "changed" and "CHANGED since it was signed" in text["report"]


def test_a_clip_of_save_video_has_none(studio, render):
    plain = render(small_graph(save={"filename_prefix": "signed_not/clip"})).path
    name = studio.add_input(plain, "plain.mp4")
    text = shown(studio.run(check_graph(name)))
    assert text["state"] == "none" and text["salt"] == ""


def test_the_next_clip_gets_the_next_number_and_is_signed_by_the_same_key(studio, signed):
    entry = studio.run(signed_graph(consent="", filename_prefix="signed_more/clip"))
    again = studio.run(signed_graph(consent="second", filename_prefix="signed_more/clip"))
    assert mp4_of(studio, again).name == "clip_00002_.mp4"
    assert "Consent: none given" in shown(entry)["report"] and shown(again)["state"] == "trusted"
    keys = list((studio.work_dir / "user" / "__idlora" / "credentials").glob("key.pem"))
    assert len(keys) == 1 and keys[0].stat().st_mode & 0o777 == 0o600


def test_the_key_is_not_served_and_not_in_the_log(studio, signed):
    key = (studio.work_dir / "user" / "__idlora" / "credentials" / "key.pem").read_text()
    for path in (
        "/userdata/..%2F__idlora%2Fcredentials%2Fkey.pem",
        "/userdata/__idlora%2Fcredentials%2Fkey.pem",
        "/view?filename=key.pem&type=output&subfolder=..%2Fuser%2F__idlora%2Fcredentials",
    ):
        assert studio.fetch(path).status >= 400
    assert key.splitlines()[1] not in studio.log_text()
    assert key.splitlines()[1] not in json.dumps(signed[0])


def test_a_caption_is_in_the_first_frames_only(studio, tmp_path):
    images = {
        "class_type": "EmptyImage",
        "inputs": {"width": 256, "height": 128, "batch_size": 9, "color": 0x808080},
    }
    video = {"class_type": "CreateVideo", "inputs": {"images": ["images", 0], "fps": 3.0}}
    save = signing(video=["video", 0], face=None, voice=None, caption="Made with AI", caption_seconds=1.0)
    save["inputs"]["filename_prefix"] = "captioned/clip"
    file = mp4_of(studio, studio.run({"images": images, "video": video, "save": save}))
    with av.open(str(file)) as container:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    corners = [frame[-12:, :40].std() for frame in frames]
    assert all(value > 20 for value in corners[:3]) and all(value < 5 for value in corners[3:])
    assert frames[0][:64].std() < 5


REFUSED = {
    "a long name": ({"signer": "a" * 65}, "one line of at most 64 characters"),
    "a contract": ({"consent": "a" * 5000}, "at most 4000 fit"),
    "letters that cannot be drawn": ({"caption": "使用AI制作"}, "only Latin letters can be drawn here"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_signed_is_refused_before_the_render(studio, name):
    inputs, words = REFUSED[name]
    assert_refused_before_the_render(studio, signed_graph(**inputs), words)


def assert_refused_before_the_render(host, graph, words):
    host.post("/free", FREE)
    entry = host.wait(host.post_prompt(graph))
    assert words in (failure(entry) or "")
    assert "LTXIDLoRA_SaveSignedVideo" in (failure(entry) or "")
    (error,) = [details for name, details in entry["status"]["messages"] if name == "execution_error"]
    assert "sample" not in error["executed"] and "model" not in error["executed"]


def test_a_key_that_others_may_read_stops_the_run_before_the_render(studio, signed):
    key = studio.work_dir / "user" / "__idlora" / "credentials" / "key.pem"
    key.chmod(0o644)
    try:
        assert_refused_before_the_render(studio, signed_graph(), f"chmod 600 {key}")
    finally:
        key.chmod(0o600)


def test_a_stopped_render_leaves_no_file(studio, signed):
    graph = signed_graph(filename_prefix="stopped/clip")
    graph["sample"]["inputs"] |= {"preset.steps": 400, "seed": 78}
    prompt_id = studio.post_prompt(graph)
    studio.wait_until_sampling(prompt_id, 400)
    studio.interrupt()
    assert (failure(studio.wait(prompt_id)) or "").startswith("Interrupted")
    assert not list((studio.output_dir / "stopped").glob("*"))


WITHOUT_C2PA = """
import importlib.abc, sys
class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] == "c2pa":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Without())
NODE_CLASS_MAPPINGS = {}
"""


@pytest.fixture(scope="module")
def bare(comfy_tree, small_models, studio, tmp_path_factory):
    """A host whose Python has no c2pa-python."""
    work_dir = tmp_path_factory.mktemp("bare")
    without = work_dir / "a_without_c2pa"
    without.mkdir()
    (without / "__init__.py").write_text(WITHOUT_C2PA)
    packs = {"a_without_c2pa": without, **PACK, **TEXT_ENCODER_DOUBLE}
    with HostProcess(
        comfy_tree,
        studio.python,
        work_dir,
        models=small_models,
        custom_nodes=packs,
        options=["--cpu"],
        threads=1,
    ) as host:
        yield host


def test_without_c2pa_python_the_run_stops_before_the_render(bare):
    assert_refused_before_the_render(bare, signed_graph(), "run pip install c2pa-python in ComfyUI's Python")


def test_without_c2pa_python_the_switch_saves_unsigned_and_says_so(bare, studio):
    entry = bare.run({**small_graph(), "save": signing(unsigned_without_c2pa=True)})
    file = mp4_of(bare, entry)
    assert read_video(file).num_frames == 9
    assert "saved WITHOUT content credentials" in bare.log_text()
    shutil.copyfile(file, studio.input_dir / "unsigned.mp4")
    assert shown(studio.run(check_graph("unsigned.mp4")))["state"] == "none"


def test_without_c2pa_python_checking_says_what_to_install(bare, signed):
    name = bare.add_input(signed[1], "signed.mp4")
    with pytest.raises(ExecutionFailed, match="pip install c2pa-python"):
        bare.run(check_graph(name))
