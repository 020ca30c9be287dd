"""Contract checks that every detector must pass, and small data sets to try one on.

    from redshank.testing import check_detector
    skipped = check_detector(lambda: MyDetector(window=8))

Each ``check_*`` takes ``make``, a function without arguments that gives a new, unfitted detector with the settings
to try, and raises :class:`~redshank.core.ContractError` where the contract is broken.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from redshank.core import LARGEST, ContractError, Detector, InputError, NotFittedError, RedshankError
from redshank.core.contracts import Array

Make = Callable[[], Detector]

RTOL = 1e-5
"""Relative difference that two scores of one row may have (law 2: one score everywhere)."""

CHANNELS = 3


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


def check_settings_round_trip(make: Make) -> None:
    """``settings`` goes through JSON and makes an equal detector; ``fit`` leaves it alone."""
    detector = make()
    before = detector.settings()
    read = {name: tuple(v) if isinstance(v, list) else v for name, v in json.loads(json.dumps(before)).items()}
    _require(read == before, detector, f"settings {before} come back from JSON as {read}")
    clone = type(detector)(**read)
    _require(clone.settings() == before, detector, f"a clone has settings {clone.settings()}, not {before}")
    detector.fit(normal_series())
    _require(detector.settings() == before, detector, "fit changed the settings")
    _same(
        clone.fit(normal_series()).score_samples(normal_series(1)), detector.score_samples(normal_series(1)), detector
    )


def check_fit_returns_self_and_forgets(make: Make) -> None:
    """A second ``fit`` gives what a first would have: nothing of the earlier rows is left."""
    detector = make()
    _require(detector.fit(3.0 * normal_series(1)[:, :2]) is detector, detector, "fit did not return self")
    detector.fit(normal_series())
    fresh = make().fit(normal_series())
    _require(detector.state().keys() == fresh.state().keys(), detector, "a second fit left state of the first")
    _same(detector.score_samples(normal_series(2)), fresh.score_samples(normal_series(2)), detector)


def check_same_seed_same_scores(make: Make) -> None:
    """Two fits agree, whatever the global random numbers were, and leave those as they were."""
    first = make().fit(normal_series()).score_samples(normal_series(1))
    kept = random.getstate(), np.random.get_state()  # noqa: NPY002 - it is the global state that must stay
    random.seed(99)
    np.random.seed(99)  # noqa: NPY002
    drawn = np.random.get_state()[2]  # type: ignore[index]  # noqa: NPY002
    try:
        detector = make().fit(normal_series())
        second = detector.score_samples(normal_series(1))
        _require(np.random.get_state()[2] == drawn, detector, "numpy's global random numbers were used")  # type: ignore[index]  # noqa: NPY002
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])  # noqa: NPY002
    _same(first, second, detector)


def check_pure(make: Make) -> None:
    """Scoring and explaining leave the rows and the detector as they were; a second call gives the same."""
    detector = make()
    training, X = normal_series(), odd_series(1)[0]
    kept = training.copy(), X.copy()
    detector.fit(training)
    before = {name: np.array(value) for name, value in detector.state().items()}
    first = detector.score_samples(X)
    detector.contributions(X)
    detector.expected(X)
    detector.score_samples(100.0 * X)
    second = detector.score_samples(X)
    _require(
        np.array_equal(training, kept[0]) and np.array_equal(X, kept[1]), detector, "the rows given were written to"
    )
    after = detector.state()
    changed = [name for name in before | after if not _equal_arrays(before.get(name), after.get(name))]
    _require(not changed, detector, f"scoring changed the state: {', '.join(changed)}")
    _require(np.array_equal(first, second), detector, "a second call gave other scores")


def check_row_alone_equals_row_in_batch(make: Make) -> None:
    """A row detector gives a row the same score alone, in a batch and in any order."""
    detector = make().fit(normal_series())
    X, _ = odd_series(1, 48)
    together = detector.score_samples(X)
    _same(np.concatenate([detector.score_samples(X[i : i + 1]) for i in range(len(X))]), together, detector)
    _same(detector.score_samples(X[::-1])[::-1], together, detector)


def check_causal_prefix(make: Make) -> None:
    """Law 1: the score of a row is the same whatever follows it."""
    detector = make().fit(normal_series())
    X, _ = odd_series(1)
    whole = detector.score_samples(X)
    for end in (len(X) // 3, len(X) // 2 + 7, len(X) - 1):
        _same(detector.score_samples(X[:end]), whole[:end], detector)
        other = X.copy()
        other[end:] = 50.0 - 3.0 * other[end:]
        _same(detector.score_samples(other)[:end], whole[:end], detector)


def check_series_do_not_mix(make: Make) -> None:
    """Series of a list are scored as if each were alone; their order, in ``fit`` too, does not matter to the others."""
    detector = make().fit([normal_series(), normal_series(1)])
    series = [odd_series(2)[0], normal_series(3, 90), normal_series(4, 1), normal_series(5, 250)]
    alone = [detector.score_samples(one) for one in series]
    _same(detector.score_samples(series), np.concatenate(alone), detector)
    _same(detector.score_samples(series[::-1]), np.concatenate(alone[::-1]), detector)
    ready = [detector.ready(one) for one in series]
    _require(np.array_equal(detector.ready(series), np.concatenate(ready)), detector, "ready differs in a list")


def check_outlier_stands_out(make: Make) -> None:
    """A row far outside in every channel scores above 99 % of normal rows; a farther one not lower."""
    detector = make().fit(normal_series())
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
    detector = make().fit(normal_series())
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
        _refused(detector, InputError, f"{what} in fit", make().fit, bad[what])


def check_empty(make: Make) -> None:
    """An empty list is refused; no rows give no scores, but nothing can be learned from them, nor from one row."""
    detector = make().fit(normal_series())
    none = np.empty((0, CHANNELS))
    _require(detector.score_samples(none).shape == (0,), detector, "no rows did not give an empty array")
    _require(detector.ready(none).shape == (0,), detector, "no rows did not give an empty ready")
    _require(detector.contributions(none).shape == none.shape, detector, "contributions of no rows have a wrong shape")
    _require(detector.expected(none).value.shape == none.shape, detector, "expected of no rows has a wrong shape")
    mixed = detector.score_samples([none, normal_series(1, 60), none])
    _same(mixed, detector.score_samples(normal_series(1, 60)), detector)
    for what, rows in {"an empty list": [], "no rows": none, "one row": normal_series(0, 1)}.items():
        _refused(detector, InputError, f"{what} in fit", make().fit, rows)
    _refused(detector, InputError, "an empty list", detector.score_samples, [])


def check_one_row(make: Make) -> None:
    """One row gets one finite score."""
    detector = make().fit(normal_series())
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
            _finite(make().fit(normal_series()).score_samples(rows), detector, what)
            _finite(make().fit(rows).score_samples(rows), detector, f"{what} in fit")
        else:
            _refused(detector, InputError, f"{what} in fit", make().fit, rows)
            fitted = make().fit(normal_series())
            _refused(detector, InputError, what, fitted.score_samples, rows)


def check_constant_channel(make: Make) -> None:
    """Channels that never moved do no harm, and one that starts to move is seen."""
    X, test = normal_series(), normal_series(1)
    X[:, 1] = test[:, 1] = 7.3
    detector = make().fit(X)
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
    _finite(make().fit(still).score_samples(still), detector, "channels that are all constant")


def check_finite(make: Make) -> None:
    """Scores, contributions and expected values stay finite up to the largest reading, in training too."""
    for size in (1e30, LARGEST):
        X = normal_series(1)
        X[200:203] = [[size, -size, 0.0], [-size, size, size], [size, size, -size]]
        for training in (normal_series(), X):
            detector = make().fit(training)
            _finite(detector.score_samples(X), detector, f"rows of {size:g}")
            _finite(detector.contributions(X), detector, f"contributions of rows of {size:g}")
            band = detector.expected(X)
            _finite(np.stack([band.low, band.value, band.high]), detector, f"expected values of rows of {size:g}")


def check_state_restores(make: Make) -> None:
    """A detector made from settings and state gives exactly the same results; the state holds plain arrays."""
    detector = make().fit(normal_series())
    state = detector.state()
    odd = [name for name, value in state.items() if not isinstance(value, np.ndarray) or value.dtype.hasobject]
    _require(not odd, detector, f"the state holds more than plain arrays: {', '.join(odd)}")
    copied = {name: np.array(value) for name, value in state.items()}
    again = type(detector)(**detector.settings()).restore(copied)
    X, _ = odd_series(1)
    _require(np.array_equal(detector.score_samples(X), again.score_samples(X)), detector, "scores differ after restore")
    _require(np.array_equal(detector.contributions(X), again.contributions(X)), detector, "contributions differ")
    _require(np.array_equal(detector.expected(X).low, again.expected(X).low), detector, "the band differs")
    changed = [name for name in state if not _equal_arrays(state[name], again.state().get(name))]
    _require(not changed, detector, f"restore changed the state: {', '.join(changed)}")


def check_contributions(make: Make) -> None:
    """Contributions have the shape of the rows, are not negative, and a spike is put down to its channel."""
    detector = make().fit(normal_series())
    X = normal_series(1)
    X[-5, 1] += 20.0
    parts = detector.contributions(X)
    _require(parts.shape == X.shape, detector, f"contributions have shape {parts.shape}, rows {X.shape}")
    _require(bool((parts >= 0).all()), detector, f"a contribution is negative: {parts.min():g}")
    _require(int(parts[-5].argmax()) == 1, detector, f"a spike in channel 1 is put down to {parts[-5]}")


def check_contributions_sum(make: Make) -> None:
    """Contributions sum to the score of each row."""
    detector = make().fit(normal_series())
    X, _ = odd_series(1)
    _same(detector.contributions(X).sum(axis=1), detector.score_samples(X), detector)


def check_expected(make: Make) -> None:
    """The band holds its own value, and most normal readings."""
    detector = make().fit(normal_series())
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
    training = normal_series()
    detector.fit(training)
    trained = detector.score_samples(training)
    ready = detector.ready(training)
    _require(
        np.array_equal(ready, np.arange(len(training)) >= detector.warmup), detector, "ready disagrees with warmup"
    )
    _require(bool((trained[~ready] == detector.floor_).all()), detector, "a row that is not ready has a real score")
    _same(np.array([trained.min()]), np.array([detector.floor_]), detector)


CHECKS: Mapping[str, Callable[[Make], None]] = {
    check.__name__.removeprefix("check_"): check
    for check in (
        check_settings_round_trip,
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
    )
}
"""Every check by its name without ``check_``."""


def skip_reason(check: str, detector: Detector) -> str | None:
    """Why ``check`` says nothing about this detector, by its tags; None where it applies."""
    if check == "row_alone_equals_row_in_batch" and detector.tags.sequence:
        return f"{check}: {type(detector).__name__} looks at the order of rows (tags.sequence)"
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
    for name, check in CHECKS.items():
        reason = skip_reason(name, make())
        if reason is None:
            check(make)
        else:
            skipped.append(reason)
    return skipped


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
