"""The main job in a real ComfyUI: a picture, a voice and a prompt become a video with sound."""

import json
from fractions import Fraction

import pytest
from PIL import Image
from skimage import data

from bed.small_graph import small_graph
from bed.video import DIFFERENT, SAME

AAC_FRAME_SECONDS = 1024 / 16_000


def assert_in_step(video):
    """Sound as long as the picture, but for the codec's padding."""
    assert video.num_frames > 0 and video.audio_channels == 2
    assert abs(video.audio_seconds - video.seconds) <= 2 * AAC_FRAME_SECONDS
    assert video.audio_peak > 0


def test_a_real_photograph_and_recorded_speech(studio, render, recorded_speech, tmp_path):
    photo = tmp_path / "astronaut.png"
    Image.fromarray(data.astronaut()).resize((300, 200)).save(photo)
    speech = studio.add_input(recorded_speech)
    video = render(
        small_graph(
            face={"image": studio.add_input(photo)},
            voice={"audio": speech},
            reference={"max_seconds": 5.0},
            latent={"width": 0, "height": 0, "max_side": 96, "length": 17, "frame_rate": 24.0},
        )
    )
    assert (video.width, video.height) == (96, 64)
    assert video.num_frames == 17 and video.frame_rate == 24
    assert_in_step(video)


@pytest.mark.parametrize(
    ("checkpoint", "lora"),
    [
        ("small_ltx23.safetensors", "small_id_lora.safetensors"),
        ("small_ltx20.safetensors", "small_id_lora_20.safetensors"),
    ],
)
def test_both_families(render, checkpoint, lora):
    graph = small_graph(
        model={"ckpt_name": checkpoint},
        audio_vae={"ckpt_name": checkpoint},
        clip={"ckpt_name": checkpoint},
        lora={"lora_name": lora},
    )
    assert_in_step(render(graph))


def test_plain_text_to_video_without_picture_and_voice(render):
    graph = small_graph(latent={"image": None}, sample={"reference": None})
    assert_in_step(
        render({name: node for name, node in graph.items() if name not in ("face", "voice", "reference")})
    )


@pytest.mark.parametrize("frame_rate", [23.976, 25.0, 30.0])
def test_the_frame_rate_of_the_latent_reaches_the_video(render, frame_rate):
    video = render(small_graph(latent={"frame_rate": frame_rate}))
    assert float(video.frame_rate) == pytest.approx(frame_rate, rel=1e-3)
    assert video.frame_rate.denominator <= 1001
    assert_in_step(video)


@pytest.mark.parametrize("tiling", ["auto", "on", "off"])
def test_tiled_decoding_gives_the_same_sizes(render, tiling):
    video = render(small_graph(decode={"tiling": tiling}))
    assert (video.width, video.height, video.num_frames) == (64, 64, 9)


def test_official_numerics_run(render):
    graph = small_graph(
        latent={"guidance": ["options", 0], "frame_rate": 24.0}, options={"numerics": "official"}
    )
    assert_in_step(render(graph))


def test_the_same_seed_gives_the_same_video_and_another_seed_another(render):
    def video(seed, strength):
        # Strength is changed and changed back, so that the host's cache cannot answer for the node.
        return render(small_graph(sample={"seed": seed}, lora={"strength": strength}))

    first = video(1, 1.0)
    video(1, 0.5)
    assert video(1, 1.0).distance(first) < SAME
    assert video(2, 1.0).distance(first) > DIFFERENT


def test_history_of_a_finished_run_holds_one_video(studio):
    entry = studio.run(small_graph(save={"filename_prefix": "test/history"}))
    assert json.dumps(entry["outputs"]).count(".mp4") == 1


def test_fraction_of_the_video_is_exact_for_whole_rates(render):
    assert render(small_graph()).frame_rate == Fraction(25)
