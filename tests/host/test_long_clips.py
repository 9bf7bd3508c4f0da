"""20 s in a real ComfyUI, on the small models."""

import pytest

from support.small_graph import small_graph

AAC_FRAME_SECONDS = 1024 / 16_000
ONE_PASS = {
    "steps": 1,
    "video_cfg": 1.0,
    "audio_cfg": 1.0,
    "identity_scale": 1.0,
    "stg_scale": 0.0,
    "av_bimodal_scale": 1.0,
}


@pytest.mark.parametrize(
    ("sample", "lead_in_seconds"),
    [(ONE_PASS, 0.0), ({"steps": 1}, 0.0), (ONE_PASS, 0.5)],
    ids=["one pass", "four-way guidance", "with a lead-in"],
)
def test_20_seconds(render, sample, lead_in_seconds):
    video = render(small_graph(latent={"length": 497, "lead_in_seconds": lead_in_seconds}, sample=sample))
    assert (video.width, video.height, video.num_frames) == (64, 64, 497)
    assert abs(video.audio_seconds - 497 / 25) <= 2 * AAC_FRAME_SECONDS
    assert video.audio_peak > 0
