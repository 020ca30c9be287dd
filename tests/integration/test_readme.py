"""What the README promises: the Python example runs; commands, detectors and files are the real ones."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.table import detectors, tables
from tests.fixtures.commands import command

from redshank.calibrate import CALIBRATORS
from redshank.detectors import DETECTORS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, holding: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    return next(text for text in blocks if holding in text)


def write_readings(path: Path, rows: int) -> None:
    rng = np.random.default_rng(0)
    level = np.sin(np.arange(rows) / 40.0)
    flow, pressure = 10 + level + rng.normal(0, 0.05, rows), 3 + 0.5 * level + rng.normal(0, 0.02, rows)
    pressure[-300:-200] += 1.0
    lines = [f"{1_700_000_000 + 60 * i},{a:.4f},{b:.4f}" for i, (a, b) in enumerate(zip(flow, pressure, strict=True))]
    path.write_text("time,flow,pressure\n" + "\n".join(lines) + "\n", encoding="utf-8")


def test_python_example(tmp_path, monkeypatch, capsys):
    example = block("python", "import redshank")
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    monkeypatch.chdir(tmp_path)
    write_readings(tmp_path / "readings.csv", 8000)
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)  # noqa: S102 (our own text)
    assert "pressure" in capsys.readouterr().out
    assert len(names["scores"].score) == 2000  # type: ignore[attr-defined]


def test_scan_example_shows_the_real_output(data_root, tmp_path):
    example = block("console", "$ redshank scan machine")
    file = data_root / "nab/data/realKnownCause/machine_temperature_system_failure.csv"
    (tmp_path / file.name).write_bytes(file.read_bytes())
    shown = [line.strip() for line in example.splitlines()[1:]]
    done = subprocess.run(
        [sys.executable, "-m", "redshank", "scan", file.name],
        cwd=tmp_path,
        env=os.environ | {"COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=True,
    )
    real = {line.strip() for line in (done.stdout + done.stderr).splitlines()}
    for line in shown:
        if not line.startswith("report:"):  # holds the seconds it took
            assert line in real, line


def test_named_commands_detectors_and_calibrators_are_the_real_ones():
    listed = re.search(r"\| commands \| `([a-z ]+)`", README)
    assert listed is not None
    table = re.findall(r"^  ([a-z]+)  ", command("--help").out, flags=re.MULTILINE)
    assert set(listed[1].split()) == set(table) - {"redshank", "done"}
    for name in [*DETECTORS, *CALIBRATORS]:
        assert f"`{name}`" in README


def test_tables_are_made_from_the_records():
    shown = README.split("<!-- tables: python benchmarks/table.py -->\n")[1].split("<!-- end of tables -->")[0]
    assert shown.strip() == tables().strip()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/limits.md"])
def test_linked_and_named_files_are_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [target for target in re.findall(r"\]\(([^)#:]+)\)", text) if target]
    named = re.findall(r"`((?:src|tests|benchmarks|examples|docs)/[\w./-]+\.\w+)`", text)
    for target in [*links, *named]:
        assert (ROOT / page).parent.joinpath(target).exists() or (ROOT / target).exists(), target


def test_tables_of_the_detectors_are_made_from_the_records():
    page = (ROOT / "docs" / "detectors.md").read_text("utf-8")
    shown = page.split("<!-- tables: python benchmarks/table.py detectors -->\n")[1].split("<!-- end of tables -->")[0]
    assert shown.strip() == detectors().strip()
