"""The page of a search: what was found, what it is worth, and how the score goes with each setting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from redshank.core.learned import Setting
from redshank.evaluate.pages._page import ABSENT, page, versions, write_at_once
from redshank.evaluate.pages.tuning_charts import setting_chart
from redshank.evaluate.records import environment
from redshank.evaluate.tuning.log import Trial
from redshank.evaluate.tuning.result import Tuning
from redshank.evaluate.tuning.sensitivity import Sensitivity

MOST_ROWS = 100
"""Trials in the table, the best."""


def write_tuning_report(path: Path | str, found: Tuning, *, command: str | None = None) -> Path:
    """Write what a search found as one HTML file that needs no network, no script and no other file.

    Parameters
    ----------
    path : Path or str
        Where to write; the folder must exist.
    found : Tuning
        What the search found.
    command : str, optional
        As for :func:`~redshank.evaluate.records.environment`.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    made = environment(command)
    varied = found.sensitivity()
    names = [one.name for one in varied]
    ranked = sorted(found.trials, key=lambda one: -one.score if one.done else math.inf)
    text = page(
        "tuning.html",
        title=f"{found.detector} tuned on {_data(found)}",
        total=0,
        verdict=found.sentences(),
        spec=found.spec,
        tiles=_tiles(found),
        figures=[_figure(one, found) for one in varied],
        settings=[(name, _shown(found.default[name]), _shown(found.best.settings[name])) for name in names],
        columns=names,
        trials=[_row(one, names, found) for one in ranked[:MOST_ROWS]],
        hidden=max(len(ranked) - MOST_ROWS, 0),
        measure=found.measure,
        facts=_facts(found, made["command"], made["machine"], made["git"]),
        warnings=found.warnings(),
        versions=versions(),
    )
    return write_at_once(Path(path), text)


def _tiles(found: Tuning) -> list[tuple[str, str, str]]:
    first, refused = found.first, len(found.trials) - len(found.done)
    tiles = [
        ("Trials", f"{len(found.trials)}", f"{refused} refused; {found.ended}" if refused else found.ended),
        ("Best in the search", _number(found.best.score), f"{found.measure}; too good: it was chosen by these rows"),
        ("Default in the search", ABSENT if first is None else _number(first.score), "the same folds"),
    ]
    if found.judged:
        default, best = found.judged[0], found.judged[-1]
        by = f"by {found.judged_by}"
        tiles += [
            ("Best, unseen rows", _number(best.score), by),
            ("Default, unseen rows", _number(default.score), by),
        ]
    return tiles


def _figure(one: Sensitivity, found: Tuning) -> tuple[str, Markup, str]:
    """Name, figure, and how much the setting mattered."""
    drawn = setting_chart(one, found.measure, found.default, found.best)
    return one.name, Markup(drawn), _share(one.share)  # noqa: S704  our own SVG, whose texts are escaped


def _row(one: Trial, names: Sequence[str], found: Tuning) -> dict[str, object]:
    values = [value.value for value in one.values]
    marks = {found.best.number: "best"} | ({found.first.number: "default"} if found.first is not None else {})
    return {
        "number": one.number,
        "mark": marks.get(one.number, ""),
        "settings": [_shown(one.settings[name]) for name in names],
        "score": _number(one.score),
        "folds": f"{_number(min(values))} to {_number(max(values))}" if len(values) > 1 and one.done else "",
        "seconds": f"{one.seconds:.1f}",
        "note": one.reason or ("training cut short" if one.cut_short else ""),
    }


def _facts(found: Tuning, command: object, machine: Mapping[str, object], git: object) -> dict[str, str]:
    study = found.study
    data = study["data"]
    rows = [f"{one['name']}: {one['rows']:,} rows, {one['role']}" for one in data] if isinstance(data, list) else []
    earlier = f"; {found.resumed} trials from an earlier run" if found.resumed else ""
    tried = "; ".join(f"{name} = {text}" for name, text in found.space.items())
    return {
        "Data": " · ".join(rows),
        "Folds": f"{study['protocol']}, {len(found.best.values)} judged",
        "Judged by": f"{found.measure}, by {study['searched by']}",
        "Search": f"{found.searched_with}, seed {study['seed']}{earlier}",
        "Tried": tried,
        "Calibrator, budget": f"{study['calibrator']}, {study['budget']}",
        "Machine": f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}",
        "Code": str(git) or ABSENT,
        "Command": str(command),
    }


def _data(found: Tuning) -> str:
    data = found.study["data"]
    names = [one["name"] for one in data if one["role"] == "searched"] if isinstance(data, list) else []
    return names[0] if len(names) == 1 else f"{len(names)} data sets"


def _share(share: float) -> str:
    if not math.isfinite(share):
        return "Too few trials to say how much it matters."
    return f"{share:.0%} of the variance of the scores lies between its values."


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else ABSENT


def _shown(value: Setting) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
