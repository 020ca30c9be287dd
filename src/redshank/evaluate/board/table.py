"""The table of the detector board, made of its records alone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from redshank.core import InputError
from redshank.evaluate._runs import listed
from redshank.evaluate._table import MARK, Measured, Table, Value
from redshank.evaluate.anchors import ANCHORS, PLAIN
from redshank.evaluate.baselines import BASELINES
from redshank.evaluate.board.detectors import BOARD, BUDGET, CALIBRATOR, QUICK_BOARD
from redshank.evaluate.board.jobs import DONE, OF_PROCESS, ROW, SETTING
from redshank.evaluate.board.series import ASSUMED_S, FAMILIES, LEARNED, LEAVE_OUT, NORMAL_PART, SERIES, UNTIMED
from redshank.evaluate.intervals import bootstrap_interval, scipy_part
from redshank.evaluate.records import Record
from redshank.evaluate.significance import ALPHA, paired
from redshank.evaluate.tables import BASELINE
from redshank.pipeline import HISTORY_ROWS

MEASURES = ("VUS-PR", "event recall", "false alarms per day", "ROC-AUC", "F1")
RANKED = MEASURES[0]
"""What rows are ordered by, and what is compared with the anchors."""
ALL = "all"
"""The section of means over families; each counts the same, however many series it has."""
COVERAGE = 0.95
YES, PERHAPS, NO = "yes", "(yes)", "no"
"""Whether a detector beats the best anchor of a family: told from it, better on the mean alone, or not even that."""
SPENT = 0.95
"""Share of its seconds from which a fit is taken to have been ended by them."""
Key = tuple[str, str]


@dataclass
class _Cell:
    """What the records say of one detector on one family."""

    measures: dict[str, dict[str, float]] = field(default_factory=dict)
    fit_s: list[float] = field(default_factory=list)
    rows_per_s: list[float] = field(default_factory=list)
    peak_mib: list[float] = field(default_factory=list)
    wanted: int = 0
    cut: int = 0
    remarks: list[str] = field(default_factory=list)

    def of(self, measure: str) -> list[float]:
        """Finite values by series."""
        return [one for own in self.measures.values() if math.isfinite(one := own.get(measure, math.nan))]

    def ranked(self) -> dict[str, float]:
        return {name: own[RANKED] for name, own in self.measures.items()}


def board_table(records: Sequence[Record]) -> Table:
    """Every detector on every family and on the mean of the families, plain anchors and trivial baselines behind.

    Parameters
    ----------
    records : sequence of mapping
        As ``run_jobs`` gave them, or as read from their file; those of other boards are passed over.

    Returns
    -------
    Table
        One section for the mean of the families and one a family; detectors from best to worst by VUS-PR. Measures
        with 95 % intervals by series. What failed, ran out of time or could not be taught stands in the remarks.

    Raises
    ------
    InputError
        If there is no record of this board, or of both the full and the quick one.
    """
    latest = {
        (one["board"], one["job"]): one
        for one in records
        if one.get("kind") == ROW and one.get("board") in (BOARD, QUICK_BOARD)
    }
    boards = sorted({board for board, _ in latest})
    if len(boards) != 1:
        what = "records of a full and of a quick board, which do not compare" if boards else "no record of the board"
        raise InputError(f"bench detectors: {what}; give a file of one board")
    rows = list(latest.values())
    cells = _cells(rows)
    families = [family for family in FAMILIES if any(own == family for own, _ in cells)]
    verdicts = _verdicts(cells, families)
    body: list[tuple[Value, ...]] = []
    breaks = []
    for section in [*([ALL] if len(families) > 1 else []), *families]:
        for group in _ordered(cells, families if section == ALL else [section]):
            if body and group:
                breaks.append(len(body))
            for name in group:
                own = [(family, cells[family, name]) for family in families if (family, name) in cells]
                if section == ALL:
                    body.append((section, _shown(name), *_means(own, families), _beaten(name, verdicts, families), ""))
                else:
                    body.append((section, _shown(name), *_measured(cells[section, name])))
                    body[-1] += (verdicts.get((section, name), ""), "; ".join(cells[section, name].remarks))
    columns = ("data", "detector", *MEASURES, "fit s", "rows per s", "peak MiB", "series", "beats anchors", "remarks")
    caption = f"Detectors on {', '.join(families)}{' (quick run: shows that all runs)' * (boards == [QUICK_BOARD])}"
    settings = [one for one in records if one.get("kind") == SETTING]
    return Table(columns, tuple(body), caption, tuple(_notes(rows, settings, verdicts, families)), tuple(breaks))


def _cells(rows: Sequence[Record]) -> dict[Key, _Cell]:
    cells: dict[Key, _Cell] = {}
    failures: dict[Key, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in rows:
        given = one["arguments"]
        key = str(given["series"]).partition("/")[0], str(given["detector"])
        cell = cells.setdefault(key, _Cell())
        if one["status"] != DONE:
            cell.wanted += 1
            failures[key][f"{one['status']}: {one['reason']}"] += 1
        elif one.get("left_out"):
            cell.remarks.append(one["left_out"])
        else:
            cell.wanted += 1
            name = given["series"] if given["protocol"] in (SERIES, LEAVE_OUT) else given["protocol"]
            cell.measures[name] = {
                measure: math.nan if value is None else float(value) for measure, value in one["measures"].items()
            }
            cell.fit_s.append(float(one["cpu_s"]["fit"]))
            cell.rows_per_s.append(float(one["rows_per_s"]))
            cell.peak_mib.append(float(one["peak_mib"]))
            cell.cut += _cut(one)
            cell.remarks += [remark for remark in one["remarks"] if remark not in cell.remarks]
    for cell in cells.values():
        if cell.cut:
            cell.remarks.append(f"{cell.cut} of {len(cell.fit_s)} fits ended by their seconds")
    for key, own in failures.items():
        cells[key].remarks += [f"{count} of {cells[key].wanted} {reason}" for reason, count in own.items()]
    return cells


def _ordered(cells: Mapping[Key, _Cell], families: Sequence[str]) -> list[list[str]]:
    """Names from best to worst: judged on all families, on some of them, then anchors, then baselines."""
    groups: list[list[tuple[float, str]]] = [[], [], [], []]
    for name in dict.fromkeys(name for family, name in cells if family in families):
        means = [np.mean(own) for family in families if (own := _of(cells, family, name).of(RANKED))]
        place = 2 if name in ANCHORS else 3 if name in BASELINES else int(len(means) < len(families))
        groups[place].append((-float(np.mean(means)) if means else math.inf, name))
    return [[name for _, name in sorted(group)] for group in groups]


def _of(cells: Mapping[Key, _Cell], family: str, name: str) -> _Cell:
    return cells.get((family, name), _Cell())


def _measured(cell: _Cell) -> tuple[Value, ...]:
    """Measures of a family with intervals by series, and what they cost."""
    found: list[Value] = []
    partial = len(cell.measures) < cell.wanted
    for measure in MEASURES:
        values = cell.of(measure)
        interval = bootstrap_interval(values, level=COVERAGE)
        found.append(Measured(interval.estimate, interval.low, interval.high, partial=partial and bool(values)))
    done = len(cell.measures)
    return (*found, *_cost([cell]), str(done) if done == cell.wanted else f"{done} of {cell.wanted}")


def _means(own: Sequence[tuple[str, _Cell]], families: Sequence[str]) -> tuple[Value, ...]:
    """Means over families of the means over series; each family counts the same."""
    found: list[Value] = []
    for measure in MEASURES:
        by_family = [values for _, cell in own if (values := cell.of(measure))]
        known = sum(1 for family in families if family != "nsl_kdd" or measure in ("VUS-PR", "ROC-AUC", "F1"))
        value, low, high = _mean_of_means(by_family)
        found.append(Measured(value, low, high, partial=0 < len(by_family) < known))
    cells = [cell for _, cell in own]
    done, wanted = sum(len(cell.measures) for cell in cells), sum(cell.wanted for cell in cells)
    return (*found, *_cost(cells), str(done) if done == wanted else f"{done} of {wanted}")


def _mean_of_means(groups: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """Mean of the groups' means, with the interval of Welch and Satterthwaite from the spread inside each group.

    No interval where a group has a single value.
    """
    if not groups:
        return math.nan, math.nan, math.nan
    value = float(np.mean([np.mean(own) for own in groups]))
    if min(map(len, groups)) < 2:
        return value, math.nan, math.nan
    parts = np.array([np.var(own, ddof=1) / len(own) for own in groups])
    if not parts.any():
        return value, value, value
    freedom = parts.sum() ** 2 / sum(part**2 / (len(own) - 1) for part, own in zip(parts, groups, strict=True))
    student = float(scipy_part("special").stdtrit(freedom, (1 + COVERAGE) / 2))
    half = student * math.sqrt(parts.sum()) / len(groups)
    return value, value - half, value + half


def _cost(cells: Iterable[_Cell]) -> tuple[float, float, float]:
    """Mean CPU seconds of a fit, median of the rows scored in one, largest memory."""
    found = list(cells)
    fit_s = [one for cell in found for one in cell.fit_s]
    if not fit_s:
        return math.nan, math.nan, math.nan
    rows_per_s = [one for cell in found for one in cell.rows_per_s]
    return float(np.mean(fit_s)), float(np.median(rows_per_s)), max(one for cell in found for one in cell.peak_mib)


def _verdicts(cells: Mapping[Key, _Cell], families: Sequence[str]) -> dict[Key, str]:
    """Whether each detector beats the best anchor of each family, paired by series."""
    found: dict[Key, str] = {}
    for family in families:
        anchors = {name: values for name in ANCHORS if (values := _of(cells, family, name).of(RANKED))}
        if not anchors:
            continue
        best = max(anchors, key=lambda name: float(np.mean(anchors[name])))
        reference = cells[family, best].ranked()
        for (own, name), cell in cells.items():
            if own != family or name in PLAIN or not set(cell.measures) & set(reference):
                continue
            result = paired(cell.ranked(), reference)
            told = result.p_value < ALPHA
            found[family, name] = NO if not result.mean_difference > 0 else YES if told else PERHAPS
    return found


def _beaten(name: str, verdicts: Mapping[Key, str], families: Sequence[str]) -> str:
    """Families on which a detector beats the best anchor; in brackets where it is not told from it."""
    if not any((family, name) in verdicts for family in families):
        return ""
    clear = [family for family in families if verdicts.get((family, name)) == YES]
    perhaps = [f"({family})" for family in families if verdicts.get((family, name)) == PERHAPS]
    return ", ".join([*clear, *perhaps]) or "none"


def _cut(one: Record) -> bool:
    """Whether the seconds of a network were spent before it had learned all it would."""
    return bool(one["deep"]) and one["seconds"]["fit"] >= SPENT * one["arguments"]["budget_s"]


def _shown(name: str) -> str:
    return f"{name}{BASELINE}" if name in BASELINES else name


def _notes(
    rows: Sequence[Record], settings: Sequence[Record], verdicts: Mapping[Key, str], families: Sequence[str]
) -> Iterable[str]:
    """What was done to get these numbers, and how to read them."""
    done = [one for one in rows if one["status"] == DONE and not one.get("left_out")]
    yield (
        f"Each series: learned without labels from the first {LEARNED:.0%} of its training part (as published, else "
        f"the first 30 % of its rows), scaled by it; the alarm level for {BUDGET!r} ({CALIBRATOR}) set without labels "
        f"on the rest of that part; what follows is judged, with up to {HISTORY_ROWS:,} earlier rows to look back on. "
        "One fit, seed 0, the score alone: no levels by channel and no quality checks, which the pipeline has."
    )
    limits = {
        str(one["arguments"]["series"]).partition("/")[0]: one["arguments"]
        for one in rows
        if one["arguments"]["train_rows"] or one["arguments"]["test_rows"]
    }
    for family, own in limits.items():
        places = ("training records", "judged ones, drawn once for all")
        if family != "nsl_kdd":
            places = ("of the last training rows", "judged rows around an anomaly, drawn once for all")
        sizes = zip((own["train_rows"], own["test_rows"]), places, strict=True)
        yield f"{family}: at most {' and '.join(f'{most:,} {what}' for most, what in sizes if most)}."
    budgets = {str(one["arguments"]["series"]).partition("/")[0]: one["arguments"]["budget_s"] for one in rows}
    trained = ", ".join(f"{family} {seconds:g}" for family, seconds in budgets.items())
    yield f"Networks have their shipped settings and so many seconds for a fit: {trained}. All else is as shipped."
    if "nsl_kdd" in families:
        yield (
            f"nsl_kdd: {NORMAL_PART:.0%} of the records for training, by rows at random and by blocks; detectors "
            "without labels learn from the normal ones of them. Records have no order in time: no events, no alarms "
            "by day."
        )
    untimed = [family for family in families if family in UNTIMED]
    if untimed:
        yield f"Clock of {', '.join(untimed)}: not published; one row in {ASSUMED_S:g} s is assumed for the budget."
    yield (
        f"{ALL}: mean over the families, each counting the same. Brackets: 95 % interval by series, from 5 series on; "
        f"of {ALL} by Welch and Satterthwaite."
    )
    yield f"{MARK}: on fewer families or series than others. Lower is better: false alarms per day, fit s, peak MiB."
    yield (
        f"Beats anchors: VUS-PR above that of the anchor that is best there, paired by series (Wilcoxon, {ALPHA}); in "
        "brackets where better on the mean only and not told apart, or on too few series to tell."
    )
    deep = sorted({one["detector"] for one in done if one["deep"]})
    plain = [name for name in deep if _beaten(name, verdicts, families) == "none"]
    parts = []
    for name in plain:
        own = [_cut(one) for one in done if one["detector"] == name]
        parts.append(f"{name} ({sum(own) / len(own):.0%})")
    if parts:
        yield (
            "Deep detectors that beat the anchors on none of these data, in brackets the share of their fits that the "
            f"seconds ended, of which nothing follows for longer training: {', '.join(parts)}."
        )
    before = np.median([float(one.get("before_mib", math.nan)) for one in done]) if done else math.nan
    whose = " (some: of the process so far)" if any(one.get("peak_of") == OF_PROCESS for one in done) else ""
    yield (
        "Cost: mean CPU seconds of a fit, median of rows scored in a CPU second, one thread; largest resident memory "
        f"of a worker during a job{whose}, Python, all libraries and data included: {before:.0f} MiB of it, in the "
        "median, were there before the job."
    )
    commands = listed((str(one.get("command")) for one in settings), "commands")
    for one in settings[-1:]:
        machine, versions = one["machine"], one["versions"]
        yield (
            f"Command: {commands}; {machine['cores']} cores, {machine['cpu']}; Redshank {versions['redshank']} "
            f"({one['git']}), Python {versions['python']}, NumPy {versions['numpy']}, PyTorch {versions['torch']}; "
            f"{one['date']}."
        )
