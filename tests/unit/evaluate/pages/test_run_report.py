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
from redshank.evaluate.pages._plots import instant
from redshank.evaluate.pages._subject import subject_of
from redshank.evaluate.pages._wording import bare, css_text, percent, two_digits
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
    for name in ("always", "never", "random", "last_value", "flat_line", "training_mean", "pca"):
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
        f"{events['false']} were false, {two_digits(events['false'] / 16)} per device and week where at most 1 was "
        "asked for, so the budget was kept"
    )
    assert "the best trivial rule, training_mean, " in said
    assert "(4 series: too few for a test)" in said
    short = changed(records[0], "events", device_weeks=2.0, false=3)
    assert "the budget was exceeded as far as so short a time can tell" in verdict(subject_of([short]))
    worse = changed(records[0], "events", false=60)
    assert verdict(subject_of([worse])).endswith("so the budget was exceeded.")


def with_series(record: Record, values: list[float]) -> Record:
    series = [
        {"name": f"s{k}", "rows": 9, "anomalous_rows": 1, "measures": {"VUS-PR": v}} for k, v in enumerate(values)
    ]
    return changed(record, "measures", **{"VUS-PR": sum(values) / len(values)}) | {"series": series}


def test_verdict_claims_a_lead_only_where_a_test_bears_it(records: list[Record]) -> None:
    rule = with_series(records[7], [0.5] * 8)
    cases = {
        "it is better than": [0.6 + k / 100 for k in range(8)],
        "it is worse than": [0.4 - k / 100 for k in range(8)],
        "it is not told apart from": [0.5 + (-1) ** k * 0.1 for k in range(8)],
        "(one series: no test)": [0.9],
        "(3 series: too few for a test)": [0.9, 0.8, 0.7],
    }
    for words, values in cases.items():
        said = verdict(subject_of([with_series(records[0], values), with_series(rule, [0.5] * len(values))]))
        assert words in said, said
        assert ("better" in said) == (words == "it is better than")


def test_verdict_names_a_measure_on_which_a_trivial_rule_is_ahead(records: list[Record]) -> None:
    behind = changed(records[0], "measures", F1=0.52)
    always = changed(records[2], "measures", F1=0.67)
    assert verdict(subject_of([behind, always])).endswith("; by F1 always is ahead, 0.67 against 0.52.")
    assert "is ahead" not in verdict(subject_of([changed(behind, "measures", F1=0.7), always]))


def test_verdict_begins_with_what_makes_it_worthless(records: list[Record]) -> None:
    leak = {"check": "copy", "column": "state", "severity": "leak", "figure": 1.0, "sentence": "state is the label."}
    given = verdict(subject_of([records[0] | {"audit": [leak]}]))
    assert given.startswith("The data give the label away (state): nothing below can be believed")
    torn = changed(records[0], "split", protocol="random k-fold", leaks="leaks neighbours: rows")
    said = verdict(subject_of([torn]))
    assert said.startswith("Rows next to those judged were learned from (random k-fold)")
    assert "budget was" not in said
    earlier = changed(records[0], "split", protocol="learned earlier", train_rows=0)
    said = verdict(subject_of([earlier]))
    assert said.startswith("The model was learned earlier, and whether from these very rows is not known.")
    assert "budget was" not in said
    assert "Whether these rows were learned from" in heads([earlier])


def test_verdict_of_one_incident_is_grammar(records: list[Record]) -> None:
    one = changed(records[0], "events", known=1, found=1, incidents=1, false=0)
    said = verdict(subject_of([one | {"incidents": records[0]["incidents"][:1]}]))
    assert said.startswith("1 of 1 known anomaly was found; there was one incident, and it was true, 0 per device")


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
        "Test rows have neighbours in training": [
            changed(many, "split", leaks="leaks neighbours"),
            rule,
        ],
        "Anomalies in the training rows": [changed(many, "split", train_anomalous_rows=7), rule],
        "A device that was not learned from": [
            changed(one, "split", left_out="pump-3", protocol="leave one device out") for one in (many, rule)
        ],
        "The labels are open to doubt": [changed(one, "data", name="nab/art/a") for one in (many, rule)],
        "Row times are assumed": [changed(many, "data", clock="assumed"), rule],
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
    labelled = changed(many, "data", notes=["column 'bad' is the label: never an input"])
    assert heads([labelled, rule]) == []
    one_cause = [changed(one, "split", left_out="flood", protocol="leave one attack out") for one in (many, rule)]
    assert heads(one_cause) == []
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


def fold_of(record: Record, fold: int, protocol: str = "blocked k-fold", **more: object) -> Record:
    return changed(record, "split", fold=fold, folds=2, protocol=protocol, **more)


def test_a_run_that_came_twice_counts_once(records: list[Record], tmp_path: Path) -> None:
    later = changed(records[0], "events", found=3)
    subject = subject_of([records[0], *records[2:], later])
    assert subject.record["events"]["known"] == records[0]["events"]["known"]
    assert subject.record["events"]["found"] == 3
    assert subject.others == "1 record came again later; only the last of each counts."
    assert subject.others in written(tmp_path, [records[0], later])


def test_unlike_runs_are_never_taken_for_folds(records: list[Record]) -> None:
    own = changed(records[0], "settings", **{"detector.penalty": 0.01})
    other = changed(changed(records[0], "settings", **{"detector.penalty": 1}), "events", known=99, found=98)
    loose = changed(changed(records[0], "calibration", budget="10 per device per week"), "events", known=99, found=98)
    torn = [fold_of(records[0], k, "random k-fold", leaks="leaks neighbours: rows") for k in range(2)]
    shorter = changed(own, "split", test_rows=7)
    seed = own | {"seed": 5}
    subject = subject_of([own, other, loose, *torn, shorter, seed, *records[1:]])
    assert subject.record is own
    assert [one.first for one in subject.variants] == [other, loose, seed]
    assert len(subject.rivals) == 7
    for words in (
        "with penalty=1",
        "10 per device per week",
        "by random k-fold, which leaks neighbours",
        "on other rows",
        "with seed 5",
    ):
        assert words in subject.others, words
    assert subject.others.startswith("Not mixed in, though the records hold it: ")
    assert "pca" not in subject.others  # it is in the comparison


def test_folds_that_are_missing_are_told(records: list[Record]) -> None:
    assert "1 of 2 folds are missing" in subject_of([fold_of(records[0], 1)]).others
    window = changed(fold_of(records[0], 1), "settings", window=99)  # of the measuring: the same run
    assert subject_of([fold_of(records[0], 0), window]).others == ""


def test_other_data_and_other_seeds_are_not_mixed_in(records: list[Record]) -> None:
    other = changed(run_record(days=14), "data", fingerprint="0" * 16)
    again = run_record(seed=5)
    subject = subject_of([*records, other, again])
    assert subject.record["events"] == records[0]["events"]
    assert [one.first["seed"] for one in subject.variants] == [5]
    assert other not in subject.compared


@pytest.fixture(scope="module")
def several() -> list[Record]:
    made = [run_record(days=7), run_record(days=7, detector="never", baseline=True, skill=0.0)]
    return [
        changed(changed(one, "data", name=f"plant/{k}", fingerprint=f"{k:016}"), "events", found=k)
        for k in range(3)
        for one in made
    ]


def test_several_data_sets_have_a_section_and_the_page_says_which_it_is_about(
    several: list[Record], tmp_path: Path
) -> None:
    text = written(tmp_path, several)
    page = Page(text)
    assert page.open == []
    assert "All data sets" in page.headings
    assert text.index("The records hold 3 data sets. This page is about plant/0 alone") < text.index("<nav")
    known = several[0]["events"]["known"]
    for k in range(3):
        assert f'<th scope="row">plant/{k}</th><td class="n">{k} of {known}</td>' in text
    named = subject_of(several, data="plant/2")
    assert named.record["data"]["name"] == "plant/2"
    assert "This page is about plant/1 alone" in written(tmp_path, several, data="plant/1")
    with pytest.raises(InputError, match="no record is of data called 'plant/9'; did you mean 'plant/"):
        written(tmp_path, several, data="plant/9")


def test_one_data_set_has_no_section_on_all(plain: str) -> None:
    assert "All data sets" not in plain
    assert "The records hold" not in plain


def test_assumed_times_show_no_dates(records: list[Record], tmp_path: Path) -> None:
    record = changed(records[0], "data", clock="assumed", start="2026-03-01T00:00:00Z")
    text = written(tmp_path, [record])
    told = text.split('id="data"')[0]
    assert "2026-" not in told
    assert "row times are assumed" in told
    first = record["incidents"][0]
    row = (instant(first["start"]) - instant("2026-03-01")) // (300 * 10**9) + 1
    assert f"<time>row {row:,}</time>" in told
    assert f"since row {row:,};" in told
    with pytest.raises(InputError, match="no times of their own"):
        written(tmp_path, [record], since="2026-03-08")


def test_leaking_splits_have_rates_without_ranges(records: list[Record], tmp_path: Path) -> None:
    torn = changed(records[0], "split", protocol="random k-fold", leaks="leaks neighbours: rows")
    subject = subject_of([torn])
    assert subject.false_rate is not None
    assert subject.recall is not None
    assert [bool(one.high >= 0) for one in (subject.false_rate, subject.recall)] == [False, False]
    text = written(tmp_path, [torn])
    assert "leaks neighbours, and so without a range" in text
    assert "nan" not in text.partition("<svg")[0].lower()


def test_short_runs_and_delays_are_told_in_words_that_fit(records: list[Record], tmp_path: Path) -> None:
    weeks = 14 * 60 / 604_800
    brief = changed(records[0], "events", device_weeks=weeks, delays_s=[0.0] * 9 + [60.0], false=1)
    text = written(tmp_path, [brief])
    assert ">14 min<" in text
    assert "1 false incident in 14 min" in text
    assert "at least half of the found anomalies, nine of ten within 6 s" in text
    at_once = changed(brief, "events", delays_s=[0.0] * 5)
    assert "nine of ten at once too" in written(tmp_path, [at_once])
    assert "within at once" not in written(tmp_path, [at_once])
    few = [one.text for one in caveats(subject_of([changed(brief, "events", known=1, found=1)]))]
    assert any(text.startswith("1 known anomaly leaves the true share") for text in few)


def test_intervals_stand_under_their_values_and_notes_are_a_list(plain: str) -> None:
    assert re.search(r'<td class="n">[\d.]+<br><span class="bounds">\[', plain)
    assert '<ul class="notes">' in plain


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
