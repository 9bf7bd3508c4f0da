"""A study's statistics on made data whose truth is known."""

import math

import numpy as np
import pytest
from scipy import stats

from idlora_batch.study.question import Question, Setting
from idlora_batch.study.reading import Answer, marks, preferences
from idlora_batch.study.statistics import (
    ALL_EQUAL,
    NO_INTERVAL,
    holm,
    mean_interval,
    pairs_needed,
    preference,
    two_way_interval,
)

STUDIES = 1000
SETTINGS = (Setting("old", {}), Setting("new", {}), Setting("same", {}))


def question(**changes) -> Question:
    given = {
        "title": "",
        "about": "",
        "workflow": "",
        "seeds": (1, 2, 3, 4),
        "base": "old",
        "ask": "",
        "cases": (),
    }
    return Question(**{**given, "settings": SETTINGS, **changes})


@pytest.mark.parametrize("pairs, least", [(10, 0.87), (20, 0.89), (40, 0.91)])
def test_the_interval_covers_the_truth_as_often_as_it_says(pairs, least):
    """Of 1,000 made studies with a difference of 0.05; nominal 95 %; few pairs give less, and the page says so."""
    random = np.random.default_rng(pairs)
    covered = 0
    for study in range(STUDIES):
        found = mean_interval(random.normal(0.05, 0.1, pairs), seed=study, resamples=999)
        assert found.low is not None and found.high is not None
        covered += found.low <= 0.05 <= found.high
    assert least <= covered / STUDIES <= 0.975


def test_an_interval_leaves_zero_out_where_there_is_a_difference_and_not_where_there_is_none():
    random = np.random.default_rng(1)
    assert mean_interval(random.normal(0.1, 0.1, 40)).excludes_zero
    errors = sum(mean_interval(random.normal(0, 0.1, 20), resamples=999).excludes_zero for _ in range(300))
    assert errors / 300 < 0.12


def test_pairs_are_resampled_as_pairs():
    """Cases differ by far more than settings do: unpaired, nothing could be told."""
    random = np.random.default_rng(2)
    cases = random.normal(0, 1, 30)
    old, new = cases + random.normal(0, 0.01, 30), cases + 0.05 + random.normal(0, 0.01, 30)
    assert mean_interval(new - old).excludes_zero
    assert not (mean_interval(new).low or 0) > (mean_interval(old).high or 0)


@pytest.mark.parametrize(
    "values, note", [([0.1] * 9, NO_INTERVAL), ([0.1] * 20, ALL_EQUAL), ([], "no values")]
)
def test_where_there_can_be_no_interval_none_is_given(values, note):
    found = mean_interval(values)
    assert (found.low, found.high, found.note) == (None, None, note)


@pytest.mark.parametrize("effect, pairs", [(0.5, 34), (0.3, 90)])
def test_the_number_of_pairs_is_that_of_a_paired_t_test(effect, pairs):
    values = np.array([-1.0, 1.0] * 50)
    values = values / values.std(ddof=1) + effect
    assert pairs_needed(values) == pairs


def test_the_number_of_pairs_holds_in_made_studies():
    random = np.random.default_rng(3)
    found = sum(stats.ttest_1samp(random.normal(0.5, 1, 34), 0).pvalue < 0.05 for _ in range(STUDIES))
    assert 0.76 < found / STUDIES < 0.84


@pytest.mark.parametrize(
    "values, pairs", [([0.0, 0.0], None), ([1.0], None), ([1.0, 1.0, 1.0], 2), ([1e-9, 1, -1], None)]
)
def test_no_number_of_pairs_is_made_up(values, pairs):
    assert pairs_needed(values) == pairs


def made_ratings(random, listeners: int, clips: int, truth: float) -> np.ndarray:
    of_listeners = random.normal(0, 0.6, (listeners, 1))
    of_clips = random.normal(0, 0.6, (1, clips))
    return truth + of_listeners + of_clips + random.normal(0, 0.4, (listeners, clips))


def test_listeners_and_clips_are_resampled_together():
    """Intervals as if each rating stood alone cover the truth in a third of the studies; these in nearly all."""
    random = np.random.default_rng(4)
    together = alone = 0
    for study in range(300):
        ratings = made_ratings(random, 10, 20, 3.5)
        found = two_way_interval(ratings, seed=study, resamples=500)
        together += found.low <= 3.5 <= found.high  # type: ignore[operator]
        error = 1.96 * ratings.std(ddof=1) / math.sqrt(ratings.size)
        alone += abs(ratings.mean() - 3.5) <= error
    assert together / 300 > 0.88
    assert alone / 300 < 0.6


def test_a_rating_that_is_missing_counts_for_nothing():
    random = np.random.default_rng(5)
    ratings = made_ratings(random, 8, 20, 3.0)
    ratings[random.random(ratings.shape) < 0.3] = math.nan
    found = two_way_interval(ratings)
    assert found.mean == pytest.approx(float(np.nanmean(ratings)))
    assert found.low < found.mean < found.high  # type: ignore[operator]


def test_one_listener_or_few_clips_give_no_interval():
    random = np.random.default_rng(6)
    for shape in ((1, 30), (30, 9)):
        assert two_way_interval(made_ratings(random, *shape, 3.0)).low is None


def test_preferences_are_tested_exactly_with_ties_apart():
    found = preference(19, 6, 5)
    assert found.p == pytest.approx(0.0146, abs=1e-3)
    assert (found.low, found.high) == (pytest.approx(0.57, abs=0.01), pytest.approx(0.89, abs=0.01))
    assert preference(0, 0, 3).p == 1.0


def test_several_comparisons_are_corrected():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def ab(listener: str, case: int, setting: str, won: str) -> Answer:
    clips = {name: f"{name}-{case}.mp4" for name in ("old", setting)}
    left, right = (clips["old"], clips[setting]) if case % 2 else (clips[setting], clips["old"])
    return Answer(listener, left, right, clips.get(won, "tie"))


def test_answers_of_pairs_are_read_by_the_key():
    names = ("old", "new", "same")
    key = {"ab": {f"{n}-{c}.mp4": {"case": c, "seed": 1, "setting": n} for n in names for c in range(20)}}
    answers = [
        ab(f"l{i}", case, "new", "new" if case < 15 else "old") for i in range(6) for case in range(20)
    ]
    answers += [
        ab(f"l{i}", case, "same", ("same", "old", "tie")[(case + i) % 3])
        for i in range(6)
        for case in range(20)
    ]
    new, same = preferences(question(), key, answers)
    assert (new.setting, new.counts.wins, new.counts.losses, new.counts.ties) == ("new", 90, 30, 0)
    assert new.share.mean == 0.75 and new.share.low > 0.5 and new.p_adjusted < 0.001  # type: ignore[operator]
    assert (same.counts.wins, same.counts.losses, same.counts.ties) == (40, 40, 40)
    assert same.share.low < 0.5 < same.share.high and same.p_adjusted == 1.0  # type: ignore[operator]
    with pytest.raises(ValueError, match="made again"):
        preferences(question(), {"ab": {}}, answers)


def test_marks_are_compared_on_the_same_case_and_seed():
    random = np.random.default_rng(7)
    key = {
        "mos": {
            f"{s}-{c}.mp4": {"case": c, "seed": 1, "setting": s} for s in ("old", "new") for c in range(15)
        }
    }
    answers = []
    for listener in range(8):
        for case in range(15):
            level = random.integers(1, 5)
            answers += [Answer(f"l{listener}", f"old-{case}.mp4", "", str(level))]
            answers += [Answer(f"l{listener}", f"new-{case}.mp4", "", str(level + (case % 3 > 0)))]
    old, new = marks(question(), key, answers)
    assert old.difference is None and new.difference is not None
    assert new.difference.mean == pytest.approx(2 / 3)
    assert new.difference.excludes_zero
    with pytest.raises(ValueError, match="not a mark"):
        marks(question(), key, [Answer("l", "old-1.mp4", "", "6")])
