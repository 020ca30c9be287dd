"""What the measuring commands share: checks before any work, records kept as they come, tables that cut nothing off."""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path

import pytest
from rich.console import Console
from tests.fixtures.records import run_record

from redshank.cli import results
from redshank.cli.results import (
    By,
    Form,
    check_apart,
    check_labelled,
    check_measures,
    check_protocol,
    check_record,
    judged,
    keeper,
    own_seeds,
    print_results,
    print_table,
    setting_values,
    trivial,
)
from redshank.core import Frame, InputError, SettingError
from redshank.data import Dataset
from redshank.detectors import DETECTORS
from redshank.evaluate._runs import SECTIONS
from redshank.evaluate.anchors import PLAIN
from redshank.evaluate.baselines import RandomScore
from redshank.evaluate.protocols import PROTOCOLS
from redshank.evaluate.records import read
from redshank.evaluate.tables import BASELINE, DEFAULT_MEASURES, Measured, Table

HOSTILE = "[red]=pump[/red] :warning: |_1_"
SMALL = Table(
    ("detector", "VUS-PR", "runs"),
    (("ridge", Measured(0.8123, 0.7, 0.9, best=True), 1200), (f"never{BASELINE}", Measured(math.nan), 3)),
    "Two detectors",
    ("A note.",),
    (1,),
)


def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, table: Table, width: int) -> str:
    """A table on a terminal of that width, without what fills its lines."""
    monkeypatch.setattr(results, "output", Console(width=width, highlight=False, markup=False, emoji=False))
    print_table(table, Form.TEXT)
    return "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines())


class TestSettingValues:
    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("latent=2,4", ("latent", [2, 4])),
            ("alpha=0.5", ("alpha", [0.5])),
            (" kind = a , b ", ("kind", ["a", "b"])),
            ("mixed=null,true,1e-3,x", ("mixed", [None, True, 0.001, "x"])),
            ("trailing=1,,2,", ("trailing", [1, 2])),
            ("text=a=b", ("text", ["a=b"])),
        ],
    )
    def test_numbers_words_and_constants(self, text: str, wanted: tuple[str, list[object]]) -> None:
        name, values = setting_values(text)
        assert (name, values) == wanted
        assert [type(one) for one in values] == [type(one) for one in wanted[1]]

    @pytest.mark.parametrize("text", ["latent", "=2", "latent=", "latent= , ", "", " = "])
    def test_what_is_no_setting_is_refused(self, text: str) -> None:
        with pytest.raises(SettingError, match=re.escape(f"--vary is {text!r}; wanted NAME=VALUE,VALUE")):
            setting_values(text)


class TestSeeds:
    def test_only_what_draws_runs_with_every_seed(self) -> None:
        assert own_seeds(RandomScore(), range(3)) == [0, 1, 2]
        assert own_seeds(DETECTORS.get("pca")(), range(3)) == [0]

    def test_every_baseline_unless_not_wanted(self) -> None:
        assert trivial([0], wanted=False) == []
        assert trivial([0], wanted=True) == [(name, 0) for name in PLAIN]
        twice = trivial(range(2), wanted=True)
        assert [name for name, seed in twice if seed == 1] == ["random"]


class TestChecks:
    def test_measures_of_every_kind_are_known(self) -> None:
        check_measures(None)
        check_measures([*DEFAULT_MEASURES, "affiliation F1", "F1 (oracle)", "anomalous share", "known events"])

    def test_unknown_measures_are_refused_with_the_nearest(self) -> None:
        with pytest.raises(SettingError, match=r"--measure: no measure is called 'VUS-RP'; did you mean 'VUS-PR'\?"):
            check_measures(["F1", "VUS-RP"])
        with pytest.raises(SettingError, match=r"there are for example VUS-PR, "):
            check_measures(["%"])
        with pytest.raises(SettingError, match="VUS-PR"):
            check_measures(["VUS-PR (oracle)"])

    def test_the_protocols_that_the_help_names_are_there(self) -> None:
        (option,) = [one for one in results.Protocol.__metadata__ if hasattr(one, "help")]
        named = option.help.partition(": ")[2].partition(" [")[0].split(", ")
        assert len(named) == len(PROTOCOLS)
        for name in named:
            assert not re.search(r"\s", name), "can be typed without quotes"
            check_protocol(name)
        check_protocol(None)
        check_protocol(re.findall(r"else (\S+)\]", option.help)[0])
        with pytest.raises(SettingError, match="no protocol"):
            check_protocol("at will")

    def test_the_sections_of_a_table_are_those_that_tables_know(self) -> None:
        assert {str(one) for one in By} == set(SECTIONS)

    def test_records_are_added_to_records_alone(self, tmp_path: Path) -> None:
        check_record(None)
        check_record(tmp_path / "new.jsonl")
        (tmp_path / "empty").touch()
        check_record(tmp_path / "empty")
        (tmp_path / "cut").write_text('{"schema": 1}\n{"sch')
        check_record(tmp_path / "cut")
        (tmp_path / "data.csv").write_text("time,temp\n1,2\n")
        with pytest.raises(InputError, match=r"data.csv: does not hold records"):
            check_record(tmp_path / "data.csv")
        with pytest.raises(InputError, match="is a folder"):
            check_record(tmp_path)
        with pytest.raises(InputError, match="does not exist"):
            check_record(tmp_path / "none" / "r.jsonl")

    def test_nothing_is_written_over(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        check_apart([Path("a"), None, Path("b")], ["c", None, Path("d")])
        check_apart([None, None], ["c", "c"])
        for written, kept in (([Path("a"), tmp_path / "a"], []), ([Path("x/../a")], ["a"]), ([tmp_path / "a"], ["a"])):
            with pytest.raises(SettingError, match="a: is named twice"):
                check_apart(written, kept)

    def test_labels_are_asked_for_where_they_can_be_named(self, tmp_path: Path) -> None:
        frame = Frame.of([[1.0], [2.0]], names=["a"], interval_s=1.0)
        file = tmp_path / "a.csv"
        file.touch()
        with pytest.raises(InputError, match=r"a.csv: holds no known anomalies .*--label COLUMN"):
            check_labelled(Dataset("a", frame), str(file))
        with pytest.raises(InputError) as refused:
            check_labelled(Dataset("set/a", frame), "set/a")
        assert "--label" not in str(refused.value), "the columns of a set by name are known"


class TestKeeper:
    def test_each_record_is_in_the_file_as_it_comes(self, tmp_path: Path) -> None:
        path, found = tmp_path / "r.jsonl", []
        keep = keeper(found, path)
        for number in range(3):
            keep(run_record(seed=number, days=7))
            assert [one["seed"] for one in read(path)] == [one["seed"] for one in found] == list(range(number + 1))

    def test_without_a_file_they_are_only_listed(self, tmp_path: Path) -> None:
        found: list[dict[str, object]] = []
        keeper(found, None)({"a": 1})
        assert found == [{"a": 1}]
        assert list(tmp_path.iterdir()) == []

    def test_an_interruption_keeps_what_was_judged(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def run(dataset, detector, *, seed, progress, **rest):
            progress(0.5)
            yield {"detector": detector, "seed": seed}
            if detector == "b":
                raise KeyboardInterrupt

        monkeypatch.setattr(results, "evaluate_run", run)
        found, parts = [], []
        rest = {"protocol": None, "splits": None, "calibrator": "extreme", "budget": "", "read_s": 0.0}
        with pytest.raises(KeyboardInterrupt):
            judged(
                Dataset("a", Frame.of([[1.0], [2.0]], names=["a"], interval_s=1.0)),
                [("a", 0), ("b", 1), ("c", 2)],
                keep=found.append,
                advance=parts.append,
                **rest,  # type: ignore[arg-type]
            )
        assert found == [{"detector": "a", "seed": 0}, {"detector": "b", "seed": 1}]
        assert parts == pytest.approx([0.5 / 3, 1.5 / 3])


class TestTables:
    def test_text(self, capsys, monkeypatch):
        narrow, wide = (shown(capsys, monkeypatch, SMALL, width) for width in (100, 140))
        assert [line.split() for line in narrow.splitlines()] == [
            ["Two", "detectors"],
            ["VUS-"],
            ["detector", "PR", "runs"],
            ["ridge", "0.81", "1,200"],
            [],
            ["never", "\N{EN DASH}", "3"],
        ]
        assert "[0.70, 0.90]" in wide
        assert "[0.70, 0.90]" not in narrow
        assert BASELINE not in narrow, "they stand below a gap"

    @pytest.mark.parametrize("width", [20, 40, 60])
    def test_a_title_breaks_between_names_and_not_inside(self, capsys, monkeypatch, width):
        caption = "Detectors on nab/realTraffic/speed_7578, nab/realTraffic/TravelTime_387; chronological hold-out"
        text = shown(capsys, monkeypatch, Table(("detector",), (("ridge",),), caption), width)
        for name in ("nab/realTraffic/speed_7578,", "nab/realTraffic/TravelTime_387;", "hold-out"):
            assert name in text

    def test_names_break_between_words_where_there_is_room(self, capsys, monkeypatch):
        table = Table(("detector", "F1"), ((f"ridge (penalty={'1' * 20})", Measured(0.5)),), "c")
        assert f"(penalty={'1' * 20})" in shown(capsys, monkeypatch, table, 40)

    def test_a_column_has_the_same_decimals(self, capsys, monkeypatch):
        table = Table(("d", "F1"), (("a", Measured(0.99929, 0.99912, 0.99941)), ("b", Measured(0.66, 0.35, 0.91))), "c")
        text = shown(capsys, monkeypatch, table, 140)
        assert "0.999 [0.999, 0.999]" in text
        assert "0.660 [0.350, 0.910]" in text

    def test_notes_are_never_left_out(self, capsys):
        print_table(SMALL, Form.TEXT)
        assert capsys.readouterr().err.splitlines()[0] == "note: A note."

    def test_intervals_are_missed_only_where_there_are_any(self, capsys, monkeypatch):
        bare = Table(("detector", "score"), (("ridge", Measured(0.5)),), "Scores")
        for table, width, said in ((SMALL, 100, True), (SMALL, 140, False), (bare, 100, False)):
            monkeypatch.setattr(results, "output", Console(width=width))
            print_table(table, Form.TEXT)
            assert ("intervals need a terminal" in capsys.readouterr().err) is said

    @pytest.mark.parametrize("width", [20, 40, 60, 80, 100])
    def test_no_number_and_no_name_is_cut_off(self, capsys, monkeypatch, width):
        name = "a_detector_with_a_name_too_long (detector.latent=16)"
        columns = ("detector", *(f"measure {k}" for k in range(8)), "windows hit")
        numbers = [1234.5678 + 1000 * k for k in range(8)]
        table = Table(columns, ((name, *map(Measured, numbers), "91/116"),), "Wide")
        text = shown(capsys, monkeypatch, table, width)
        for number in numbers:
            assert Measured(number).number in text
        assert "91/116" in text
        first = [re.split(r"\s{2,}|\s(?=\d)", line)[0] for line in text.splitlines()]
        assert name.replace(" ", "") in "".join(first).replace(" ", "")
        assert "…" not in text

    def test_what_stands_out_is_bold(self, monkeypatch):
        stream = io.StringIO()
        monkeypatch.setattr(results, "output", Console(file=stream, width=100, force_terminal=True))
        print_table(SMALL, Form.TEXT)
        assert re.search(r"\x1b\[1m *0\.8", stream.getvalue())
        assert not re.search(r"\x1b\[1m *ridge", stream.getvalue())

    def test_names_are_shown_as_they_are(self, capsys, monkeypatch):
        table = Table(("detector", HOSTILE), ((HOSTILE, 1.5),), HOSTILE, (HOSTILE,))
        text = shown(capsys, monkeypatch, table, 120)
        assert text.count(HOSTILE) == 2
        assert [line.strip() for line in text.splitlines()[1:3]] == [
            "[red]=pump[/red]",
            "detector                          :warning: |_1_",
        ]
        print_table(table, Form.TEXT)
        assert capsys.readouterr().err == f"note: {HOSTILE}\n"

    @pytest.mark.parametrize("form", [Form.MARKDOWN, Form.CSV, Form.LATEX])
    def test_other_forms_are_written_whole_at_any_width(self, capsys, monkeypatch, form):
        monkeypatch.setattr(results, "output", Console(width=10))
        print_table(SMALL, form)
        done = capsys.readouterr()
        assert done.out == getattr(SMALL, form.value)()
        assert done.err == ""

    def test_results_by_section_and_measure(self, capsys):
        records = [run_record(days=7), run_record(days=7, detector="never", baseline=True, skill=0.0)]
        print_results(records, Form.CSV, ["VUS-PR", "event recall"], By.DATA)
        header, *body = csv.reader(io.StringIO(capsys.readouterr().out))
        assert header[:3] == ["data", "detector", "VUS-PR"]
        assert [row[:2] for row in body] == [["plant", "ridge"], ["plant", f"never{BASELINE}"]]
        print_results(records, Form.CSV)
        header = capsys.readouterr().out.splitlines()[0]
        assert all(name in header for name in DEFAULT_MEASURES)
