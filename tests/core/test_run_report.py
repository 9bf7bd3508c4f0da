"""What the sampler tells its user: what is wrong first, then what the run costs."""

import pytest

from idlora_core.families import LTX23
from idlora_core.guidance import Guidance
from idlora_core.run_report import NO_ID_LORA, NO_VOICE, RunReport, voice_remarks
from idlora_core.terms import Scales
from idlora_core.variant import Variant

VARIANT = Variant(LTX23, False, "dev.safetensors")
GUIDANCE = Guidance(Scales(cfg=3.0), Scales(cfg=7.0, identity=4.0), {"identity": (1.0, 0.6)})
SIGMAS = (1.0, 0.8, 0.5)


def report(**changes) -> RunReport:
    usual = {"has_reference": True, "sigmas": SIGMAS, "num_steps": 3}
    return RunReport(VARIANT, "custom", GUIDANCE, **{**usual, **changes})


def test_a_window_gives_a_range_of_predictions():
    assert report().before() == "LTX-2.3 dev (dev.safetensors), custom: 2 to 3 predictions a step, 3 steps."


def test_remarks_and_mismatches_come_before_the_cost():
    distilled = RunReport(VARIANT, "distilled", GUIDANCE, True, SIGMAS, 3, ("First.",))
    first, second, third = distilled.before().split(". ", 2)
    assert first == "First" and second.startswith("This model is not distilled") and "predictions" in third


def test_after_the_run_it_says_the_time_of_a_step():
    assert report().after(SIGMAS, 6.0).endswith("2 to 3 predictions a step, 3 steps, 2 s a step.")
    assert (
        report(is_fast=True)
        .after((1.0,) * 5, 900.0)
        .endswith("3 predictions a call, 5 calls in 3 steps, 300 s a step, some of them reused.")
    )


def test_a_guider_does_not_know_its_steps_and_one_of_something_is_singular():
    alone = RunReport(VARIANT, "custom", Guidance(Scales(), Scales()), True, SIGMAS)
    assert alone.before().endswith("1 prediction a step.")
    assert report(sigmas=(1.0,), num_steps=1).before().endswith("3 predictions a step, 1 step.")


@pytest.mark.parametrize(
    ("has_reference", "has_id_lora", "keeps_sound", "remarks"),
    [
        (True, True, False, ()),
        (True, False, False, (NO_ID_LORA,)),
        (False, True, False, (NO_VOICE,)),
        (False, False, False, (NO_VOICE,)),
        (False, False, True, ()),
    ],
)
def test_what_is_missing_for_a_voice(has_reference, has_id_lora, keeps_sound, remarks):
    assert voice_remarks(has_reference, has_id_lora, keeps_sound) == remarks
