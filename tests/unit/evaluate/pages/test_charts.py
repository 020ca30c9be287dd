"""Figures from records: what each says, in words too, and what it refuses."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.fixtures.records import Record, quiet, run_record, run_records, unlabelled

from redshank.core import InputError
from redshank.evaluate.pages._canvas import COLOURS
from redshank.evaluate.pages._plots import distinct, instant, names_of
from redshank.evaluate.pages._scores import ALARM
from redshank.evaluate.pages.charts import (
    calibration_chart,
    confusion_chart,
    critical_difference_chart,
    pr_chart,
    rate_chart,
    roc_chart,
    score_chart,
    sensitivity_chart,
)
from redshank.evaluate.significance import ranks

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return run_records()


def said(figure: str) -> str:
    """What a figure says in words."""
    return ET.fromstring(figure).findtext(f"{SVG}desc") or ""  # noqa: S314 - our own figure


def texts(figure: str) -> list[str]:
    return ["".join(one.itertext()) for one in ET.fromstring(figure).iter(f"{SVG}text")]  # noqa: S314


def swept(detector: str = "ridge") -> list[Record]:
    made = [run_record(seed=seed, detector=detector) for seed in range(2)]
    return [
        one | {"settings": {"window": window}, "measures": one["measures"] | {"VUS-PR": value + 0.01 * seed}}
        for window, value in ((12, 0.5), (36, 0.75), (144, 0.25))
        for seed, one in enumerate(made)
    ]


def ranked() -> Any:
    values = {"ridge": 0.9, "pca": 0.8, "last value": 0.3, "random": 0.1}
    return ranks({name: {f"s{k}": value - 0.01 * k for k in range(12)} for name, value in values.items()})


def every(records: list[Record]) -> dict[str, str]:
    return {
        "roc": roc_chart(records),
        "pr": pr_chart(records),
        "confusion": confusion_chart(records[0]),
        "score": score_chart(records[0]["traces"][0]),
        "sensitivity": sensitivity_chart(swept(), "window", "VUS-PR"),
        "ranks": critical_difference_chart(ranked()),
        "calibration": calibration_chart(records[:2]),
        "rate": rate_chart(records),
    }


def test_every_figure_stands_alone_has_words_and_only_house_colours(records: list[Record]) -> None:
    for name, figure in every(records).items():
        root = ET.fromstring(figure)  # noqa: S314 - our own figure
        assert root.tag == f"{SVG}svg", name
        assert root.findtext(f"{SVG}title") == root.attrib["aria-label"], name
        assert len(said(figure)) > 20, name
        assert "nan" not in figure.lower(), name
        colours = set(re.findall(r"#[0-9a-f]{6}\b(?!\")", re.sub(r"url\(#\w+\)|href=\"#\w+\"", "", figure)))
        assert colours <= set(COLOURS.values()), name
        assert len(figure) < 60_000, name
    assert every(records) == every(records)  # the same records, the same bytes


def test_curves_name_detectors_with_their_area_and_fold_baselines_into_one(records: list[Record]) -> None:
    figure = roc_chart(records)
    area = records[0]["curves"]["roc"]["area"]
    assert f"ridge {area:.2f}" in texts(figure)
    assert "rows ranked by surprise, all devices together" in texts(figure)
    assert "trivial baselines" in texts(figure)
    assert "chance 0.50" in texts(figure)
    assert "last_value" not in texts(figure)
    rows = sum(one["rows"] for one in records[0]["series"])
    share = sum(one["anomalous_rows"] for one in records[0]["series"]) / rows
    assert f"chance {share:.2f}" in texts(pr_chart(records))


def test_records_of_one_detector_are_told_apart_by_what_differs() -> None:
    made = [run_record(seed=seed) for seed in (3, 4)]
    assert names_of(made) == ["ridge seed 3", "ridge seed 4"]
    assert names_of(made[:1]) == ["ridge"]
    other = made[0] | {"data": made[0]["data"] | {"name": "dam"}}
    assert names_of([made[0], other]) == ["ridge plant", "ridge dam"]


def test_confusion_counts_rows_and_classes() -> None:
    figure = confusion_chart({"confusion": {"tp": 30, "fn": 10, "fp": 1, "tn": 99999}})
    assert {"30", "75 %", "10", "25 %", "99,999", "over 99.9 %", "under 0.01 %"} <= set(texts(figure))
    assert said(figure).endswith("anomalous: alarm 30, no alarm 10; normal: alarm 1, no alarm 99,999.")
    classes = ["normal", "flood", "scan", "replay"]
    matrix = [[9, 1, 0, 0], [0, 8, 0, 0], [2, 0, 6, 0], [0, 0, 0, 0]]
    many = confusion_chart({"confusion": {"classes": classes, "matrix": matrix}})
    assert "scan: normal 2, flood 0, scan 6, replay 0" in said(many)
    assert texts(many).count("0") == 1  # nothing is written where nothing was mistaken
    with pytest.raises(InputError, match=r"shape \(4, 4\) for 1 classes"):
        confusion_chart({"confusion": {"classes": ["a"], "matrix": matrix}})


def test_score_shades_labels_and_marks_alarms(records: list[Record]) -> None:
    trace = records[0]["traces"][0]
    figure = score_chart(trace)
    assert {ALARM, "known anomaly", "score", "flow", "pressure"} <= set(texts(figure))
    assert "temperature" not in texts(figure)
    assert f"{sum(trace['alarm'])} with an alarm, {len(trace['labels'])} known anomalies" in said(figure)
    calm = score_chart(quiet(records[0])["traces"][0], channels=0)
    assert not {ALARM, "known anomaly", "flow"} & set(texts(calm))
    holes = trace | {"score": [None, *trace["score"][1:]], "values": {"flow": [None] * len(trace["time"])}}
    assert "nan" not in score_chart(holes).lower()
    with pytest.raises(InputError, match="no moments"):
        score_chart(trace | {"time": []})


def test_score_of_certainty_is_cut_where_the_words_still_tell_it(records: list[Record]) -> None:
    trace = records[0]["traces"][0]
    certain = trace | {"score": [300.0] * len(trace["time"])}
    assert "largest surprise is 300" in said(score_chart(certain))
    assert "300" not in texts(score_chart(certain))


def test_sensitivity_averages_repeats_and_gives_an_interval() -> None:
    figure = sensitivity_chart([*swept(), *swept("pca")], "window", "VUS-PR")
    assert {"ridge", "pca", "window", "VUS-PR", "12", "144"} <= set(texts(figure))
    assert "ridge: 0.505 (0.5 to 0.51) at 12, 0.755 (0.75 to 0.76) at 36" in said(figure)
    by_series = [
        one | {"series": [{"name": f"s{k}", "measures": {"VUS-PR": k / 10}} for k in range(8)]} for one in swept()
    ]
    assert "(0.5 to 0.51)" not in said(sensitivity_chart(by_series, "window", "VUS-PR"))  # the bootstrap is wider
    with pytest.raises(InputError, match="setting 'depth' and measure 'VUS-PR'"):
        sensitivity_chart(swept(), "depth", "VUS-PR")


def test_ranks_are_drawn_best_first_with_their_groups() -> None:
    cd = ranked()
    figure = critical_difference_chart(cd)
    assert said(figure).startswith("Mean ranks, best first: ridge 1.00, pca 2.00, last value 3.00, random 4.00.")
    assert f"critical difference {cd.critical_difference:.2f}" in texts(figure)
    for group in cd.groups:
        assert ", ".join(group) in said(figure)


def test_calibration_and_rates_say_what_came(records: list[Record]) -> None:
    figure = calibration_chart(records[:1])
    assert {"ridge", "one device", "exact"} <= set(texts(figure))
    events = records[0]["events"]
    assert f"ridge: asked 1, got {events['false'] / events['device_weeks']:.3g}" in said(rate_chart(records[:1]))
    none = records[0] | {"events": events | {"false": 0}}
    assert "got 0 (0 to 0.231)" in said(rate_chart([none]))  # 3.69 / 16 device-weeks


def test_what_needs_labels_says_so(records: list[Record]) -> None:
    bare = unlabelled(records[0])
    for make in (roc_chart, pr_chart, rate_chart):
        with pytest.raises(InputError, match="it needs"):
            make([bare])
    with pytest.raises(InputError, match="it needs labels"):
        confusion_chart(bare)
    with pytest.raises(InputError, match="it needs labels"):
        calibration_chart([bare | {"calibration": None}])


def test_the_area_is_that_of_the_line_drawn_and_none_where_the_record_has_none(records: list[Record]) -> None:
    curve = records[0]["curves"]["roc"]
    moved = records[0] | {"curves": {"roc": curve | {"area": 0.667, "of": "score"}}}
    assert "ridge 0.67" in texts(roc_chart([moved]))
    assert "rows ranked by raw score" in texts(roc_chart([moved]))
    older = records[0] | {"curves": {"roc": {"x": curve["x"], "y": curve["y"]}}}
    assert "ridge" in texts(roc_chart([older]))


def test_runs_that_differ_in_a_setting_have_names_of_their_own() -> None:
    made = run_record(days=7)
    varied = [made | {"settings": made["settings"] | {"detector.penalty": one}} for one in (0.01, 1.0)]
    assert names_of(varied) == ["ridge penalty=0.01", "ridge penalty=1.0"]
    assert {"ridge penalty=0.01", "ridge penalty=1.0"} <= set(texts(calibration_chart(varied)))
    long = [made | {"data": made["data"] | {"name": f"a/very/long/folder/of/series/{k}"}} for k in range(2)]
    assert len(set(names_of(long))) == 2


def test_figures_name_their_data(records: list[Record]) -> None:
    title = "ROC curves: plant"
    assert f"<title>{title}</title>" in roc_chart(records)
    assert "<title>Confusion matrix: plant</title>" in confusion_chart(records[0])
    trace = records[0]["traces"][0] | {"device": "null"}
    assert "<title>Score of device null: plant</title>" in score_chart(trace, data=records[0]["data"])
    assert "<title>VUS-PR against window: plant</title>" in sensitivity_chart(swept(), "window", "VUS-PR")
    other = records[0] | {"data": records[0]["data"] | {"name": "dam"}}
    assert "realised: 2 data sets</title>" in rate_chart([records[0], other])


def test_assumed_times_are_told_as_rows(records: list[Record]) -> None:
    trace = records[0]["traces"][0]
    start = records[0]["data"] | {"start": trace["time"][0]}
    given = score_chart(trace, data=start | {"clock": "given"})
    assert any("2026-03" in text for text in texts(given))
    assumed = score_chart(trace, data=start | {"clock": "assumed"})
    assert not any("2026" in text or text == "UTC" for text in texts(assumed))
    assert {"row", "1,500"} <= set(texts(assumed))


def test_rates_show_zero_and_more_than_one_tick(records: list[Record]) -> None:
    none = records[0] | {"events": records[0]["events"] | {"false": 0}}
    ticks = [text for text in texts(rate_chart([none])) if re.fullmatch(r"[\d.]+", text)]
    assert "0" in ticks
    assert len(set(ticks)) >= 4
    many = records[0] | {"events": records[0]["events"] | {"false": 90_000}}
    assert {"0", "0.1", "10000"} <= set(texts(rate_chart([none, many | {"seed": 1}])))


def test_ranks_name_their_measure() -> None:
    figure = critical_difference_chart(ranked(), measure="VUS-PR")
    assert "mean rank by VUS-PR" in texts(figure)
    assert "Critical-difference diagram by VUS-PR</title>" in figure


def test_names_that_would_be_cut_to_one_stay_apart() -> None:
    names = [f"ridge (detector.penalty=0.000{k}, detector.lags=8)" for k in (1, 2)]
    figure = critical_difference_chart(
        ranks({name: {f"s{k}": k + place for k in range(6)} for place, name in enumerate(names)})
    )
    assert len({text.split("penalty=")[1][:6] for text in texts(figure) if "penalty=" in text}) == 2
    assert distinct(["a" * 40, "b"]) == ["a" * 25 + "…", "b"]
    ends = distinct(["a" * 40 + "1", "a" * 40 + "2"])
    assert [one[-1] for one in ends] == ["1", "2"]
    assert {len(one) for one in ends} == {26}
    middles = ["a" * 26 + k + "a" * 20 for k in "xy"]
    assert distinct(middles) == middles


def test_sensitivity_takes_series_of_other_data_apart_and_says_what_its_bars_are() -> None:
    runs = [
        one
        | {
            "data": one["data"] | {"name": f"set-{k}"},
            "series": [{"name": "device", "measures": {"VUS-PR": 0.5 + 0.05 * k}}],
            "measures": {"VUS-PR": 0.5 + 0.05 * k},
        }
        for one in swept()[::2]
        for k in range(6)
    ]
    figure = sensitivity_chart(runs, "window", "VUS-PR")
    assert "bars: 95 % bootstrap over 6 series" in texts(figure)
    assert "(0.5 to 0.75)" not in said(figure)
    assert "bars: lowest to highest run" in texts(sensitivity_chart(swept(), "window", "VUS-PR"))
    single = sensitivity_chart(swept()[::2], "window", "VUS-PR")
    assert not any(text.startswith("bars") for text in texts(single))


def test_instants_are_utc_nanoseconds() -> None:
    assert instant("1970-01-01T00:00:01.5Z") == 1_500_000_000
    assert instant("1970-01-02") == 86_400 * 10**9
    assert instant("1970-01-01T01:00:00+01:00") == 0
    with pytest.raises(InputError, match="'yesterday' is not ISO"):
        instant("yesterday")
