"""Figures from records: what each says, in words too, and what it refuses."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.fixtures.records import Record, quiet, run_record, run_records, unlabelled

from redshank.core import InputError
from redshank.evaluate.pages._canvas import COLOURS
from redshank.evaluate.pages._plots import instant, names_of
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
    area = records[0]["measures"]["ROC-AUC"]
    assert f"ridge {area:.2f}" in texts(figure)
    assert "trivial baselines" in texts(figure)
    assert "chance 0.50" in texts(figure)
    assert "last value" not in texts(figure)
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
    assert {"alarm", "known anomaly", "score", "flow", "pressure"} <= set(texts(figure))
    assert "temperature" not in texts(figure)
    assert f"{sum(trace['alarm'])} with an alarm, {len(trace['labels'])} known anomalies" in said(figure)
    calm = score_chart(quiet(records[0])["traces"][0], channels=0)
    assert not {"alarm", "known anomaly", "flow"} & set(texts(calm))
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
    assert {"ridge, all devices", "one device", "exact"} <= set(texts(figure))
    events = records[0]["events"]
    assert f"ridge: asked 1, got {events['false'] / events['device_weeks']:.3g}" in said(rate_chart(records[:1]))
    none = records[0] | {"events": events | {"false": 0}}
    assert "got 0 (0 to 0.231)" in said(rate_chart([none]))  # 3.69 / 16 device-weeks


def test_what_needs_labels_says_so(records: list[Record]) -> None:
    bare = unlabelled(records[0])
    for make in (roc_chart, pr_chart, rate_chart):
        with pytest.raises(InputError, match="it needs labels"):
            make([bare])
    with pytest.raises(InputError, match="it needs labels"):
        confusion_chart(bare)
    with pytest.raises(InputError, match="it needs labels"):
        calibration_chart([bare | {"calibration": None}])


def test_instants_are_utc_nanoseconds() -> None:
    assert instant("1970-01-01T00:00:01.5Z") == 1_500_000_000
    assert instant("1970-01-02") == 86_400 * 10**9
    assert instant("1970-01-01T01:00:00+01:00") == 0
    with pytest.raises(InputError, match="'yesterday' is not ISO"):
        instant("yesterday")
