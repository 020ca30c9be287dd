"""Contract checks that every detector must pass, and small data sets to try one on.

    from redshank.testing import check_detector
    skipped = check_detector(lambda: MyDetector(window=8))

Each ``check_*`` takes ``make``, a function without arguments that gives a new, unfitted detector with the settings
to try, and raises :class:`~redshank.core.ContractError` where the contract is broken. Detectors that learn from labels
get training rows in which anomalies of two kinds are planted, see :func:`planted`; classifiers have checks of their own
besides.
"""

from __future__ import annotations

import inspect
import json
import random
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from redshank.core import (
    LARGEST,
    Classifier,
    ContractError,
    Detector,
    InputError,
    NotFittedError,
    RedshankError,
    SettingError,
)
from redshank.core.classifier import ANOMALY, NORMAL, SUREST
from redshank.core.contracts import Array

Make = Callable[[], Detector]
Rows = Array | list[Array]
Names = npt.NDArray[np.str_]

RTOL = 1e-5
"""Relative difference that two scores of one row may have (law 2: one score everywhere)."""

CHANNELS = 3

ALL_UP, ONE_UP = "all up", "one up"
"""Kinds that :func:`planted` plants: every channel stands far above its usual range, or the second alone does."""

NEAREST, FARTHEST = 8.0, 400.0
"""How far above the usual range they stand, in units of the rows, most of them nearer than 60; the checks look for 20,
30 and beyond. Normal rows move by 2 to 5."""


def normal_series(seed: int = 0, rows: int = 400) -> Array:
    """Rows of three channels that belong together: two cycles of 24 and 60 rows, their mix, and a little noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(rows) + rng.integers(0, 120)
    day, week = np.sin(2 * np.pi * t / 24), np.sin(2 * np.pi * t / 60)
    clean = np.column_stack([20 + 2 * day, 5 + week, 1 + 0.5 * day - 0.3 * week])
    return clean + 0.05 * rng.standard_normal(clean.shape)


def odd_series(seed: int = 0, rows: int = 400) -> tuple[Array, npt.NDArray[np.int8]]:
    """A normal series in which a spike, a lost correlation and a level shift are planted, and its labels.

    One spike at five eighths of the series in channel 1; channel 2 runs on its own for the sixteenth before three
    quarters; channel 0 stands 3 units higher in the last sixteenth.
    """
    X = normal_series(seed, rows)
    y = np.zeros(rows, np.int8)
    spike, lost, shift = rows * 5 // 8, slice(rows * 11 // 16, rows * 3 // 4), slice(rows * 15 // 16, rows)
    X[spike, 1] += 6.0
    X[lost, 2] = 2.0 - X[lost, 2]
    X[shift, 0] += 3.0
    for place in (spike, lost, shift):
        y[place] = 1
    return X, y


def planted(rows: Array) -> tuple[Array, Names]:
    """Normal rows with anomalies of two kinds planted in turn, and the name of each row, to learn from labels.

    Of every 20 rows the last 4 are anomalous, each kind in every other run: all channels up alike, or the second
    channel alone. Sizes go from :data:`NEAREST` to :data:`FARTHEST` and back with the golden ratio, so that those of
    any stretch of rows are spread.
    """
    X = np.array(rows, dtype=np.float64)
    names = np.full(len(X), NORMAL, dtype="<U8")
    place = np.arange(len(X))
    odd, first = place % 20 >= 16, place // 20 % 2 == 0
    share = place * (np.sqrt(5.0) - 1.0) / 2.0 % 1.0
    sizes = NEAREST * (FARTHEST / NEAREST) ** (share * share)
    all_up, one_up = odd & first, odd & ~first
    X[all_up] += sizes[all_up, None]
    X[one_up, 1] += sizes[one_up]
    names[all_up], names[one_up] = ALL_UP, ONE_UP
    return X, names


def labelled_series(seed: int = 0, rows: int = 400) -> tuple[Array, Names]:
    """:func:`normal_series` with two kinds of anomaly :func:`planted`, and the name of each row."""
    return planted(normal_series(seed, rows))


def training_rows(detector: Detector, rows: Rows) -> tuple[Rows, Names | list[Names] | None]:
    """What a check fits ``detector`` with: the rows as they are, or, where it needs labels, :func:`planted` ones."""
    if not detector.tags.needs_labels:
        return rows, None
    if isinstance(rows, list):
        both = [planted(one) for one in rows]
        return [X for X, _ in both], [y for _, y in both]
    return planted(rows)


def fitted(detector: Detector, rows: Rows | None = None) -> Detector:
    """``detector``, fitted with the :func:`training_rows` of ``rows``, by default of :func:`normal_series`."""
    X, y = training_rows(detector, normal_series() if rows is None else rows)
    return detector.fit(X, y)


def check_settings_round_trip(make: Make) -> None:
    """``settings`` goes through JSON and makes an equal detector; ``fit`` leaves it alone."""
    detector = make()
    before = detector.settings()
    read = {name: tuple(v) if isinstance(v, list) else v for name, v in json.loads(json.dumps(before)).items()}
    _require(read == before, detector, f"settings {before} come back from JSON as {read}")
    clone = type(detector)(**read)
    _require(clone.settings() == before, detector, f"a clone has settings {clone.settings()}, not {before}")
    fitted(detector)
    _require(detector.settings() == before, detector, "fit changed the settings")
    _same(fitted(clone).score_samples(normal_series(1)), detector.score_samples(normal_series(1)), detector)


def check_settings_refused(make: Make) -> None:
    """A setting that is a whole number by default is taken as given, and refused by ``fit`` where it is none.

    Half a number more, text and a truth value are tried, of each by itself.
    """
    detector = make()
    X, labels = training_rows(detector, normal_series())
    for name, parameter in inspect.signature(type(detector)).parameters.items():
        usual = parameter.default
        if not isinstance(usual, int) or isinstance(usual, bool):
            continue
        for wrong in (usual + 0.5, "many", True):
            what = f"{name}={wrong!r}"
            try:
                other = type(detector)(**{**detector.settings(), name: wrong})
            except (RedshankError, TypeError, ValueError) as error:
                raise ContractError(f"{type(detector).__name__}: {what} is refused before fit: {error}") from error
            _refused(other, SettingError, f"{what} in fit", other.fit, X, labels)


def check_fit_returns_self_and_forgets(make: Make) -> None:
    """A second ``fit`` gives what a first would have: nothing of the earlier rows is left."""
    detector = make()
    _require(fitted(detector, 3.0 * normal_series(1)[:, :2]) is detector, detector, "fit did not return self")
    fitted(detector)
    fresh = fitted(make())
    _require(detector.state().keys() == fresh.state().keys(), detector, "a second fit left state of the first")
    _same(detector.score_samples(normal_series(2)), fresh.score_samples(normal_series(2)), detector)


def check_same_seed_same_scores(make: Make) -> None:
    """Two fits agree, whatever the global random numbers were, and leave those as they were."""
    first = fitted(make()).score_samples(normal_series(1))
    kept = random.getstate(), np.random.get_state()  # noqa: NPY002 - it is the global state that must stay
    random.seed(99)
    np.random.seed(99)  # noqa: NPY002
    drawn = np.random.get_state()[2]  # type: ignore[index]  # noqa: NPY002
    try:
        detector = fitted(make())
        second = detector.score_samples(normal_series(1))
        _require(np.random.get_state()[2] == drawn, detector, "numpy's global random numbers were used")  # type: ignore[index]  # noqa: NPY002
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])  # noqa: NPY002
    _same(first, second, detector)


def check_pure(make: Make) -> None:
    """Scoring and explaining leave the rows and the detector as they were; a second call gives the same."""
    detector = make()
    (training, labels), X = training_rows(detector, normal_series()), odd_series(1)[0]
    kept = np.array(training), X.copy(), _texts(labels)
    detector.fit(training, labels)
    before = {name: np.array(value) for name, value in detector.state().items()}
    first = detector.score_samples(X)
    detector.contributions(X)
    detector.expected(X)
    detector.score_samples(100.0 * X)
    second = detector.score_samples(X)
    written = not np.array_equal(np.asarray(training), kept[0]) or not np.array_equal(X, kept[1])
    _require(not written, detector, "the rows given were written to")
    _require(_texts(labels) == kept[2], detector, "the labels given were written to")
    after = detector.state()
    changed = [name for name in before | after if not _equal_arrays(before.get(name), after.get(name))]
    _require(not changed, detector, f"scoring changed the state: {', '.join(changed)}")
    _require(np.array_equal(first, second), detector, "a second call gave other scores")


def check_row_alone_equals_row_in_batch(make: Make) -> None:
    """A row has the same score alone, in a batch and in any order; of a sequence, alone with the rows before it."""
    detector = fitted(make())
    X, _ = odd_series(1, 48)
    together = detector.score_samples(X)
    if detector.tags.sequence:
        if detector.tags.causal:  # one reading at a time, as in service; a sample of them, for the time it takes
            ends = [1, 2, 3, *range(7, len(X) + 1, 8)]
            _same(
                np.array([detector.score_samples(X[:end])[-1] for end in ends]), together[np.array(ends) - 1], detector
            )
        return
    _same(np.concatenate([detector.score_samples(X[i : i + 1]) for i in range(len(X))]), together, detector)
    _same(detector.score_samples(X[::-1])[::-1], together, detector)


def check_causal_prefix(make: Make) -> None:
    """Law 1: the score of a row is the same whatever follows it."""
    detector = fitted(make())
    X, _ = odd_series(1)
    whole = detector.score_samples(X)
    for end in (len(X) // 3, len(X) // 2 + 7, len(X) - 1):
        _same(detector.score_samples(X[:end]), whole[:end], detector)
        other = X.copy()
        other[end:] = 50.0 - 3.0 * other[end:]
        _same(detector.score_samples(other)[:end], whole[:end], detector)


def check_series_do_not_mix(make: Make) -> None:
    """Series of a list are scored as if each were alone; their order, in ``fit`` too, does not matter to the others."""
    detector = fitted(make(), [normal_series(), normal_series(1)])
    series = [odd_series(2)[0], normal_series(3, 90), normal_series(4, 1), normal_series(5, 250)]
    alone = [detector.score_samples(one) for one in series]
    _same(detector.score_samples(series), np.concatenate(alone), detector)
    _same(detector.score_samples(series[::-1]), np.concatenate(alone[::-1]), detector)
    ready = [detector.ready(one) for one in series]
    _require(np.array_equal(detector.ready(series), np.concatenate(ready)), detector, "ready differs in a list")


def check_outlier_stands_out(make: Make) -> None:
    """A row far outside in every channel scores above 99 % of normal rows; a farther one not lower."""
    detector = fitted(make())
    normal = normal_series(1)
    usual = np.quantile(detector.score_samples(normal)[detector.ready(normal)], 0.99)
    found = []
    for size in (30.0, 3000.0):
        X = normal.copy()
        X[-5] += size
        found.append(detector.score_samples(X)[-5])
    _require(
        bool(found[0] > usual), detector, f"an outlier scores {found[0]:g}, 99 % of normal rows score below {usual:g}"
    )
    _require(
        found[1] >= found[0] * (1 - RTOL), detector, f"a farther outlier scores lower: {found[1]:g} < {found[0]:g}"
    )


def check_unfitted(make: Make) -> None:
    """Before ``fit`` every result is refused with NotFittedError."""
    detector, X = make(), normal_series(0, 50)
    for ask in (detector.score_samples, detector.ready, detector.contributions, detector.expected):
        _refused(detector, NotFittedError, f"{ask.__name__} before fit", ask, X)
    _refused(detector, NotFittedError, "state before fit", detector.state)


def check_wrong_input(make: Make) -> None:
    """Wrong width, one dimension, text, infinities and 1e308 are refused with InputError."""
    detector = fitted(make())
    X = normal_series(1, 60)
    bad: dict[str, npt.ArrayLike] = {
        "too few channels": X[:, :2],
        "too many channels": np.column_stack([X, X]),
        "one dimension": X[:, 0],
        "text": np.full(X.shape, "warm"),
        "text among numbers": [["1.0", "2.0", "warm"]],
    }
    for value in (np.inf, -np.inf, 1e308, -1e308):
        bad[f"{value:g}"] = np.where(np.arange(X.size).reshape(X.shape) == 40, value, X)
    for what, rows in bad.items():
        _refused(detector, InputError, what, detector.score_samples, rows)
    for what in ("text", "inf", "1e+308"):
        _refused(detector, InputError, f"{what} in fit", make().fit, bad[what], _any_labels(detector, len(X)))


def check_empty(make: Make) -> None:
    """An empty list is refused; no rows give no scores, but nothing can be learned from them, nor from one row."""
    detector = fitted(make())
    none = np.empty((0, CHANNELS))
    _require(detector.score_samples(none).shape == (0,), detector, "no rows did not give an empty array")
    _require(detector.ready(none).shape == (0,), detector, "no rows did not give an empty ready")
    _require(detector.contributions(none).shape == none.shape, detector, "contributions of no rows have a wrong shape")
    _require(detector.expected(none).value.shape == none.shape, detector, "expected of no rows has a wrong shape")
    mixed = detector.score_samples([none, normal_series(1, 60), none])
    _same(mixed, detector.score_samples(normal_series(1, 60)), detector)
    few: dict[str, Rows] = {"an empty list": [], "no rows": none, "one row": normal_series(0, 1)}
    for what, rows in few.items():
        _refused(detector, InputError, f"{what} in fit", make().fit, rows, _any_labels(detector, len(rows)))
    _refused(detector, InputError, "an empty list", detector.score_samples, [])


def check_one_row(make: Make) -> None:
    """One row gets one finite score."""
    detector = fitted(make())
    scores = detector.score_samples(normal_series(1, 1))
    _require(scores.shape == (1,) and bool(np.isfinite(scores).all()), detector, f"one row gave {scores}")


def check_missing(make: Make) -> None:
    """NaN gets finite scores where the tags say so, a channel that never reported too; else it is refused."""
    gaps, gone = normal_series(1), normal_series(1)
    gaps[::7, 1] = np.nan
    gone[:, 2] = np.nan
    detector = make()
    for what, rows in {"NaN": gaps, "a channel of NaN alone": gone}.items():
        if detector.tags.missing:
            _finite(fitted(make()).score_samples(rows), detector, what)
            _finite(fitted(make(), rows).score_samples(rows), detector, f"{what} in fit")
        else:
            _refused(detector, InputError, f"{what} in fit", make().fit, *training_rows(detector, rows))
            _refused(detector, InputError, what, fitted(make()).score_samples, rows)


def check_constant_channel(make: Make) -> None:
    """Channels that never moved do no harm, and one that starts to move is seen."""
    X, test = normal_series(), normal_series(1)
    X[:, 1] = test[:, 1] = 7.3
    detector = fitted(make(), X)
    usual = detector.score_samples(test)
    _finite(usual, detector, "a constant channel")
    test[-5, 1] = 1007.3
    moved = detector.score_samples(test)[-5]
    _finite(moved, detector, "a constant channel that moves")
    _require(
        bool(moved > np.quantile(usual[detector.ready(test)], 0.99)),
        detector,
        "a constant channel that moves is not seen",
    )
    still = np.full((300, CHANNELS), 7.3)
    unmoved = make().fit(still, _any_labels(detector, len(still)))
    _finite(unmoved.score_samples(still), detector, "channels that are all constant")


def check_finite(make: Make) -> None:
    """Scores, contributions and expected values stay finite up to the largest reading, in training too."""
    for size in (1e30, LARGEST):
        X = normal_series(1)
        X[200:203] = [[size, -size, 0.0], [-size, size, size], [size, size, -size]]
        for training in (normal_series(), X):
            detector = fitted(make(), training)
            _finite(detector.score_samples(X), detector, f"rows of {size:g}")
            _finite(detector.contributions(X), detector, f"contributions of rows of {size:g}")
            band = detector.expected(X)
            _finite(np.stack([band.low, band.value, band.high]), detector, f"expected values of rows of {size:g}")


def check_state_restores(make: Make) -> None:
    """A detector made from settings and state gives exactly the same results; the state holds plain arrays."""
    detector = fitted(make())
    state = detector.state()
    odd = [name for name, value in state.items() if not isinstance(value, np.ndarray) or value.dtype.hasobject]
    _require(not odd, detector, f"the state holds more than plain arrays: {', '.join(odd)}")
    copied = {name: np.array(value) for name, value in state.items()}
    again = type(detector)(**detector.settings()).restore(copied)
    X, _ = odd_series(1)
    _require(np.array_equal(detector.score_samples(X), again.score_samples(X)), detector, "scores differ after restore")
    _require(np.array_equal(detector.contributions(X), again.contributions(X)), detector, "contributions differ")
    _require(np.array_equal(detector.expected(X).low, again.expected(X).low), detector, "the band differs")
    if isinstance(detector, Classifier) and isinstance(again, Classifier):
        _require(np.array_equal(detector.kinds(X), again.kinds(X)), detector, "kinds differ after restore")
    changed = [name for name in state if not _equal_arrays(state[name], again.state().get(name))]
    _require(not changed, detector, f"restore changed the state: {', '.join(changed)}")


def check_contributions(make: Make) -> None:
    """Contributions have the shape of the rows, are not negative, and a spike is put down to its channel."""
    detector = fitted(make())
    X = normal_series(1)
    X[-5, 1] += 20.0
    parts = detector.contributions(X)
    _require(parts.shape == X.shape, detector, f"contributions have shape {parts.shape}, rows {X.shape}")
    _require(bool((parts >= 0).all()), detector, f"a contribution is negative: {parts.min():g}")
    _require(int(parts[-5].argmax()) == 1, detector, f"a spike in channel 1 is put down to {parts[-5]}")


def check_contributions_sum(make: Make) -> None:
    """Contributions sum to the score of each row."""
    detector = fitted(make())
    X, _ = odd_series(1)
    _same(detector.contributions(X).sum(axis=1), detector.score_samples(X), detector)


def check_expected(make: Make) -> None:
    """The band holds its own value, and most normal readings."""
    detector = fitted(make())
    X = normal_series(1)
    band = detector.expected(X)
    for name in ("low", "value", "high"):
        _require(getattr(band, name).shape == X.shape, detector, f"expected.{name} has another shape than the rows")
    _require(bool((band.low <= band.value).all()), detector, "an expected value lies below its band")
    _require(bool((band.value <= band.high).all()), detector, "an expected value lies above its band")
    share = float(((band.low <= X) & (band.high >= X)).mean())
    _require(share > 0.8, detector, f"only {share:.0%} of normal readings lie in the expected band")


def check_warmup(make: Make) -> None:
    """Rows without enough history are not ready and have the lowest training score."""
    detector = make()
    training, labels = training_rows(detector, normal_series())
    detector.fit(training, labels)
    trained = detector.score_samples(training)
    ready = detector.ready(training)
    _require(
        np.array_equal(ready, np.arange(len(training)) >= detector.warmup), detector, "ready disagrees with warmup"
    )
    _require(bool((trained[~ready] == detector.floor_).all()), detector, "a row that is not ready has a real score")
    _same(np.array([trained.min()]), np.array([detector.floor_]), detector)


def check_labels(make: Make) -> None:
    """Labels of another length are refused; who needs labels refuses none, others take "all normal" for none."""
    detector, X = make(), normal_series()
    _refused(detector, InputError, "one label too few", make().fit, X, _any_labels(make(), len(X) - 1, always=True))
    if detector.tags.needs_labels:
        _refused(detector, InputError, "no labels", make().fit, X)
        for what, labels in {"normal rows only": np.zeros(len(X)), "anomalous rows only": np.ones(len(X))}.items():
            _refused(detector, InputError, f"labels of {what}", make().fit, X, labels)
        return
    _refused(detector, InputError, "a label of 2", make().fit, X, np.full(len(X), 2))
    detector.fit(X, np.zeros(len(X), np.int8))
    _same(detector.score_samples(normal_series(1)), fitted(make()).score_samples(normal_series(1)), detector)


def check_names_and_numbers(make: Make) -> None:
    """Labels may be 0 and 1, or names; an empty name is normal, and the classes are named in their order."""
    X, names = labelled_series()
    numbers = (names != NORMAL).astype(np.int8)
    by_number, test = _classifier(make()).fit(X, numbers), labelled_series(1)[0]
    wanted = by_number.score_samples(test)
    _require(by_number.classes_.tolist() == [NORMAL, ANOMALY], by_number, f"0 and 1 are {by_number.classes_}")
    for what, labels in {
        "truth values": numbers == 1,
        "names": np.where(numbers, ANOMALY, NORMAL),
        "empty names": np.where(numbers, ANOMALY, " "),
        "a list": numbers.tolist(),
    }.items():
        other = _classifier(make()).fit(X, labels)
        _require(np.array_equal(other.classes_, by_number.classes_), other, f"{what} are {other.classes_}")
        _same(other.score_samples(test), wanted, other)
    several = _classifier(make()).fit(X, names)
    _require(several.classes_.tolist() == [NORMAL, ALL_UP, ONE_UP], several, f"names are {several.classes_}")
    for what, wrong in {"a name alone": np.full(len(X), ONE_UP), "normal alone": np.full(len(X), NORMAL)}.items():
        _refused(several, InputError, f"{what} as labels", make().fit, X, wrong)


def check_probabilities(make: Make) -> None:
    """Probabilities of the classes sum to 1, are those behind the score, and are sure of "normal" before ``warmup``."""
    detector, X = _classifier(make()), odd_series(1)[0]
    for ask in (detector.probabilities, detector.kinds):
        _refused(detector, NotFittedError, f"{ask.__name__} before fit", ask, X)
    detector = _classifier(fitted(detector))
    found = detector.probabilities(X)
    _require(found.shape == (len(X), 3), detector, f"probabilities of {len(X)} rows, 3 classes: {found.shape}")
    _require(bool((found >= 0).all()), detector, f"a probability is negative: {found.min():g}")
    _require(bool(np.allclose(found.sum(axis=1), 1.0, rtol=0, atol=1e-6)), detector, "probabilities do not sum to 1")
    _require(bool((found[~detector.ready(X), 0] == 1.0).all()), detector, "a row that is not ready is not normal")
    ready = detector.ready(X)
    _same(-np.log(np.clip(found[ready, 0], SUREST, 1.0 - SUREST)), detector.score_samples(X)[ready], detector)
    none = np.empty((0, CHANNELS))
    _require(detector.probabilities(none).shape == (0, 3), detector, "probabilities of no rows have a wrong shape")
    _require(detector.kinds(none).shape == (0,), detector, "kinds of no rows have a wrong shape")
    both = np.concatenate([detector.kinds(X), detector.kinds(normal_series(2))])
    _require(np.array_equal(detector.kinds([X, normal_series(2)]), both), detector, "kinds differ in a list")


def check_kinds(make: Make) -> None:
    """What was learned is named: most rows of each kind by its own name, and nearly all normal rows normal."""
    detector = _classifier(fitted(make()))
    X, names = labelled_series(1)
    kinds, ready = detector.kinds(X), detector.ready(X)
    for name, least in ((ALL_UP, 0.6), (ONE_UP, 0.6), (NORMAL, 0.9)):
        right = float((kinds == name)[ready & (names == name)].mean())
        _require(right >= least, detector, f"{right:.0%} of the rows of kind {name!r} are named so; wanted {least:.0%}")


CHECKS: Mapping[str, Callable[[Make], None]] = {
    check.__name__.removeprefix("check_"): check
    for check in (
        check_settings_round_trip,
        check_settings_refused,
        check_fit_returns_self_and_forgets,
        check_same_seed_same_scores,
        check_pure,
        check_row_alone_equals_row_in_batch,
        check_causal_prefix,
        check_series_do_not_mix,
        check_outlier_stands_out,
        check_unfitted,
        check_wrong_input,
        check_empty,
        check_one_row,
        check_missing,
        check_constant_channel,
        check_finite,
        check_state_restores,
        check_contributions,
        check_contributions_sum,
        check_expected,
        check_warmup,
        check_labels,
    )
}
"""The checks of every detector, by their names without ``check_``."""

CLASSIFIER_CHECKS: Mapping[str, Callable[[Make], None]] = {
    check.__name__.removeprefix("check_"): check
    for check in (check_names_and_numbers, check_probabilities, check_kinds)
}
"""Further checks of every :class:`~redshank.core.Classifier`."""


def checks_of(detector: Detector) -> dict[str, Callable[[Make], None]]:
    """The checks that speak of this kind of detector, by name."""
    return {**CHECKS, **(CLASSIFIER_CHECKS if isinstance(detector, Classifier) else {})}


def skip_reason(check: str, detector: Detector) -> str | None:
    """Why ``check`` says nothing about this detector, by its tags; None where it applies."""
    if check == "causal_prefix" and not detector.tags.causal:
        return f"{check}: {type(detector).__name__} does not claim to be causal (tags.causal)"
    return None


def check_detector(make: Make) -> list[str]:
    """Run every check that applies and give the reasons of those that do not.

    Raises
    ------
    ContractError
        At the first check that fails.
    """
    skipped = []
    for name, check in checks_of(make()).items():
        reason = skip_reason(name, make())
        if reason is None:
            check(make)
        else:
            skipped.append(reason)
    return skipped


def _any_labels(detector: Detector, rows: int, *, always: bool = False) -> npt.NDArray[np.int8] | None:
    """Labels that mark every third row, whatever it holds, for a detector that needs labels."""
    return (np.arange(rows) % 3 == 2).astype(np.int8) if always or detector.tags.needs_labels else None


def _texts(labels: Names | list[Names] | None) -> list[str]:
    return [] if labels is None else [str(label) for label in np.concatenate([np.atleast_1d(one) for one in labels])]


def _classifier(detector: Detector) -> Classifier:
    if not isinstance(detector, Classifier):
        raise ContractError(f"{type(detector).__name__}: is no Classifier, and this check is for those alone")
    return detector


def _require(holds: bool, detector: Detector, text: str) -> None:
    if not holds:
        raise ContractError(f"{type(detector).__name__}: {text}")


def _same(left: Array, right: Array, detector: Detector) -> None:
    _require(left.shape == right.shape, detector, f"shapes {left.shape} and {right.shape} differ")
    far = ~np.isclose(left, right, rtol=RTOL, atol=0.0)
    if far.any():
        row = int(np.argmax(far))
        _require(False, detector, f"scores of row {row} differ: {left[row]!r} and {right[row]!r}")


def _finite(values: npt.ArrayLike, detector: Detector, what: str) -> None:
    _require(bool(np.isfinite(values).all()), detector, f"{what}: results are not finite")


def _refused(
    detector: Detector, kind: type[RedshankError], what: str, act: Callable[..., object], *arguments: object
) -> None:
    name = type(detector).__name__
    try:
        act(*arguments)
    except kind as error:
        _require(name in str(error), detector, f"{what}: the error does not name the detector: {error}")
    else:
        raise ContractError(f"{name}: {what} was taken; wanted {kind.__name__}")


def _equal_arrays(left: npt.NDArray[np.generic] | None, right: npt.NDArray[np.generic] | None) -> bool:
    return left is not None and right is not None and bool(np.array_equal(left, right))
