"""The search: what is judged by what, what is kept, when it ends, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.fixtures.tuned import Clock, Noisy, data

from redshank.core import InputError, Label, SettingError
from redshank.core import Kind as Sort
from redshank.detectors import DETECTORS
from redshank.evaluate.tuning import Choice, Span, job, tune
from redshank.evaluate.tuning.exam import KNOWN, PLANTED
from redshank.evaluate.tuning.log import JUDGED
from redshank.evaluate.tuning.sensitivity import FIFTHS, sensitivity_of

SPACE = {"noise": [0.1, 1.0, 16.0]}
ONE_FOLD = {"protocol": "chronological hold-out"}
"""For what does not depend on the number of folds: a fit a trial."""


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr(Noisy, "fits", [])
    monkeypatch.setattr(Noisy, "clock", None)


@pytest.fixture(scope="module")
def found():
    return tune(data(), Noisy(), SPACE)


class TestFound:
    def test_less_noise_is_better(self, found):
        assert found.searched_with == "grid"
        assert found.ended == "every combination was tried"
        assert found.trials[0].settings == found.default
        assert found.best.settings["noise"] == 0.1
        assert found.changes == {"noise": 0.1}
        assert found.spec.startswith("Noisy(noise=0.1")
        ranked = sorted(found.done, key=lambda one: -one.score)
        assert [one.settings["noise"] for one in ranked] == [0.1, 1.0, 4.0, 16.0]

    def test_default_and_best_are_judged_on_unseen_rows(self, found):
        assert [one.settings["noise"] for one in found.judged] == [4.0, 0.1]
        assert found.judged_by == KNOWN
        assert found.looks == 2
        default, best = found.judged
        assert best.score > default.score
        said = found.sentences()
        assert said[0].startswith("Best of 4 trials: VUS-PR")
        assert "On rows never searched, by known anomalies:" in said[1]
        assert "ahead on 1 of 1" in said[1]

    def test_the_record_is_plain(self, found):
        record = json.loads(json.dumps(found.record()))
        assert record["changes"] == {"noise": 0.1}
        assert record["sensitivity"].keys() == {"noise"}
        assert len(record["trials"]) == 4

    def test_one_figure_a_setting(self, found):
        assert list(found.figures) == ["noise"]
        assert "<svg" in found.figures["noise"]


class TestWhatIsJudged:
    def test_where_the_default_is_best_nothing_is_changed(self):
        found = tune(data(), Noisy(noise=0.1), {"noise": [10.0, 16.0]}, **ONE_FOLD)
        assert found.changes == {}
        assert len(found.judged) == 1
        assert found.sentences()[0].startswith("None of 3 trials beats the default settings")

    def test_without_labels_anomalies_are_planted_and_that_is_said(self):
        found = tune(data(anomalies=False), Noisy(), SPACE)
        assert found.study["searched by"] == found.judged_by == PLANTED
        assert any(note.startswith("Tuned by planted anomalies, not by known ones (no row") for note in found.notes)
        assert found.best.settings["noise"] == 0.1

    def test_labels_can_be_put_aside_and_count_in_the_end_only(self):
        labelled, bare = data(), data(anomalies=False)
        bare = replace(bare, frame=labelled.frame)
        one, other = (tune(each, Noisy(), SPACE, label_free=True, **ONE_FOLD) for each in (labelled, bare))
        assert [a.score for a in one.trials] == [b.score for b in other.trials]
        assert (one.judged_by, other.judged_by) == (KNOWN, PLANTED)

    def test_published_rows_for_testing_are_kept_from_the_search(self):
        whole = data()
        whole = replace(whole, train=np.arange(len(whole)) < 900)
        rows = {one["role"]: one["rows"] for one in tune(whole, Noisy(), SPACE, **ONE_FOLD).study["data"]}
        assert rows == {"searched": 900, "judged in the end": 600}
        rows = {one["role"]: one["rows"] for one in tune(whole, Noisy(), SPACE, unseen=0.5, **ONE_FOLD).study["data"]}
        assert rows == {"searched": 750, "judged in the end": 750}

    def test_other_data_in_the_end(self):
        found = tune(data(), Noisy(), SPACE, judge_on=[data(seed=5, name="valve")], **ONE_FOLD)
        assert [(one["name"], one["rows"]) for one in found.study["data"]] == [("pump", 1500), ("valve", 1050)]
        assert [one.data for one in found.judged[0].values] == ["valve"]
        with pytest.raises(InputError, match="valve: is searched as pump"):
            tune(data(), Noisy(), SPACE, judge_on=[data(name="valve")])
        with pytest.raises(SettingError, match="choose one"):
            tune(data(), Noisy(), SPACE, judge_on=[data(seed=5)], unseen=0.3)

    def test_labels_as_intervals_will_do(self):
        whole = data()
        labels = tuple(
            Label("0", int(whole.frame.time_ns[a]), int(whole.frame.time_ns[a + 9]), Sort.POINT) for a in (60,)
        )
        device = whole.frame.devices[0]
        labels = tuple(replace(one, device=device) for one in labels)
        found = tune(replace(whole, y=None, labels=labels), Noisy(), {"noise": [0.1]})
        assert found.study["searched by"] == KNOWN
        assert found.judged == ()
        assert "too good" in found.sentences()[-1]
        assert any("1 fold only" in note for note in found.notes)

    @pytest.mark.parametrize("protocol", ["rolling-origin", "random-k-fold", "chronological hold-out"])
    def test_other_protocols(self, protocol):
        found = tune(data(), Noisy(), {"noise": [0.1]}, protocol=protocol)
        assert found.best.settings["noise"] == 0.1
        assert any("leaks neighbours" in note for note in found.notes) == (protocol == "random-k-fold")

    def test_a_classifier_cannot_be_tuned_by_what_is_planted(self, monkeypatch):
        monkeypatch.setattr(Noisy, "tags", replace(Noisy.tags, needs_labels=True))
        with pytest.raises(InputError, match="learns from labels, and the search sees no known anomaly"):
            tune(data(anomalies=False), Noisy(), SPACE)


class TestRefusals:
    def test_refused_settings_are_trials_with_a_reason(self):
        found = tune(data(), Noisy(), {"noise": [0.1, 99.0]}, **ONE_FOLD)
        (refused,) = [one for one in found.trials if not one.done]
        assert refused.reason.endswith("noise is 99; wanted at most 50")
        assert any("refused 1 of 3 trials" in note for note in found.warnings())

    def test_half_a_width_is_a_trial_with_a_reason_and_no_crash(self):
        fresh = DETECTORS.get("autoencoder")(epochs=1, window=1, hidden=4, device="cpu")
        found = tune(data(), fresh, {"latent": [1, 2.5]}, **ONE_FOLD)
        (refused,) = [one for one in found.trials if not one.done]
        assert refused.reason == "AutoencoderDetector: latent is 2.5; wanted a whole number, at least 1"
        assert {one.settings["latent"] for one in found.done} == {None, 1}

    def test_where_all_are_refused_the_reason_is_the_error(self):
        with pytest.raises(InputError, match=r"none of 2 trials could be done; of the first: .*wanted at most 50"):
            tune(data(), Noisy(noise=60.0), {"noise": [99.0]})

    def test_a_default_that_is_refused_is_no_end(self):
        found = tune(data(), Noisy(noise=60.0), SPACE, **ONE_FOLD)
        assert "there is no score" in found.sentences()[0]
        assert "not judged" in found.sentences()[1]

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"measure": "recall"}, "neither silence nor constant alarm|silence nor constant alarm"),
            ({"unseen": 1.5}, "lie between 0 and 1"),
            ({"minutes": 0.0}, "minutes is 0"),
            ({"protocol": "by-moon"}, "no protocol"),
            ({"search": "random"}, "grid or optuna"),
        ],
    )
    def test_what_is_not_understood(self, options, said):
        with pytest.raises(SettingError, match=said):
            tune(data(), Noisy(), SPACE, **options)

    def test_two_data_sets_of_one_name(self):
        with pytest.raises(InputError, match="two data sets are called 'pump'"):
            tune([data(), data(seed=1)], Noisy(), SPACE)
        with pytest.raises(InputError, match="no data sets"):
            tune([], Noisy(), SPACE)

    def test_a_detector_without_a_default_space(self):
        with pytest.raises(SettingError, match="robust_z has no setting with a default space"):
            tune(data(), "robust_z")


class TestTime:
    """A fit takes ten seconds by the clock, and nothing else takes any; five folds, and two fits in the end."""

    @pytest.fixture
    def clock(self, monkeypatch):
        clock = Clock()
        monkeypatch.setattr(Noisy, "clock", clock)
        return clock

    @pytest.mark.parametrize(("minutes", "trials"), [(1.0, 1), (2.0, 2), (4.5, 5), (60.0, 6)])
    def test_no_trial_is_begun_that_would_not_end_in_time(self, clock, minutes, trials):
        space = {"noise": [0.1, 0.2, 0.3, 0.5, 1.0]}
        found = tune(data(), Noisy(), space, minutes=minutes, clock=clock)
        assert len(found.trials) == trials
        assert len(found.judged) == (1 if trials == 1 else 2)
        assert clock.now <= 60 * minutes + 10  # the first trial may leave the end short
        assert found.ended == ("every combination was tried" if trials == 6 else "time is up")

    def test_too_little_for_one_trial(self, clock):
        with pytest.raises(InputError, match="time was up before one trial was done"):
            tune(data(), Noisy(), SPACE, minutes=0.5, clock=clock)

    def test_a_detector_that_trains_by_the_clock_is_told_its_share(self, clock, monkeypatch):
        monkeypatch.setattr(Noisy, "fit_s", 1.0)
        found = tune(data(), Noisy(), SPACE, minutes=1.0, clock=clock)
        assert len(found.trials) == 4
        assert {one["budget_s"] for one in Noisy.fits} == {60 / 5 / 5}
        assert not any(one.cut_short for one in found.trials), "the fits took no such time by the wall"

    def test_a_training_that_its_limit_ended_is_marked(self, clock, monkeypatch):
        monkeypatch.setattr(job, "NEARLY", 0.0)
        found = tune(data(), Noisy(), {"noise": [0.1]}, minutes=9.0, clock=clock, **ONE_FOLD)
        assert all(one.cut_short for one in found.trials)
        assert any("cut a training in 2 of 2 trials" in note for note in found.warnings())

    def test_its_own_limit_stays_if_it_is_tighter_and_is_never_widened(self, clock, monkeypatch):
        monkeypatch.setattr(Noisy, "fit_s", 1.0)
        found = tune(data(), Noisy(budget_s=5.0), SPACE, minutes=4.0, clock=clock)
        assert {one["budget_s"] for one in Noisy.fits} == {5.0}
        assert {one.settings["budget_s"] for one in found.trials} == {5.0}

    def test_without_a_limit_it_is_told_nothing(self):
        tune(data(), Noisy(), {"noise": [0.1]}, **ONE_FOLD)
        assert {one["budget_s"] for one in Noisy.fits} == {None}


class TestResume:
    def test_nothing_is_done_twice(self, tmp_path):
        path = tmp_path / "log.jsonl"
        first = tune(data(), Noisy(), SPACE, trials=2, record=path, **ONE_FOLD)
        fits = len(Noisy.fits)
        second = tune(data(), Noisy(), SPACE, record=path, **ONE_FOLD)
        assert second.resumed == 2
        assert second.trials[:2] == first.trials
        assert len(second.trials) == 4
        fits = len(Noisy.fits)
        third = tune(data(), Noisy(), SPACE, record=path, **ONE_FOLD)
        assert len(Noisy.fits) == fits
        assert third.trials == second.trials
        assert third.judged == second.judged

    def test_killed_and_gone_on_is_as_undisturbed(self, tmp_path):
        path, space = tmp_path / "log.jsonl", {"noise": Span(0.05, 20.0, log=True), "sign": Choice((False, True))}
        whole = tune(data(), Noisy(), space, trials=14, **ONE_FOLD)
        tune(data(), Noisy(), space, trials=12, record=path, **ONE_FOLD)
        lines = [line for line in path.read_bytes().splitlines(keepends=True) if JUDGED.encode() not in line[:60]]
        assert len(lines) == 1 + 12
        path.write_bytes(b"".join(lines)[:-40])  # killed while it wrote the last trial
        again = tune(data(), Noisy(), space, trials=14, record=path, **ONE_FOLD)
        assert [one.settings for one in again.trials] == [one.settings for one in whole.trials]
        assert [one.score for one in again.trials] == [one.score for one in whole.trials]

    def test_looks_at_unseen_rows_are_counted(self, tmp_path):
        path = tmp_path / "log.jsonl"
        for noise in (3.0, 1.0, 0.1):
            found = tune(data(), Noisy(), {"noise": [noise]}, record=path, **ONE_FOLD)
        assert found.looks == 4
        assert any("were judged with 4 settings by now" in note for note in found.warnings())

    def test_other_data_or_another_question_are_another_search(self, tmp_path):
        path = tmp_path / "log.jsonl"
        tune(data(), Noisy(), {"noise": [0.1]}, record=path)
        for change in ({"measure": "roc_auc"}, {"protocol": "rolling-origin"}, {"seed": 1}, {"unseen": 0.4}):
            with pytest.raises(InputError, match="log of another search"):
                tune(data(), Noisy(), {"noise": [0.1]}, record=path, **change)
        with pytest.raises(InputError, match="its data is"):
            tune(data(seed=9), Noisy(), {"noise": [0.1]}, record=path)


class TestDefaults:
    def test_the_found_period_is_tried_early(self):
        found = tune(data(), "moving_average", trials=3, **ONE_FOLD)
        assert found.searched_with == "optuna"
        assert found.trials[1].settings["window"] == 25
        assert any("repeat every 25 rows" in note for note in found.notes)

    def test_the_seed_reaches_the_detector_and_the_text(self):
        found = tune(data(), "half_space_trees(trees=5)", {"depth": [3, 4]}, seed=7, **ONE_FOLD)
        assert {one.settings["seed"] for one in found.trials} == {7}
        assert found.spec.startswith("half_space_trees(trees=5")
        assert "seed=7" in found.spec


class TestSensitivity:
    def made(self, found, values, scores):
        one = found.trials[1]
        return [
            replace(one, number=k, settings={"noise": v}, score=s)
            for k, (v, s) in enumerate(zip(values, scores, strict=True))
        ]

    def test_what_decides_the_score_has_all_the_variance_and_what_does_not_none(self, found):
        rng = np.random.default_rng(0)
        values = [float(v) for v in np.repeat([1, 2, 4, 8], 50)]
        decides = sensitivity_of("noise", self.made(found, values, values))
        assert decides.share == pytest.approx(1.0)
        assert [group.median for group in decides.groups] == [1, 2, 4, 8]
        nothing = [sensitivity_of("noise", self.made(found, values, rng.normal(size=200))).share for _ in range(30)]
        assert np.mean(nothing) < 0.02

    def test_many_numbers_are_put_together_and_what_is_no_number_stands_apart(self, found):
        values = [None, None, *np.linspace(0, 1, 40).tolist()]
        groups = sensitivity_of("noise", self.made(found, values, range(42))).groups
        assert len(groups) == 1 + FIFTHS
        assert groups[0].values == (None, None)
        assert sorted(v for group in groups[1:] for v in group.values) == values[2:]

    def test_too_few_trials_say_nothing(self, found):
        assert np.isnan(sensitivity_of("noise", self.made(found, [1.0, None], [0.1, 0.2])).share)
