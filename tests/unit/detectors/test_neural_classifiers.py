"""Neural detectors that learn from labels: what they share, and what is particular to each."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from redshank.core import Classifier, InputError, ModelError, SettingError
from redshank.detectors import DETECTORS
from redshank.detectors.neural._base import one_thread
from redshank.detectors.neural._classifier import BLOCK, held_rows
from redshank.detectors.neural._dense import MLP, MLPs
from redshank.detectors.neural.iot_anomalynet_classifier import IoTAnomalyNetClassifierDetector
from redshank.detectors.neural.mlp import MLPDetector
from redshank.detectors.neural.mlp_svm import sharpest, squared_hinge

QUICK = {"epochs": 2, "batch": 128, "lr": 0.03, "hidden": 16, "device": "cpu"}
ROWS = {"mlp": {}, "mlp_ensemble": {"members": 3}, "mlp_svm": {}}
WINDOWS = {
    "cnn_classifier": {"filters": 8},
    "lstm_classifier": {},
    "cnn_lstm_classifier": {"filters": 8, "blocks": 1},
    "deepdetect": {"filters": 8, "blocks": 1},
    "iot_anomalynet_classifier": {"filters": 2, "latent": 8, "layers": 1},
}
EVERY = ROWS | WINDOWS


def detector_of(name: str, **changes: object) -> Classifier:
    own = {"window": 4} if name in WINDOWS else {}
    made = DETECTORS.get(name)(**QUICK | own | EVERY[name] | changes)
    assert isinstance(made, Classifier)
    return made


def crossed(seed: int = 0, rows: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    """Rows of three channels; the sign of the first two together says which of four kinds a row is."""
    X = np.random.default_rng(seed).normal(size=(rows, 3))
    names = np.array([["normal", "left"], ["right", "both"]])
    return X, names[(X[:, 0] > 0).astype(int), (X[:, 1] > 0).astype(int)]


def risen(seed: int = 0, rows: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    """A row is anomalous if the first channel rose over the last three rows: no row tells it alone."""
    X = np.random.default_rng(seed).normal(size=(rows, 2))
    y = np.zeros(rows, np.int8)
    y[3:] = X[3:, 0] - X[:-3, 0] > 0.0
    return X, y


@pytest.mark.parametrize("name", EVERY)
def test_planted_rule_is_learned_and_kinds_are_named(name: str) -> None:
    detector = detector_of(name, epochs=4, **{"window": 1} if name in WINDOWS else {}).fit(*crossed())
    X, names = crossed(1)
    assert detector.classes_.tolist() == ["normal", "both", "left", "right"]
    assert (detector.kinds(X) == names).mean() > 0.85
    scores = detector.score_samples(X)
    assert np.median(scores[names != "normal"]) > np.quantile(scores[names == "normal"], 0.9)


@pytest.mark.parametrize("name", WINDOWS)
def test_rule_in_time_is_learned_from_the_window(name: str) -> None:
    detector = detector_of(name, epochs=6).fit(*risen(rows=3000))
    X, y = risen(1)
    assert detector.warmup == 3
    assert ((detector.kinds(X) == "anomaly") == y)[3:].mean() > 0.85


@pytest.mark.parametrize(
    ("name", "setting"),
    [(name, {}) for name in EVERY]
    + [("mlp", {"class_weight": "balanced"}), ("mlp", {"class_weight": None, "oversample": 0.5})],
)
def test_rare_kind_is_found(name: str, setting: dict[str, object]) -> None:
    X, names = crossed(rows=2000)
    few = np.flatnonzero(names == "both")
    names[few[12:]] = "normal"
    X[few[12:], :2] *= -1.0
    detector = detector_of(name, epochs=4, **{"window": 1} if name in WINDOWS else {}, **setting).fit(X, names)
    test, wanted = crossed(1)
    assert (detector.kinds(test[wanted == "both"]) != "normal").mean() > 0.7


def test_one_kind_of_label_is_refused() -> None:
    X, _ = crossed(rows=50)
    for labels in (np.zeros(50), np.ones(50), np.full(50, "left")):
        with pytest.raises(InputError, match="MLPDetector: the labels hold"):
            detector_of("mlp").fit(X, labels)
    with pytest.raises(InputError, match="too few to hold back"):
        detector_of("mlp").fit(X[:2], [0, 1])


@pytest.mark.parametrize("name", EVERY)
def test_same_seed_same_bits_and_state_restores(name: str) -> None:
    X, names = crossed(rows=400)
    first, second = (detector_of(name, epochs=1).fit(X, names) for _ in range(2))
    np.testing.assert_array_equal(first.score_samples(X), second.score_samples(X))
    state = first.state()
    assert all(isinstance(value, np.ndarray) and not value.dtype.hasobject for value in state.values())
    again = detector_of(name, epochs=1).restore(state)
    np.testing.assert_array_equal(again.probabilities(X), first.probabilities(X))
    assert again.kinds(X).tolist() == first.kinds(X).tolist()
    with pytest.raises(ModelError, match="does not fit the settings"):
        detector_of(name, hidden=5).restore(state)


@pytest.mark.parametrize("name", EVERY)
def test_budget_ends_training(name: str) -> None:
    told: list[int] = []
    detector = detector_of(name, epochs=10_000, patience=10_000, budget_s=0.0)
    detector.progress = lambda epoch, most, loss: told.append(epoch)
    detector.fit(*crossed(rows=300))
    assert told == [1]


def test_machine_on_the_hidden_layer_keeps_to_the_budget() -> None:
    """20,000 rows of 21 classes and hardly any penalty: without an end the machine alone takes many times the limit."""
    budget_s, X = 0.3, np.random.default_rng(0).normal(size=(20_000, 3))
    codes = (np.arctan2(X[:, 0], X[:, 1]) * 21 / (2 * np.pi) % 21).astype(np.intp)
    names = np.where(codes == 0, "normal", codes.astype(str))
    squared_hinge(X[:50], codes[:50] % 2, np.ones(50), 2, 1.0)  # the first use of L-BFGS loads half of torch
    detector = detector_of("mlp_svm", hidden=128, C=1e4, lr=0.003, epochs=10_000, budget_s=budget_s)
    begun = time.monotonic()
    detector.fit(X, names)
    assert time.monotonic() - begun < 3.0 * budget_s + 1.0
    assert (detector.kinds(X) == names).mean() > 0.15  # chance has 0.05


@pytest.mark.parametrize("name", ["mlp", "mlp_ensemble", "lstm_classifier"])
def test_a_row_has_the_same_bits_alone_and_in_any_block(name: str) -> None:
    detector = detector_of(name, epochs=1).fit(*crossed(rows=300))
    X, _ = crossed(1, 2 * BLOCK + 9)
    whole = detector.score_samples(X)
    for end in (5, BLOCK - 1, BLOCK + 1, 2 * BLOCK + 5):
        np.testing.assert_array_equal(detector.score_samples(X[:end]), whole[:end])


def test_score_is_the_surprise_also_where_a_row_is_surely_normal() -> None:
    detector = detector_of("mlp").fit(*crossed(rows=600))
    X = crossed(1)[0] * 5.0
    logits = detector._logits(X)
    logits -= logits[:, :1]
    wanted = np.array([np.log1p(np.exp(row[1:]).sum()) for row in logits])
    np.testing.assert_allclose(detector.score_samples(X), np.clip(wanted, 1e-9, -np.log(1e-9)), rtol=1e-9)
    assert wanted.min() < 1e-4


def test_scaled_by_the_normal_rows_alone() -> None:
    X, names = crossed(rows=400)
    X[names == "left"] *= 1e6
    detector = detector_of("mlp").fit(X, names)
    np.testing.assert_allclose(detector.mean_, X[names == "normal"].mean(axis=0))
    np.testing.assert_allclose(detector.scale_, X[names == "normal"].std(axis=0))


def test_windows_do_not_cross_series() -> None:
    X, y = risen(rows=200)
    detector = detector_of("cnn_classifier", epochs=1)
    detector.fit([X[:90], X[90:93], X[93:]], [y[:90], y[90:93], y[93:]])
    rows, starts = detector._labelled([X[:90], X[90:93], X[93:]], y.astype(np.intp))
    windows = rows[starts[:, None] + np.arange(4)]
    near = detector._near(X)
    np.testing.assert_array_equal(windows[:, -1, :2], near)
    np.testing.assert_array_equal(windows[:, -1, 2], y)
    np.testing.assert_array_equal(windows[90, :, :2], np.repeat(near[90:91], 4, axis=0))
    np.testing.assert_array_equal(windows[92, :, :2], near[[90, 90, 91, 92]])
    np.testing.assert_array_equal(windows[50, :, :2], near[47:51])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=200).map(np.array), st.floats(0.05, 0.5, allow_nan=False))
def test_every_class_is_on_both_sides_where_it_has_two_rows(codes: np.ndarray, share: float) -> None:
    held = held_rows(codes, share)
    for code in np.unique(codes):
        mine = held[codes == code]
        assert not mine.all()
        assert mine.any() == (len(mine) > 1)
        assert mine.sum() <= max(1.0, share * len(mine) + 6.0)


def test_copies_are_of_rows_learned_from_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}

    def keep(self: MLPDetector, learned: object, watched: object, device: torch.device) -> None:
        seen.update(learned=learned._starts.numpy(), watched=watched._starts.numpy())
        raise KeyboardInterrupt

    monkeypatch.setattr(MLPDetector, "_train", keep)
    X, names = crossed(rows=500)
    names[names == "both"] = "normal"
    names[:20] = "rare"
    with pytest.raises(KeyboardInterrupt):
        detector_of("mlp", oversample=1.0).fit(X, names)
    assert not np.intersect1d(seen["learned"], seen["watched"]).size
    assert len(np.unique(seen["watched"])) == len(seen["watched"])
    _, counts = np.unique(names[seen["learned"]], return_counts=True)
    assert (counts == counts[0]).all()


def test_networks_side_by_side_equal_each_alone() -> None:
    torch.manual_seed(0)
    together = MLPs(3, features=4, hidden=5, layers=2, classes=3, dropout=0.0).eval()
    rows = torch.randn(7, 1, 4)
    alone = []
    for k in range(3):
        one = MLP(4, 5, 2, 3, 0.0).eval()
        dense = [layer for layer in [*one.trunk, one.head] if isinstance(layer, torch.nn.Linear)]
        stacked = [layer for layer in [*together.trunk, together.head] if hasattr(layer, "weight")]
        for layer, source in zip(dense, stacked, strict=True):
            layer.weight.data, layer.bias.data = source.weight.data[k].T, source.bias.data[k, 0]
        alone.append(one(rows))
    with one_thread():
        torch.testing.assert_close(together.each(rows), torch.stack(alone))
        mean = torch.stack(alone).softmax(dim=2).mean(dim=0)
        torch.testing.assert_close(together(rows).exp(), mean)


def test_squared_hinge_is_at_its_least() -> None:
    rng = np.random.default_rng(0)
    values, codes = rng.normal(size=(80, 3)), rng.integers(0, 3, 80)
    weights = rng.uniform(0.5, 2.0, 80)
    w, b = squared_hinge(values, codes, weights, 3, 5.0)

    def loss(w: np.ndarray, b: np.ndarray) -> float:
        total = 0.5 * (w**2).sum()
        for row, code, weight in zip(values, codes, weights, strict=True):
            for k in range(3):
                side = 1.0 if k == code else -1.0
                total += 5.0 / 80 * weight * max(0.0, 1.0 - side * (row @ w[:, k] + b[k])) ** 2
        return total

    least = loss(w, b)
    for _ in range(20):
        assert loss(w + 1e-2 * rng.normal(size=w.shape), b + 1e-2 * rng.normal(size=b.shape)) > least


def test_squared_hinge_without_time_is_better_than_none() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 300)
    values = rng.normal(size=(300, 3)) + 2.0 * np.eye(3)[codes]
    w, b = squared_hinge(values, codes, np.ones(300), 3, 5.0, end=0.0)
    assert ((values @ w + b).argmax(axis=1) == codes).mean() > 0.7
    assert not np.allclose(w, squared_hinge(values, codes, np.ones(300), 3, 5.0)[0], atol=1e-3)


def test_sharpness_is_high_for_true_margins_and_low_for_false_ones() -> None:
    codes = np.array([0, 1] * 50)
    margins = np.where(np.arange(2) == codes[:, None], 0.5, -0.5)
    margins[:25] *= -1.0  # a quarter lies on the wrong side: P = 3/4 = 1 / (1 + e^-factor)
    assert sharpest(margins, codes) == pytest.approx(np.log(3.0), rel=0.06)  # the nearest that is tried
    assert sharpest(-margins, codes) == pytest.approx(0.1)


def test_attention_sums_to_one_and_is_causal() -> None:
    detector = detector_of("iot_anomalynet_classifier").fit(*risen(rows=500))
    assert isinstance(detector, IoTAnomalyNetClassifierDetector)
    X, _ = risen(1, 300)
    found = detector.attention(X)
    assert found.shape == (300, 4)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(detector.attention(X[:100]), found[:100])


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("mlp", {"hidden": 0}),
        ("mlp", {"layers": 0}),
        ("mlp", {"dropout": 1.0}),
        ("mlp", {"class_weight": "heavy"}),
        ("mlp", {"oversample": 2.0}),
        ("mlp_ensemble", {"members": 0}),
        ("mlp_svm", {"C": 0.0}),
        ("cnn_classifier", {"window": 0}),
        ("cnn_lstm_classifier", {"blocks": 0}),
        ("deepdetect", {"filters": 0}),
        ("lstm_classifier", {"layers": 0}),
        ("iot_anomalynet_classifier", {"latent": 0}),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(name: str, setting: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=f"Detector: {next(iter(setting))} is"):
        detector_of(name, **setting).fit(*crossed(rows=100))
