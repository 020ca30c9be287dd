"""Which column is what, judged by names and by a look at the cells. Needs polars."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from redshank.core import InputError
from redshank.data import times
from redshank.data.cells import present
from redshank.data.options import Options, pick
from redshank.data.table import Table

TIME_NAMES = (
    *("timestamp", "datetime", "time", "ts", "eventtime", "date", "datumzeit", "zeitstempel", "unixtime", "epoch"),
    *("utc", "ds", "zeit", "datum", "t"),
)
DEVICE_NAMES = (
    *("device", "deviceid", "devicename", "deveui", "machine", "machineid", "unit", "unitid", "unitnumber", "asset"),
    *("assetid", "host", "hostname", "server", "station", "stationid", "node", "nodeid", "mote", "moteid", "engine"),
    *("engineid", "well", "equipment", "equipmentid", "source", "mac", "macaddress", "entity", "entityid", "sensor"),
    *("sensorid", "sensorname", "name", "id", "tag", "location", "room", "site"),
)
METRIC_NAMES = (
    *("metric", "metricname", "measurement", "channel", "variable", "parameter", "quantity", "field", "signal"),
    *("property", "attribute", "sensortype", "sensor", "sensorname", "type", "tag", "key", "name"),
)
VALUE_NAMES = ("value", "reading", "val", "measurement", "measuredvalue", "v", "result")
COUNTER_NAMES = (
    *("idx", "index", "row", "rowid", "rownumber", "rowno", "no", "nr", "n", "id", "seq", "sequence", "sequenceid"),
    *("record", "recordid", "entryid", "unnamed0", "sample", "sampleid"),
)
LABEL_WORDS = frozenset(
    (
        *("label", "labels", "anomaly", "anomalies", "anomalous", "abnormal", "normal", "attack", "attacks", "att"),
        *(
            "class",
            "changepoint",
            "changepoints",
            "event",
            "events",
            "target",
            "outlier",
            "outliers",
            "fault",
            "faulty",
        ),
        *("failure", "groundtruth", "malicious", "intrusion"),
    )
)
_LABEL_FRAME = frozenset(("is", "has", "flag", "id", "type", "cat", "category", "name", "binary", "num", "score", "gt"))
"""Words that may stand around a label word: ``is_anomaly``, ``ATT_FLAG``, ``attack_cat``."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Names of the columns that are no channels, and the rest, which may be channels."""

    time: str | None
    clock: str | None
    device: str | None
    metric: str | None
    unit: str | None
    value: str | None
    label: str | None
    rest: tuple[str, ...]
    notes: tuple[str, ...]


def assign(table: Table, options: Options) -> Roles:
    """Give each column its part; ``options`` overrule.

    Raises
    ------
    InputError
        If an option names a column that is not there, or two options name the same.
    """
    asked, ignored = _asked(table, options)
    free = [name for name in table.columns.columns if name not in asked.values() and name not in ignored]
    notes = [f"column {name!r} is left out as asked" for name in ignored]
    notes += [f"column {name!r} looks like a label: left out" for name in free if looks_like_label(name)]
    free = [name for name in free if not looks_like_label(name)]

    time = asked.get("time") or _find_time(table, free)
    clock = _find_clock(table, time, free)
    if clock is not None:
        notes.append(f"columns {time!r} and {clock!r} together are the time")
    free = [name for name in free if name not in (time, clock)]
    device = asked.get("device") or _find_device(table, free, time)
    free = [name for name in free if name != device]

    value = asked.get("value")
    metric = asked.get("metric") or _find_metric(table, free, value)
    if metric is None:
        if value is not None:
            notes += [f"column {name!r} is left out: only {value!r} was asked for" for name in free]
            free = [value]
        return Roles(time, clock, device, None, None, value, asked.get("label"), tuple(free), tuple(notes))
    free = [name for name in free if name != metric]
    value = value or _find_value(table, free)
    if value is None:
        raise InputError(
            f"{table.source}: column {metric!r} names the metrics, but no single column holds their values; "
            "name it as value"
        )
    unit = next((name for name in free if key(name) in ("unit", "units") and _is_text(table, name)), None)
    left = [name for name in free if name not in (value, unit)]
    notes += [f"column {name!r} is left out: long form has one column of values" for name in left]
    return Roles(time, clock, device, metric, unit, value, asked.get("label"), (), tuple(notes))


def _asked(table: Table, options: Options) -> tuple[dict[str, str], list[str]]:
    """Columns that options name, by option, and those to leave out."""
    names = table.columns.columns
    asked = {
        option: pick(column, names, option, table.source)
        for option in ("time", "device", "metric", "value", "label")
        if (column := getattr(options, option)) is not None
    }
    ignored = [pick(column, names, "ignore", table.source) for column in options.ignore]
    taken = [*asked.items(), *(("ignore", column) for column in ignored)]
    for i, (option, column) in enumerate(taken):
        for other, again in taken[:i]:
            if column == again and option != other:
                raise InputError(f"{table.source}: column {column!r} is given as {other} and as {option}; choose one")
    return asked, ignored


def key(name: str) -> str:
    """A name in lower case with letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def looks_like_label(name: str) -> bool:
    """Whether a column's name says that it tells what is anomalous."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    words = [word for word in re.split(r"[^a-z]+", spaced.lower()) if word]
    core = [word for word in words if word not in _LABEL_FRAME]
    return "".join(core) in LABEL_WORDS or (bool(core) and all(word in LABEL_WORDS for word in core))


def is_counter(table: Table, name: str, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    """Whether a column only numbers the rows."""
    called = key(name) in COUNTER_NAMES or name in table.unnamed
    return called and len(values) > 1 and bool((np.diff(values) == 1).all())


def _is_text(table: Table, name: str) -> bool:
    return table.columns[name].dtype in (pl.String, pl.Categorical, pl.Enum)


def _rank(name: str, names: tuple[str, ...]) -> int:
    return names.index(key(name)) if key(name) in names else len(names)


def _find_time(table: Table, free: list[str]) -> str | None:
    """Columns of date and time first, then dates alone, then numbers since 1970, then rising numbers called time."""
    ranked: list[tuple[int, int, int, str]] = []
    for position, name in enumerate(free):
        column = table.columns[name]
        sort = 9
        if isinstance(column.dtype, pl.Datetime | pl.Date):
            sort = 0 if isinstance(column.dtype, pl.Datetime) else 1
        elif _is_text(table, name) and not _sample_is_numeric(column):
            sort = (0 if times.has_clock(column) else 1) if times.is_time_text(column) else 9
        else:
            sort = _numeric_time(column, name)
        if sort < 9:
            ranked.append((sort, _rank(name, TIME_NAMES), position, name))
    return min(ranked)[3] if ranked else None


def _find_clock(table: Table, time: str | None, free: list[str]) -> str | None:
    """The column with the time of day, where that of the time holds dates alone."""
    if time is None or not times.is_time_text(table.columns[time]) or times.has_clock(table.columns[time]):
        return None
    return next((name for name in free if name != time and times.is_clock_text(table.columns[name])), None)


def _sample_is_numeric(column: pl.Series) -> bool:
    cells = present(column[:200]).drop_nulls()
    return not len(cells) or not cells.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False).null_count()


def _numeric_time(column: pl.Series, name: str) -> int:
    words = set(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()))
    exact = key(re.sub(r"[_\s(\[]*(s|ms|us|ns|sec|seconds)[)\]]?$", "", name)) in TIME_NAMES or key(name) in TIME_NAMES
    if not (exact or words & set(TIME_NAMES)) or not (column.dtype.is_numeric() or column.dtype == pl.String):
        return 9
    text = column.cast(pl.String) if not column.dtype.is_numeric() else column
    values = text.cast(pl.Float64, strict=False).drop_nulls().drop_nans().to_numpy()
    if len(values) < 0.9 * len(column) or not len(values):
        return 9
    if times.epoch_unit(values) is not None:
        return 2
    by_date = len(str(int(abs(values[0])))) == len("20200131") and times.is_time_text(column)
    rising = key(name) != "t" and bool((np.diff(values) >= 0).mean() > 0.9 if len(values) > 1 else True)
    return 1 if by_date else 3 if exact and rising else 9


def _find_device(table: Table, free: list[str], time: str | None) -> str | None:
    rows = table.columns.height
    ranked = []
    for position, name in enumerate(free):
        column = table.columns[name]
        if key(name) not in DEVICE_NAMES or not (_is_text(table, name) or column.dtype.is_integer()):
            continue
        cells = present(column).drop_nulls()
        if not len(cells) or cells.n_unique() > max(1, rows // 2):
            continue
        if cells.cast(pl.Float64, strict=False).is_not_null().any() and not _numbers_name_devices(table, name, time):
            continue
        ranked.append((_rank(name, DEVICE_NAMES), position, name))
    return min(ranked)[2] if ranked else None


def _numbers_name_devices(table: Table, name: str, time: str | None) -> bool:
    """Whole numbers are names where the column says so, or where rows cannot be told apart without them."""
    cells = present(table.columns[name]).drop_nulls()
    if not cells.str.contains(r"^\d+$").all():
        return False
    if key(name).endswith(("id", "number")):
        return True
    if time is not None:
        return table.columns[time].n_unique() < table.columns.height
    return cells.cast(pl.Int64, strict=False).is_sorted()


def _find_metric(table: Table, free: list[str], value: str | None) -> str | None:
    if value is None and _find_value(table, free) is None:
        return None
    rows = table.columns.height
    ranked = []
    for position, name in enumerate(free):
        if key(name) not in METRIC_NAMES or not _is_text(table, name):
            continue
        cells = present(table.columns[name]).drop_nulls()
        words = cells.cast(pl.Float64, strict=False).null_count()
        if words == len(cells) > 0 and cells.n_unique() <= max(1, rows // 2):
            ranked.append((_rank(name, METRIC_NAMES), position, name))
    return min(ranked)[2] if ranked else None


def _find_value(table: Table, free: list[str]) -> str | None:
    numeric = [name for name in free if _holds_numbers(table.columns[name])]
    named = [name for name in numeric if key(name) in VALUE_NAMES]
    if named:
        return min(named, key=lambda name: _rank(name, VALUE_NAMES))
    return numeric[0] if len(numeric) == 1 else None


def _holds_numbers(column: pl.Series) -> bool:
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return True
    if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return False
    cells = present(column[:1000]).drop_nulls()
    plain = cells.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    return len(cells) > 0 and plain.null_count() <= 0.1 * len(cells)
