"""The preset from outside a blueprint: `custom` without its values means those that the sampler starts with."""

from support.small_graph import small_graph
from support.video import DIFFERENT, SAME

PAPER = {"video_cfg": 3.0, "audio_cfg": 7.0, "identity_scale": 4.0, "stg_scale": 1.0, "av_bimodal_scale": 3.0}


def test_custom_without_its_values_means_the_papers(render):
    spelled_out = render(small_graph(sample={**PAPER, "steps": 2}))
    left_out = render(small_graph(sample={**dict.fromkeys(PAPER), "steps": 2}))
    assert left_out.distance(spelled_out) < SAME
    another = render(small_graph(sample={**PAPER, "steps": 2, "video_cfg": 1.0}))
    assert another.distance(spelled_out) > DIFFERENT
