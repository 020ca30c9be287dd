"""Which rows are learned from and which are judged: the ways to split that are in use, and what is wrong with them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from redshank.core import Frame, InputError, Label, SettingError, label_rows
from redshank.data import Dataset, split_time
from redshank.evaluate.metrics._inputs import whole
from redshank.training import GAP_INTERVALS

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

SHARE = 0.3
"""First part of each device's rows that is learned from, where nothing is published: as ``redshank scan`` does."""
FOLDS = 5
"""Folds where nothing else is said: the usual number; more cost more and overlap more."""
PURGE_ROWS = 100
"""Rows on each side of a test block that are not learned from: the usual largest buffer of VUS, so that no training
row lies inside the buffer of a judged event, and more than the rows over which readings of a minute resemble each
other without a rhythm. Detectors that look farther back are cut off at the gap itself."""
MOST_CAPTURES = 50
"""Captures above which gaps were lost readings rather than borders between recordings."""
LEARNED_EARLIER = "learned earlier"
"""Protocol of what a saved model judges: it has no training rows here."""
LEAVE_ATTACK_OUT, RANDOM_FOLDS = "leave one attack out", "random k-fold"
"""Protocols whose known anomalies are not all judged wherever they have a judged row."""
INDEPENDENT = 0.9
"""Neighbouring rows that differ by at least this part of what rows at random differ count as unrelated."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """One division of a data set's rows.

    Parameters
    ----------
    protocol : str
        Name in :data:`PROTOCOLS`, or :data:`LEARNED_EARLIER`.
    fold, folds : int
        Number of this division, from 0, and how many the protocol makes.
    train, test : bool ndarray of shape (n,)
        Rows learned from, and rows judged; no row is both.
    purged : int
        Rows that are neither.
    left_out : str
        The device, capture or cause that is judged and was not learned; empty where the split goes by time.
    leaks : str
        What a judged row gives away beforehand; empty where nothing is known of.

    Raises
    ------
    InputError
        If a part is empty, a row is in both, or the numbers do not fit.
    """

    protocol: str
    fold: int
    folds: int
    train: Mask
    test: Mask
    purged: int
    left_out: str = ""
    leaks: str = ""

    def __post_init__(self) -> None:
        for part, mask in (("learn from", self.train), ("judge", self.test)):
            if not mask.any() and not (part == "learn from" and self.protocol == LEARNED_EARLIER):
                raise InputError(f"{self}: there is no row to {part}; give more rows, or fewer folds")
        if self.train.shape != self.test.shape or (self.train & self.test).any():
            raise InputError(f"{self}: a row is both learned from and judged; the parts must be apart")

    def __str__(self) -> str:
        fold = f", fold {self.fold + 1} of {self.folds}" if self.folds > 1 else ""
        return f"{self.protocol}{fold}{f' ({self.left_out})' if self.left_out else ''}"


def published(dataset: Dataset) -> list[Split]:
    """The division that was published with the data, taken as it is, anomalous training rows included.

    Raises
    ------
    InputError
        If none was published.
    """
    if dataset.train is None:
        raise InputError(
            f"{dataset.name}: no division into training and test rows was published; choose another protocol"
        )
    return [_split("published", 0, 1, dataset.train.astype(np.bool_), ~dataset.train.astype(np.bool_))]


def hold_out(dataset: Dataset, *, share: float = SHARE) -> list[Split]:
    """Learn from the first ``share`` of each device's rows in time order, judge the others.

    Raises
    ------
    SettingError
        If ``share`` is not between 0 and 1.
    """
    train, test = split_time(dataset.frame, share)
    return [_split("chronological hold-out", 0, 1, train, test)]


def rolling_origin(dataset: Dataset, *, folds: int = FOLDS, first: float = SHARE) -> list[Split]:
    """Learn from everything up to a moment, judge the block behind it, then move on: the window grows.

    The rows of each device behind its ``first`` part are cut into ``folds`` blocks of equal numbers of rows. Every
    device has its own moments: time order holds within devices.

    Raises
    ------
    SettingError
        If ``folds`` is below 1 or no whole number, or ``first`` not between 0 and 1.
    InputError
        If there are too few rows.
    """
    folds = whole("rolling_origin", "folds", folds, low=1)
    start, _ = split_time(dataset.frame, first)
    block = np.full(len(dataset), -1)
    for rows in dataset.frame.series():
        rest = rows[int(start[rows].sum()) :]
        block[rest] = np.arange(len(rest)) * folds // max(len(rest), 1)
    return [_split("rolling origin", k, folds, block < k, block == k) for k in range(folds)]


def blocked(dataset: Dataset, *, folds: int = FOLDS, purge_rows: int = PURGE_ROWS) -> list[Split]:
    """Each device's rows in time order in ``folds`` blocks; judge one, learn from the others, earlier and later.

    Rows of the same device within ``purge_rows`` of the judged block, on both sides, are not learned from. Later rows
    are: this asks how well a detector knows the plant, not how it would have done at the time.

    Raises
    ------
    SettingError
        If ``folds`` is below 2 or ``purge_rows`` negative, or one is no whole number.
    InputError
        If no training rows are left.
    """
    folds = whole("blocked", "folds", folds, low=2)
    purge_rows = whole("blocked", "purge_rows", purge_rows, low=0)
    block, place = np.empty(len(dataset), np.intp), np.empty(len(dataset), np.intp)
    for rows in dataset.frame.series():
        block[rows] = np.arange(len(rows)) * folds // max(len(rows), 1)
        place[rows] = np.arange(len(rows))
    splits = []
    for k in range(folds):
        test = block == k
        train = ~test
        for rows in dataset.frame.series():
            own = place[rows[test[rows]]]
            if len(own):
                near = (place[rows] >= own[0] - purge_rows) & (place[rows] <= own[-1] + purge_rows)
                train[rows[near]] = False
        splits.append(_split("blocked k-fold", k, folds, train, test))
    return splits


def leave_one_device_out(dataset: Dataset) -> list[Split]:
    """Judge one device after the other by what the others taught: how well a new device is served.

    Raises
    ------
    InputError
        If there is one device only.
    """
    frame = dataset.frame
    present = np.unique(frame.device)
    if len(present) < 2:
        raise InputError(f"{dataset.name}: holds one device only; leave one device out needs two or more")
    return [
        _split(
            "leave one device out",
            k,
            len(present),
            frame.device != device,
            frame.device == device,
            left_out=frame.devices[device],
        )
        for k, device in enumerate(present)
    ]


def leave_one_capture_out(dataset: Dataset, *, groups: npt.ArrayLike | None = None) -> list[Split]:
    """Judge one recording after the other by what the others taught, whichever of them came first.

    Parameters
    ----------
    dataset : Dataset
        All rows.
    groups : array of shape (n,), optional
        The recording that each row belongs to, such as its file. Without it, a device's recordings are the stretches
        of its rows between gaps of more than ten of its long steps: so a fleet without gaps has one for each device.

    Raises
    ------
    InputError
        If there is one recording only, ``groups`` does not fit, or gaps make more than 50 recordings.
    """
    named = captures(dataset.frame) if groups is None else np.asarray(groups)
    if named.shape != (len(dataset),):
        raise InputError(
            f"leave_one_capture_out: groups have shape {named.shape}; wanted one for each of {len(dataset)} rows"
        )
    names, place = np.unique(named, return_inverse=True)
    if len(names) < 2:
        raise InputError(f"{dataset.name}: one recording only; leave one capture out needs two or more, give groups")
    if groups is None and len(names) > MOST_CAPTURES:
        raise InputError(
            f"{dataset.name}: gaps cut the rows into {len(names)} recordings, more than {MOST_CAPTURES}; "
            "say with groups which rows belong together"
        )
    return [
        _split("leave one capture out", k, len(names), place != k, place == k, left_out=str(name))
        for k, name in enumerate(names)
    ]


def captures(frame: Frame) -> npt.NDArray[np.str_]:
    """The recording of each row by its device's gaps, shape (n,): ``"pump-3"``, or ``"pump-3 #2"`` where it has more.

    A gap is a step of more than ten times the device's 99 % longest step: the rule by which the pipeline begins a
    series anew.
    """
    named = np.full(len(frame), "", dtype=object)
    for device, rows in zip(frame.devices, frame.series(), strict=True):
        steps = np.diff(frame.time_ns[rows])
        longest = GAP_INTERVALS * max(float(np.quantile(steps, 0.99)) if len(steps) else 0.0, frame.interval_s() * 1e9)
        number = np.concatenate([[0], np.cumsum(steps > longest)])[: len(rows)]
        several = len(number) > 0 and number[-1] > 0
        named[rows] = [f"{device} #{one + 1}" if several else device for one in number]
    return named.astype(np.str_)


def leave_one_attack_out(dataset: Dataset, *, share: float = SHARE, labelled: bool = False) -> list[Split]:
    """Judge one cause after the other among normal rows, learned without ever having seen it.

    Learned from are normal rows of the published training part, else of the first ``share`` of each device; judged
    are the normal rows and those of the one cause behind it. Rows of other causes behind it are neither, and an
    incident on one of them counts neither way. A cause is the label's cause, or its kind where none is given; causes
    without a row in the judged part (silence leaves none) cannot be left out and make no fold.

    Parameters
    ----------
    dataset : Dataset
        With labels.
    share : float, default=0.3
        First part of each device's rows, where no training part was published.
    labelled : bool, default=False
        For a detector that learns from labels: rows of the other causes in the training part are learned from as well.

    Raises
    ------
    InputError
        If no cause has a row in the judged part.
    SettingError
        If ``share`` is not between 0 and 1.
    """
    early = split_time(dataset.frame, share)[0] if dataset.train is None else dataset.train.astype(np.bool_)
    marked = {cause: label_rows(own, dataset.frame) == 1 for cause, own in _by_cause(dataset.labels).items()}
    odd = np.zeros(len(dataset), np.bool_) if dataset.y is None else dataset.y == 1
    odd = np.logical_or.reduce([odd, *marked.values()])
    causes = [cause for cause, own in marked.items() if (own & ~early).any()]
    if not causes:
        raise InputError(
            f"{dataset.name}: no known anomaly has a row in the judged part; leave one attack out needs labels there"
        )
    splits = []
    for k, cause in enumerate(causes):
        train = early & ~odd
        if labelled:
            train |= early & np.logical_or.reduce([own for name, own in marked.items() if name != cause], initial=False)
            train &= ~marked[cause]
        test = ~early & (marked[cause] | ~odd)
        splits.append(_split(LEAVE_ATTACK_OUT, k, len(causes), train, test, left_out=cause))
    return splits


def random_folds(dataset: Dataset, *, folds: int = FOLDS, seed: int = 0) -> list[Split]:
    """Rows dealt to ``folds`` at random, as papers do that report 99 %; marked where it leaks.

    Where neighbouring rows resemble each other, each judged row lies between two training rows that nearly equal it,
    and an event is judged whose other half was learned. Series are torn apart as well: gaps of the judged rows are
    made by the split, so incidents and rates say little. A known anomaly is asked for in one fold only, that of its
    first row, and a fold has its share of the time.

    Raises
    ------
    SettingError
        If ``folds`` is below 2 or ``seed`` below 0, or one is no whole number.
    """
    folds, seed = whole("random_folds", "folds", folds, low=2), whole("random_folds", "seed", seed, low=0)
    fold = np.random.default_rng(seed).permutation(np.arange(len(dataset)) % folds)
    likeness = _neighbour_ratio(dataset)
    leaks = ""
    if likeness < INDEPENDENT:
        leaks = (
            f"leaks neighbours: rows that follow each other differ by {likeness:.1%} of what rows at random differ, "
            "and lie on both sides of the split"
        )
    return [_split(RANDOM_FOLDS, k, folds, fold != k, fold == k, leaks=leaks) for k in range(folds)]


PROTOCOLS: Mapping[str, Callable[..., list[Split]]] = {
    "published": published,
    "chronological hold-out": hold_out,
    "rolling origin": rolling_origin,
    "blocked k-fold": blocked,
    "leave one device out": leave_one_device_out,
    "leave one capture out": leave_one_capture_out,
    LEAVE_ATTACK_OUT: leave_one_attack_out,
    RANDOM_FOLDS: random_folds,
}
"""Every protocol by the name that stands in records; each takes a data set and keywords of its own."""


def protocol_of(name: str) -> Callable[..., list[Split]]:
    """The protocol of that name; case and hyphens do not matter, so ``leave-one-device-out`` will do.

    Raises
    ------
    SettingError
        If there is none; the nearest is offered.
    """
    spelled = {_spelled(known): known for known in PROTOCOLS}
    if _spelled(name) not in spelled:
        near = difflib.get_close_matches(_spelled(name), spelled, n=1)
        hint = f"did you mean {spelled[near[0]]!r}?" if near else f"there are: {', '.join(PROTOCOLS)}"
        raise SettingError(f"no protocol is called {name!r}; {hint}")
    return PROTOCOLS[spelled[_spelled(name)]]


def splits_of(dataset: Dataset, protocol: str | None = None, *, labelled: bool = False) -> list[Split]:
    """Divisions by a protocol; without a name the published one, else the chronological hold-out.

    ``labelled`` is for a detector that learns from labels; see :func:`leave_one_attack_out`.
    """
    divide = protocol_of(protocol or ("chronological hold-out" if dataset.train is None else "published"))
    return divide(dataset, labelled=True) if labelled and divide is leave_one_attack_out else divide(dataset)


def _split(
    protocol: str, fold: int, folds: int, train: Mask, test: Mask, *, left_out: str = "", leaks: str = ""
) -> Split:
    purged = int((~train & ~test).sum())
    return Split(protocol, fold, folds, train, test, purged, left_out, leaks)


def _by_cause(labels: tuple[Label, ...]) -> dict[str, list[Label]]:
    causes: dict[str, list[Label]] = {}
    for label in labels:
        causes.setdefault(label.cause or str(label.kind), []).append(label)
    return dict(sorted(causes.items()))


def _neighbour_ratio(dataset: Dataset) -> float:
    """Least over channels and labels: mean squared step between neighbours over that between rows at random.

    About 1 for unrelated rows and 0 for slow series (half the ratio of J. von Neumann, Annals of Mathematical
    Statistics 12(4), 1941); rows at random are of the same device.
    """
    values = dataset.frame.values.astype(np.float64)
    if dataset.y is not None:
        values = np.column_stack([values, dataset.y])
    steps, spread = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for rows in dataset.frame.series():
        own = values[rows]
        known = ~np.isnan(own)
        count = np.maximum(known.sum(axis=0), 1)
        centred = own - np.where(known, own, 0.0).sum(axis=0) / count
        both = (known[1:] & known[:-1]).sum(axis=0)
        steps += np.nansum(np.square(np.diff(own, axis=0)), axis=0) * count / np.maximum(both, 1)
        spread += 2.0 * np.nansum(np.square(centred), axis=0)
    varies = spread > 0
    return float((steps[varies] / spread[varies]).min()) if varies.any() else 0.0


def _spelled(name: str) -> str:
    return " ".join(name.lower().replace("-", " ").replace("_", " ").split())
