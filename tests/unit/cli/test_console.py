"""What is shown: names as they are, numbers that JSON knows, one sentence for an error."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from redshank.cli import console
from redshank.core import Incident, Kind, Reading
from redshank.evaluate.records import incident_record

HOSTILE = "[red]pump[/red] :warning: [/x]"


def incident(k: int = 0, severity: float = 50.0, **changes: object) -> Incident:
    start = 1_700_000_000_123_000_000 + k * 3_600_000_000_000
    reading = Reading("vib", "mm/s", 0.75, math.nan, 1.5, -math.inf, 1.9)
    fields = {
        "key": f"k{k}",
        "devices": (HOSTILE,),
        "start_ns": start,
        "end_ns": start + 60_000_000_000,
        "detected_ns": start,
        "kind": Kind.POINT,
        "cause": "",
        "severity": severity,
        "readings": (reading,),
        "sentence": f"{HOSTILE}: number {k}",
    }
    return Incident(**(fields | changes))  # type: ignore[arg-type]


def test_names_are_shown_as_they_are(capsys):
    """A device may be called what Rich would take for a style or an emoji."""
    console.output.print(console.incident_table([incident()]), width=200)
    console.print_notes([HOSTILE])
    shown = capsys.readouterr()
    assert HOSTILE in shown.out
    assert shown.err == f"note: {HOSTILE}\n"


def test_fail(capsys):
    with pytest.raises(SystemExit) as left:
        console.fail(f"{'long ' * 60}{HOSTILE}")
    assert left.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"error: {'long ' * 60}{HOSTILE}\n"


def test_the_table_keeps_the_most_severe_in_order_of_onset(capsys):
    many = [incident(k, severity=float(k % 50), sentence=f"number {k}") for k in range(60)]
    console.output.print(console.incident_table(many, most=5), width=120)
    lines = capsys.readouterr().out.splitlines()
    assert "the 5 most severe of 60" in lines[0]
    assert [line.split("number ")[1].strip() for line in lines[2:]] == ["45", "46", "47", "48", "49"]


def test_json_is_strict(capsys):
    record = {
        "incident": incident_record(incident()),
        "array scalar": np.float32(0.5),
        "flag": np.bool_(True),
        "nan": float("nan"),
        "nested": [(np.int64(3), np.inf)],
        "text": "ä\n",
    }
    console.print_json(record)

    def refuse(constant: str) -> None:
        pytest.fail(constant)

    back = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert back["incident"]["seen"] == {"vib": None}
    assert back["incident"]["expected"] == {"vib": {"value": 1.5, "low": None, "high": 1.9}}
    assert back["incident"]["device"] == HOSTILE
    assert back["nested"] == [[3, None]]
    assert (back["array scalar"], back["flag"], back["nan"], back["text"]) == (0.5, True, None, "ä\n")


def test_count():
    assert [console.count(number, "row") for number in (0, 1, 2000)] == ["0 rows", "1 row", "2,000 rows"]


def test_stopwatch():
    watch = console.Stopwatch()
    with watch.step("read"):
        pass
    assert list(watch.seconds) == ["read"]
    assert 0 <= watch.seconds["read"] < 1
