"""Four takes in the real host: one picture is decoded, four sounds are, and the audio VAE is loaded once."""

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import comfy.model_management as management
import comfy.sd
import folder_paths
import pytest
import torch
from comfy.nested_tensor import NestedTensor

from idlora_core.takes.voice_encoder import VoiceEncoder
from idlora_core.voice_file import read_voice
from idlora_pack.nodes.host import decoded_sound, metric_models, voice_folder
from idlora_pack.nodes.host.scoring import embedding_of, score_takes
from idlora_pack.nodes.host.vae import video_with_sound
from idlora_pack.nodes.pictures import takes_picture
from support import recordings, vaes
from support.clip import made_clip
from tools.media import VOICE

SEEDS = [7, 8, 9, 10]
SCALES = {
    "video_cfg": 1.0,
    "audio_cfg": 1.0,
    "identity_scale": 2.0,
    "stg_scale": 0.0,
    "av_bimodal_scale": 1.0,
}
PRESET = {"preset": "custom", "steps": 1, "schedule": "ltx2", **SCALES}
CLIP = {"max_side": 64, "width": 64, "height": 64, "length": 25, "frame_rate": 25.0, "strength": 0.0}


@pytest.fixture(autouse=True)
def as_the_host_runs_nodes():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def checkpoint(small_models):
    """One family is enough: nothing here depends on which."""
    return small_models / "checkpoints" / "small_ltx23.safetensors"


@pytest.fixture(scope="module")
def model(checkpoint):
    return comfy.sd.load_checkpoint_guess_config(str(checkpoint), output_vae=False, output_clip=False)[0]


@pytest.fixture(scope="module")
def clip(model):
    return made_clip(model.model.diffusion_model)


@pytest.fixture(scope="module")
def audio_vae(checkpoint):
    return vaes.audio_vae(checkpoint)


@pytest.fixture(scope="module")
def video_vae(checkpoint):
    return vaes.video_vae(checkpoint)


@pytest.fixture
def output(tmp_path):
    before = folder_paths.get_output_directory()
    folder_paths.set_output_directory(str(tmp_path))
    yield tmp_path
    folder_paths.set_output_directory(before)


@pytest.fixture
def metrics(tmp_path):
    """A folder for model files of its own for one test."""
    folder_paths.folder_names_and_paths[metric_models.FOLDER] = ([str(tmp_path / "metrics")], set())
    (tmp_path / "metrics").mkdir()
    yield tmp_path / "metrics"
    folder_paths.folder_names_and_paths.pop(metric_models.FOLDER)


@pytest.fixture
def encoder_file(metrics):
    """Weights of Resemblyzer's layout, random: the real ones are those of the tier `takes`."""
    torch.manual_seed(0)
    torch.save({"step": 1, "model_state": VoiceEncoder().state_dict()}, metrics / "pretrained.pt")
    return metrics / "pretrained.pt"


@pytest.fixture(scope="module")
def voice():
    waveform, sample_rate = recordings.read(VOICE)
    return {"waveform": waveform, "sample_rate": sample_rate}


@pytest.fixture(scope="module")
def reference(audio_vae, voice):
    return vaes.node("reference", "EncodeReferenceAudio").execute(voice, audio_vae, 2.0).args[0]


@contextmanager
def calls_of(owner, name):
    """How often a method is called."""
    method, calls = getattr(owner, name), []

    def counted(*arguments, **options):
        calls.append(arguments)
        return method(*arguments, **options)

    setattr(owner, name, counted)
    try:
        yield calls
    finally:
        delattr(owner, name)  # the class has it still


@contextmanager
def loads_of(vae):
    """How often the host is asked for a model that it has not loaded."""
    load, loads = management.load_models_gpu, []

    def counted(models, *arguments, **options):
        known = [loaded.model for loaded in management.current_loaded_models]
        loads.extend(model for model in models if model is vae.patcher and model not in known)
        return load(models, *arguments, **options)

    management.load_models_gpu = counted
    try:
        yield loads
    finally:
        management.load_models_gpu = load


def sampled(model, clip, video_vae, audio_vae, reference):
    """The takes, each sampled as the host does for one seed of the list."""
    seeds = vaes.node("takes", "Takes").execute(len(SEEDS), SEEDS[0]).args[0]
    assert seeds == SEEDS
    latent = vaes.node("first_frame", "FirstFrameCondition").execute(video_vae, audio_vae, **CLIP).args[0]
    sampler = vaes.node("sampling", "IdentityGuidedKSampler")
    positive = clip.conditioning[0]
    return [
        sampler.execute(
            model=model,
            positive=positive,
            negative=positive,
            latent=latent,
            seed=seed,
            reference=reference,
            sampler_name="euler",
            preset=PRESET,
        ).args[0]
        for seed in seeds
    ]


@pytest.fixture(scope="module")
def takes(model, clip, video_vae, audio_vae, reference):
    with torch.inference_mode():
        return sampled(model, clip, video_vae, audio_vae, reference)


def pick(latents, audio_vae, **inputs):
    """Inputs come as lists, as the host gives them to this node."""
    lists = {name: value if isinstance(value, list) else [value] for name, value in inputs.items()}
    return vaes.node("takes", "PickTake").execute(latents, [audio_vae], **lists).args


def test_one_picture_four_sounds_one_load(
    model, clip, video_vae, audio_vae, reference, voice, output, metrics, record_property
):
    management.unload_all_models()
    networks = video_vae.first_stage_model, audio_vae.first_stage_model
    with (
        calls_of(networks[0], "decode") as pictures,
        calls_of(networks[1], "decode") as sounds,
        loads_of(audio_vae) as loads,
    ):
        latents = sampled(model, clip, video_vae, audio_vae, reference)
        assert not loads
        best, seed, audio, _ = pick(latents, audio_vae, seeds=SEEDS, reference_audio=voice, words="Hello.")
        video = vaes.node("decode", "DecodeAV").execute(best, video_vae, audio_vae).args
    counts = len(pictures), len(sounds), len(loads)
    record_property("decodes", counts)
    print("picture decodes {}, sound decodes {}, loads of the audio VAE {}".format(*counts))
    assert counts == (1, 4, 1)
    assert seed in SEEDS and torch.equal(video[2]["waveform"], audio["waveform"])


def test_a_sound_that_is_no_longer_the_latents_is_decoded_again(takes, video_vae, audio_vae, output, metrics):
    best = pick(takes, audio_vae)[0]
    video, audio = best["samples"].unbind()
    changed = {**best, "samples": NestedTensor((video, audio.flip(2)))}
    decode = vaes.node("decode", "DecodeAV")
    plain = {key: value for key, value in changed.items() if key != "decoded_sound"}
    heard, expected = (decode.execute(latent, video_vae, audio_vae).args[2] for latent in (changed, plain))
    assert torch.equal(heard["waveform"], expected["waveform"])
    kept = decode.execute(best, video_vae, audio_vae).args[2]
    assert not torch.equal(heard["waveform"], kept["waveform"])


def test_the_report_is_a_file_named_after_the_winner(takes, audio_vae, voice, output, metrics, encoder_file):
    _, seed, _, text = pick(takes, audio_vae, seeds=SEEDS, reference_audio=voice, words="Hello.")
    (file,) = (output / "takes").iterdir()
    assert file.name == f"ID-LoRA_00001_seed{seed}.json"
    report = json.loads(file.read_text(encoding="utf-8"))
    assert report == json.loads(text) and report["winner"]["seed"] == seed
    assert sorted(take["seed"] for take in report["takes"]) == SEEDS
    assert report["voice_encoder"] == "pretrained.pt" and report["recogniser"] is None
    assert any("Words not measured" in remark for remark in report["remarks"])
    pick(takes, audio_vae, seeds=SEEDS)
    assert len(list((output / "takes").iterdir())) == 2


def test_takes_without_seeds_are_numbered(takes, audio_vae, output, metrics):
    _, seed, _, text = pick(takes, audio_vae)
    winner = json.loads(text)["winner"]
    assert seed == 0 and winner["seed"] is None
    assert (output / "takes" / f"ID-LoRA_00001_take{winner['take']}.json").is_file()


@pytest.fixture
def spoken(takes, audio_vae):
    """The takes with sounds that were spoken: what noise decodes to has no words."""
    waveform, rate = recordings.read(VOICE)
    sound = waveform.repeat(1, 2, 1)[..., rate // 2 : 2 * rate]

    def with_sound(latent, waveform):
        known = decoded_sound.with_decoded_sound(latent, audio_vae)
        return {
            **known,
            decoded_sound.KEY: replace(known[decoded_sound.KEY], waveform=waveform, sample_rate=rate),
        }

    silent = torch.zeros_like(sound)
    return [with_sound(take, part) for take, part in zip(takes, [silent, sound, sound, silent], strict=True)]


def test_a_take_that_says_nothing_never_wins_and_of_equals_the_earlier_seed(
    spoken, audio_vae, voice, output, metrics, encoder_file
):
    latent, seed, audio, text = pick(spoken, audio_vae, seeds=SEEDS, reference_audio=voice)
    rows = json.loads(text)["takes"]
    assert seed == SEEDS[1] and torch.equal(latent["samples"].unbind()[1], spoken[1]["samples"].unbind()[1])
    assert [(row["seed"], row["rank"], row["is_tied"]) for row in rows[:2]] == [(8, 1, True), (9, 1, True)]
    assert [row["why"] for row in rows[2:]] == ["no speech"] * 2 and audio["waveform"].abs().max() > 0
    assert rows[0]["similarity"] > 0 and rows[2]["similarity"] is None and rows[2]["lufs"] is None


def test_a_saved_voice_without_its_recording_is_compared_by_its_embedding(
    spoken, audio_vae, reference, voice, output, metrics, encoder_file
):
    kept = replace(reference, embedding=embedding_of(voice, "first found"))
    by_audio = json.loads(pick(spoken, audio_vae, reference_audio=voice)[3])
    by_voice = json.loads(pick(spoken, audio_vae, reference=kept)[3])
    assert [t["similarity"] for t in by_audio["takes"]] == [t["similarity"] for t in by_voice["takes"]]
    without = json.loads(pick(spoken, audio_vae, reference=reference)[3])
    assert "Voice not measured: connect reference_audio." in without["remarks"]


def test_a_missing_model_is_one_line_that_says_what_to_put_where(spoken, audio_vae, voice, output, metrics):
    remarks = json.loads(pick(spoken, audio_vae, reference_audio=voice, words="Hello there")[3])["remarks"]
    assert len(remarks) == 2 and all("models/idlora_metrics" in remark for remark in remarks)
    quiet = {"voice_encoder": "off", "speech_recognition": "off"}
    assert (
        json.loads(pick(spoken, audio_vae, reference_audio=voice, words="Hello", **quiet)[3])["remarks"] == []
    )
    with pytest.raises(ValueError, match=r"There is no gone.pt in models/idlora_metrics"):
        pick(spoken, audio_vae, voice_encoder="gone.pt")


@pytest.mark.parametrize("content", [{"model_state": {}}, {"weights": torch.zeros(3)}])
def test_a_file_that_is_no_voice_encoder_is_refused(spoken, audio_vae, voice, output, metrics, content):
    torch.save(content, metrics / "other.pt")
    with pytest.raises(ValueError, match="other.pt is not Resemblyzer's voice encoder"):
        pick(spoken, audio_vae, reference_audio=voice)


def test_the_picture_has_a_row_for_each_take(spoken, audio_vae, voice, output, metrics, encoder_file):
    def height(count):
        report = score_takes([voice] * count, SEEDS[:count], "", voice, None, "first found", "off")
        image = takes_picture.draw(report)
        assert image.shape[0] == 1 and image.shape[2] == 720 and image.min() >= 0 and image.max() <= 1
        return image.shape[1]

    assert height(1) < height(2) < height(4)


def test_score_take_hears_audio_and_video_alike(voice, output, metrics, encoder_file):
    node = vaes.node("takes", "ScoreTake")
    frames = torch.zeros(8, 32, 32, 3)
    video = video_with_sound(frames, voice["waveform"], voice["sample_rate"], 25.0)
    by_audio, by_video = (
        json.loads(node.execute(**sound, reference_audio=voice).args[0])
        for sound in ({"audio": voice}, {"video": video})
    )
    assert by_audio == by_video and by_audio["takes"][0]["similarity"] == pytest.approx(1, abs=1e-3)
    assert by_audio["takes"][0]["echo"] == pytest.approx(1, abs=1e-3)
    with pytest.raises(ValueError, match="either audio or video"):
        node.execute()
    with pytest.raises(ValueError, match="either audio or video"):
        node.execute(audio=voice, video=video)


def test_save_voice_keeps_an_embedding_on_request(reference, audio_vae, voice, metrics, tmp_path):
    folder_paths.folder_names_and_paths[voice_folder.FOLDER] = ([str(tmp_path / "voices")], set())
    encoded, audio = vaes.node("reference", "EncodeReferenceAudio").execute(voice, audio_vae, 2.0).args
    save = vaes.node("voices", "SaveVoice").execute
    with pytest.raises(ValueError, match="Or switch keep_embedding off"):
        save(encoded, "Ada", audio, keep_embedding=True)
    torch.manual_seed(0)
    torch.save(VoiceEncoder().state_dict(), metrics / "pretrained.pt")
    save(encoded, "Ada", audio, keep_audio=False, keep_embedding=True)
    saved: Any = read_voice(tmp_path / "voices" / "Ada.safetensors")
    folder_paths.folder_names_and_paths.pop(voice_folder.FOLDER)
    assert saved.flac == b"" and saved.reference.embedding.vector.shape == (256,)
    assert saved.embedding.encoder == "Resemblyzer"
