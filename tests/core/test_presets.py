"""Presets, and what does not go with a model."""

import pytest

from idlora_core.families import LTX_2, LTX_2_3, UNKNOWN
from idlora_core.guidance import Guidance, plan
from idlora_core.presets import CUSTOM, DISTILLED, PRESETS
from idlora_core.variant import Variant, distilled_by_name, distilled_by_ranks, mismatches


def test_the_papers_preset_is_section_4_4():
    paper = PRESETS["paper"]
    assert (
        paper.video["cfg"],
        paper.audio["cfg"],
        paper.audio["identity"],
        paper.video["av_bimodal"],
    ) == (3, 7, 4, 3)
    assert paper.video["stg"] == paper.audio["stg"] == 1 and paper.steps == 30
    assert len(plan(Guidance(paper.video, paper.audio), 1.0)) == 5


def test_the_distilled_preset_needs_two_predictions():
    distilled = PRESETS["distilled"]
    assert distilled.schedule == DISTILLED and distilled.steps == 8
    assert plan(Guidance(distilled.video, distilled.audio), 1.0) == ("cond", "no_reference")


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS.keys())
def test_every_preset_names_its_source_and_leaves_identity_off_video(preset):
    assert preset.source and preset.video["identity"] == 1.0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ltx-2.3-22b-dev-fp8.safetensors", False),
        ("ltx-2.3-22b-distilled-1.1.safetensors", True),
        ("LTX-2_distilled_Q4_K_M.gguf", True),
        ("my_device_model.safetensors", None),
        ("merged.safetensors", None),
        ("", None),
    ],
)
def test_file_names_that_say_distilled_or_dev(name, expected):
    assert distilled_by_name(name) is expected


def test_a_lora_of_high_rank_on_the_video_stream_is_taken_for_the_distilled_one():
    assert distilled_by_ranks([384] * 48) and not distilled_by_ranks([32, 128]) and not distilled_by_ranks([])


DISTILLED_MODEL = Variant(LTX_2_3, True, "a LoRA")
DEV_MODEL = Variant(LTX_2_3, False, "dev.safetensors")
UNKNOWN_MODEL = Variant(LTX_2_3, None)


@pytest.mark.parametrize(
    ("variant", "preset", "words"),
    [
        (DISTILLED_MODEL, "paper", "use preset distilled"),
        (DEV_MODEL, "distilled", "use preset paper"),
        (Variant(LTX_2_3, None, sigma_is_timestep=False), CUSTOM, "changes the noise schedule"),
    ],
)
def test_a_mismatch_is_said(variant, preset, words):
    assert len(mismatches(variant, preset)) == 1 and words in mismatches(variant, preset)[0]


@pytest.mark.parametrize(
    ("variant", "preset"),
    [
        (DISTILLED_MODEL, "distilled"),
        (DEV_MODEL, "paper"),
        (UNKNOWN_MODEL, "paper"),
        (DISTILLED_MODEL, CUSTOM),
    ],
)
def test_nothing_is_said_where_nothing_is_seen(variant, preset):
    assert mismatches(variant, preset) == []


def test_a_variant_reads_as_a_sentence_part():
    assert str(DEV_MODEL) == "LTX-2.3 dev (dev.safetensors)"
    assert str(UNKNOWN_MODEL) == "LTX-2.3 dev or distilled"


def test_an_audio_vae_of_another_family_is_said_before_the_run():
    (said,) = mismatches(UNKNOWN_MODEL, CUSTOM, audio_vae=LTX_2)
    assert "encoded by an audio VAE of LTX-2, and the model is LTX-2.3" in said
    assert "load the audio VAE from the model's own checkpoint" in said


@pytest.mark.parametrize(("vae", "model"), [(LTX_2_3, LTX_2_3), (UNKNOWN, LTX_2_3), (LTX_2, UNKNOWN)])
def test_an_audio_vae_that_is_of_the_family_or_of_none_known_is_not_mentioned(vae, model):
    assert mismatches(Variant(model, None), CUSTOM, vae) == []
