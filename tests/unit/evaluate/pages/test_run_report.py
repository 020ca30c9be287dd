"""The report of a run from records: what it says, what it leaves out, and what it must not do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tests.fixtures.records import Record, quiet, run_record, run_records, unlabelled
from tests.unit.evaluate.pages.test_report import EVIL, Page

from redshank.core import InputError, MissingExtraError
from redshank.evaluate.intervals import garwood, wilson
from redshank.evaluate.pages import _browser
from redshank.evaluate.pages._caveats import caveats
from redshank.evaluate.pages._page import ABSENT
from redshank.evaluate.pages._subject import subject_of
from redshank.evaluate.pages._wording import bare, css_text, percent
from redshank.evaluate.pages.run_report import print_pdf, verdict, write_run_report

HEADINGS = [
    "Incidents",
    "How often it is right, and how often it disturbs",
    "Is it better than a trivial rule?",
    "Rows told apart",
    "Score over time",
    "Does it keep what was asked?",
    "Load on the person who answers",
    "Drift since training",
    "Quality of the data",
    "Where the numbers come from",
    "What these numbers do not show",
]


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return run_records()


@pytest.fixture(scope="module")
def plain(records: list[Record], tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("run"), records)


def written(folder: Path, records: list[Record], **more: str) -> str:
    return write_run_report(folder / "run.html", records, **more).read_text("utf-8")


def heads(records: list[Record], **period: str) -> list[str]:
    return [one.head for one in caveats(subject_of(records, **period))]


def changed(record: Record, section: str, **values: object) -> Record:
    return record | {section: record[section] | values}


def test_every_section_is_there_and_the_page_is_sound(plain: str, records: list[Record]) -> None:
    page = Page(plain)
    assert page.open == []
    assert page.headings == HEADINGS
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    links = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert page.tags["th"] == len(page.values("scope"))
    assert page.tags["svg"] == page.tags["desc"] == 3 + 4 + 1
    assert plain.count('class="incident"') == len(records[0]["incidents"])
    record = records[0]
    for said in (record["data"]["fingerprint"], record["model"]["fingerprint"], record["git"], "412 MiB"):
        assert said in plain
    for name, best in record["oracle"].items():
        assert re.search(rf">{name}</th><td class=\"n\">[^<]+</td><td class=\"n\">{best:.3g}<", plain)
    for name in ("always", "never", "random", "last value", "flat-line", "mean distance", "pca"):
        assert name in plain


def test_nothing_is_loaded_nothing_runs_and_no_folder_is_named(plain: str) -> None:
    page = Page(plain)
    assert page.tags["script"] == page.tags["img"] == page.tags["iframe"] == 0
    assert not [name for _, name, _ in page.attributes if name == "src" or name.startswith("on")]
    outside = [value for name in ("href", "xlink:href") for value in page.values(name) if not value.startswith("#")]
    assert outside == ["data:,"]
    assert not re.search(r"url\((?!#)|@import", plain)
    assert "default-src 'none'; style-src 'unsafe-inline'" in plain
    assert "/srv" not in plain
    assert "plant north" not in plain
    assert "readings.csv" in plain


def test_verdict_tells_found_false_asked_and_the_best_trivial_rule(records: list[Record]) -> None:
    events = records[0]["events"]
    said = verdict(subject_of(records))
    assert said.startswith(
        f"{events['found']} of {events['known']} known anomalies were found; of {events['incidents']} incidents "
        f"{events['false']} were false, {round(events['false'] / 16, 2):g} per device and week where at most 1 was "
        "asked for, so the budget was kept"
    )
    assert "better than the best trivial rule, mean distance (" in said
    short = changed(records[0], "events", device_weeks=2.0, false=3)
    assert "the budget was exceeded as far as so short a time can tell" in verdict(subject_of([short]))
    worse = changed(records[0], "events", false=60)
    assert verdict(subject_of([worse])).endswith("so the budget was exceeded.")
    beaten = changed(records[0], "measures", **{"VUS-PR": 0.01})
    assert "worse than the best trivial rule" in verdict(subject_of([beaten, *records[1:]]))


def test_verdict_without_labels_claims_nothing(records: list[Record]) -> None:
    bare_run = [unlabelled(one) for one in records]
    assert verdict(subject_of(bare_run)) == (
        f"{len(records[0]['incidents'])} incidents on 4 devices, and what really happened is not known; held-back "
        "normal data gave 0.83 alarms per device and week where at most 1 was asked for."
    )
    assert verdict(subject_of([quiet(records[0])])).startswith("No incident, and what really happened is not known")


def test_intervals_are_exact(plain: str, records: list[Record]) -> None:
    events = records[0]["events"]
    rate, recall = garwood(events["false"], 16.0), wilson(events["found"], events["known"])
    assert f"{float(f'{rate.low:.2g}'):g} to {float(f'{rate.high:.2g}'):g}" in plain
    assert f"{percent(recall.low)} to {percent(recall.high)}" in plain


def test_a_quiet_unlabelled_run_has_a_short_page(tmp_path: Path, records: list[Record]) -> None:
    text = written(tmp_path, [quiet(records[0])])
    assert "Nothing was reported." in text
    assert Page(text).headings == [
        name for name in HEADINGS if name not in ("Is it better than a trivial rule?", "Rows told apart")
    ]
    assert "Tail probability of all rows" in text
    assert ">Checked<" not in text


def test_a_period_restricts_incidents_rates_and_scores_and_says_so(tmp_path: Path, records: list[Record]) -> None:
    since, until = "2026-03-08", "2026-03-15T00:00Z"
    subject = subject_of(records, since=since, until=until)
    inside = [one for one in records[0]["incidents"] if since <= one["detected"] < "2026-03-15"]
    assert sorted(one["key"] for one in subject.incidents) == sorted(one["key"] for one in inside)
    assert subject.false == sum(not one["true"] for one in inside)
    assert sum(subject.causes.values()) == subject.false
    assert subject.device_weeks == pytest.approx(4.0, rel=0.02)
    assert all(since <= text < "2026-03-15" for trace in subject.traces for text in trace["time"])
    text = written(tmp_path, records, since=since, until=until)
    assert text.count('class="incident"') == len(inside)
    assert "whole run" in text
    assert "Other periods" in heads(records, since=since)
    assert "From 2026-03-08 00:00 to 2026-03-15 00:00 UTC: " in verdict(subject)
    halves = [subject_of(records, until=since), subject_of(records, since=since)]
    assert sum(len(half.incidents) for half in halves) == len(records[0]["incidents"])
    assert sum(half.device_weeks for half in halves) == pytest.approx(16.0, rel=0.01)


def test_a_period_that_makes_no_sense_is_refused(tmp_path: Path, records: list[Record]) -> None:
    for period, why in (
        ({"since": "2026-03-09", "until": "2026-03-08"}, "ends .* before it begins"),
        ({"since": "2027-01-01"}, "ends|nothing was judged"),
        ({"since": "2025-01-01", "until": "2025-02-01"}, "nothing was judged"),
        ({"since": "soon"}, "'soon' is not ISO"),
    ):
        with pytest.raises(InputError, match=why):
            written(tmp_path, records, **period)
    with pytest.raises(InputError, match="none of a detector"):
        written(tmp_path, records[2:])
    assert list(tmp_path.iterdir()) == []


def test_limits_follow_from_the_records_and_never_else(records: list[Record]) -> None:
    record = records[0]
    stable = record | {"drift": [one | {"psi": 0.02} for one in record["drift"]], "oracle": {}, "audit": []}
    enough = [{"name": f"pump-{k}", "measures": {"VUS-PR": 0.5 + k / 100}} for k in range(9)]
    normal = {"rows": 100, "anomalous_rows": 1, "oracle": {}}
    stable |= {"series": [one | normal for one in enough]}
    many = changed(stable, "events", known=400, found=390, delays_s=[], device_weeks=160.0)
    rule = records[2] | {"series": [one | normal | {"measures": {"VUS-PR": 0.1}} for one in enough]}
    assert heads([many, rule]) == []
    cases = {
        "What is easy": [many],
        "Better than a trivial rule, or lucky": [many | {"series": many["series"][:4]}, rule],
        "Few anomalies": [changed(many, "events", known=14, found=12), rule],
        "The oracle column": [many | {"oracle": {"F1": 0.9}}, rule],
        "The data have changed since training": [many | {"drift": record["drift"]}, rule],
        "Test rows have neighbours in training": [changed(many, "split", leaks="leaks neighbours"), rule],
        "Anomalies in the training rows": [changed(many, "split", train_anomalous_rows=7), rule],
        "A device that was not learned from": [changed(many, "split", left_out="pump-3"), rule],
        "The labels are open to doubt": [changed(many, "data", notes=["Labels of pump-01 are disputed."]), rule],
        "Luck of the draw": [changed(many, "settings", **{"detector.seed": 0}), rule],
        "Other devices": [changed(many, "data", devices=["pump-01"]), rule],
        "Point-adjusted F1": [changed(many, "measures", **{"point-adjusted F1 (misleading)": 0.9}), rule],
        "Delay on the way": [changed(many, "events", delays_s=[300.0]), rule],
        "Whether the budget is kept": [changed(many, "events", device_weeks=4.0, false=3), rule],
        "Rows that were not judged": [changed(many, "data", ledger={"rows read": 100, "rows kept": 90}), rule],
        "The label can be known without the anomaly": [
            many | {"audit": [record["audit"][0] | {"severity": "leak"}]},
            rule,
        ],
        "Anomalies are common here": [
            many | {"series": [one | {"anomalous_rows": one["rows"] // 2} for one in many["series"]]},
            rule,
        ],
        "Incidents that nobody judged": [
            many | {"incidents": [one | {"true": None} for one in many["incidents"]]},
            rule,
        ],
        "Which incidents are true": [unlabelled(many), rule],
    }
    for head, given in cases.items():
        assert heads(given) == [head], head
    two_seeds = [changed(one, "settings", **{"detector.seed": one["seed"]}) for one in (many, many | {"seed": 1})]
    assert heads([*two_seeds, rule]) == []


def test_folds_are_one_run(records: list[Record], tmp_path: Path) -> None:
    one, two = (
        changed(run_record(seed=0, days=days), "split", fold=fold, folds=2, protocol="blocked k-fold")
        for fold, days in enumerate((14, 28))
    )
    subject = subject_of([one, two])
    assert subject.record["events"]["known"] == one["events"]["known"] + two["events"]["known"]
    assert subject.false == one["events"]["false"] + two["events"]["false"]
    assert subject.device_weeks == 24.0
    assert len(subject.incidents) == len(one["incidents"]) + len(two["incidents"])
    assert subject.record["confusion"]["tp"] == one["confusion"]["tp"] + two["confusion"]["tp"]
    mean = (one["measures"]["VUS-PR"] + two["measures"]["VUS-PR"]) / 2
    assert subject.record["measures"]["VUS-PR"] == pytest.approx(mean)
    text = written(tmp_path, [one, two])
    assert Page(text).open == []
    assert "blocked k-fold, 2 folds" in text
    assert "ridge fold 1" in text


def test_other_data_and_other_seeds_are_not_mixed_in(records: list[Record]) -> None:
    other = changed(run_record(days=14), "data", fingerprint="0" * 16)
    again = run_record(seed=5)
    subject = subject_of([*records, other, again])
    assert subject.record["events"] == records[0]["events"]
    assert len(subject.runs) == 2
    assert other not in subject.compared


def test_names_are_text_and_never_markup(tmp_path: Path) -> None:
    record = run_record(detector=EVIL, devices=(EVIL, "温度 $\\frac$"), channels=(EVIL, "a'b\"--><marquee>"), days=14)
    evil = changed(record, "data", name=EVIL, notes=[EVIL], ledger={EVIL: EVIL})
    evil = changed(evil, "split", protocol=EVIL, leaks=EVIL, left_out=EVIL) | {
        "audit": [record["audit"][0] | {"sentence": EVIL, "column": EVIL, "severity": "leak"}],
        "settings": {EVIL: EVIL},
        "command": EVIL,
        "machine": {EVIL: EVIL},
        "versions": {EVIL: EVIL},
        "git": EVIL,
    }
    text = written(tmp_path, [evil], title='"} </style>' + EVIL)
    page = Page(text)
    assert page.open == []
    assert page.tags["script"] == page.tags["marquee"] == 0
    assert "<script" not in text.lower()
    assert page.tags["style"] == 1
    assert text.count("</style>") == 1


def test_many_incidents_are_folded_and_it_says_so(tmp_path: Path, records: list[Record]) -> None:
    pattern = records[0]["incidents"][0]
    many = [pattern | {"key": f"k{k}", "severity": k % 100, "sentence": f"number {k}"} for k in range(70)]
    text = written(tmp_path, [records[0] | {"incidents": many}])
    assert "These are the 60 worst; 10 less severe ones are not listed." in text
    assert "number 69" in text
    assert "number 3<" not in text


def test_same_records_same_file(tmp_path: Path, plain: str) -> None:
    assert written(tmp_path, run_records()) == plain


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("redshank scan /srv/a/b.csv --out=/tmp/x/r.html", "redshank scan b.csv --out=r.html"),
        ("redshank scan '/srv/a b/c.csv'", "redshank scan 'c.csv'"),
        (r"python C:\data\plant\x.csv", "python x.csv"),
        ("~/plants/x.csv ../y.csv", "x.csv y.csv"),
        ("0.5 / device / week, m³/h", "0.5 / device / week, m³/h"),
    ],
)
def test_paths_lose_their_folders(text: str, left: str) -> None:
    assert bare(text) == left


def test_wording_of_shares_and_css() -> None:
    shares = (0.0, 0.00123, 0.0456, 0.5, 0.994, 1.0, float("nan"))
    assert [percent(share) for share in shares] == ["0 %", "0.12 %", "4.6 %", "50 %", "99.4 %", "100 %", ABSENT]
    assert css_text('a"}\n<é') == "a\\000022\\00007d\\000020\\00003c\\0000e9"


def test_print_without_a_browser_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain: str) -> None:
    page = tmp_path / "run.html"
    with pytest.raises(InputError, match="there is no report"):
        print_pdf(page, tmp_path / "run.pdf")
    page.write_text(plain, "utf-8")
    monkeypatch.setattr(_browser.shutil, "which", lambda _: None)
    with pytest.raises(MissingExtraError, match="no Chromium, Chrome or Edge"):
        print_pdf(page, tmp_path / "run.pdf")


def test_print_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, made = tmp_path / "run.html", tmp_path / "run.pdf"
    page.write_text("x")
    made.write_text("old")
    monkeypatch.setattr(_browser.shutil, "which", lambda name: f"/usr/bin/{name}")
    failed = subprocess.CompletedProcess([], 1, b"", b"first\ncannot start\n")
    monkeypatch.setattr(_browser.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(InputError, match=r"exit status 1: cannot start"):
        print_pdf(page, made)

    def slow(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("chromium", 5)

    monkeypatch.setattr(_browser.subprocess, "run", slow)
    with pytest.raises(InputError, match=r"no PDF of .* after 5 s"):
        print_pdf(page, made, timeout_s=5)
    assert made.read_text() == "old"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["run.html", "run.pdf"]
