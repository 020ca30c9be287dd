"""What is particular to AELSTMDetector, and the training loop that every neural detector shares."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from redshank.core import InputError, ModelError, SettingError
from redshank.detectors.neural._base import NEAR, one_thread
from redshank.detectors.neural._errors import BLOCK, KNEE
from redshank.detectors.neural._training import Chunks, Plan, cut, train
from redshank.detectors.neural.ae_lstm import AELSTMDetector
from redshank.testing import normal_series, odd_series

CPU = torch.device("cpu")
QUICK = {"epochs": 3, "window": 6, "hidden": 16, "lr": 0.01, "device": "cpu"}


@pytest.fixture(scope="module")
def fitted() -> AELSTMDetector:
    return AELSTMDetector(**QUICK).fit(normal_series(rows=1200))


def slow_scores(detector: AELSTMDetector, X: np.ndarray) -> np.ndarray:
    """The score by its definition: one window and one LSTM step at a time, on values within clipping range."""
    z = ((X - detector.mean_) / detector.scale_).astype(np.float32)
    assert np.abs(z).max() < NEAR
    window, module = detector.window, detector._module
    padded = np.concatenate([np.repeat(z[:1], window, axis=0), z])

    def huber(e: float) -> float:
        return e * e if abs(e) <= KNEE else KNEE * (2 * abs(e) - KNEE)

    scores, carried, code = [], None, None
    with one_thread(), torch.inference_mode():
        for t in range(len(z)):
            before, now = padded[t : t + window], padded[t + 1 : t + 1 + window]
            code = module.encoder(torch.from_numpy(before.T.reshape(1, -1).copy()))
            last = torch.from_numpy(before[-1:])
            memory, carried = module.lstm(torch.cat([code, last], dim=1)[None], carried)
            predicted = (last + module.head(memory[0])).numpy()[0]
            rebuilt = module.decoder(module.encoder(torch.from_numpy(now.T.reshape(1, -1).copy()))).numpy()
            off = (now.T - rebuilt.reshape(now.T.shape)) / detector.spread_[0, :, None]
            missed = (z[t] - predicted) / detector.spread_[1]
            scores.append(
                detector.weights_[0] * np.mean([huber(e) for e in off.ravel()])
                + detector.weights_[1] * np.mean([huber(e) for e in missed])
            )
    return np.array(scores)


def test_score_equals_its_definition(fitted: AELSTMDetector) -> None:
    X, _ = odd_series(1, BLOCK + 40)
    X = np.clip(X, fitted.mean_ - 9 * fitted.scale_, fitted.mean_ + 9 * fitted.scale_)
    found = fitted.score_samples(X)[fitted.window :]
    np.testing.assert_allclose(found, slow_scores(fitted, X)[fitted.window :], rtol=2e-4)


def test_prefix_has_the_same_bits_across_blocks(fitted: AELSTMDetector) -> None:
    X, _ = odd_series(1, 3 * BLOCK + 9)
    whole = fitted.score_samples(X)
    for end in (fitted.window + 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5):
        np.testing.assert_array_equal(fitted.score_samples(X[:end]), whole[:end])


def test_series_side_by_side_score_as_alone(fitted: AELSTMDetector) -> None:
    series = [odd_series(k, rows)[0] for k, rows in enumerate([400, 37, 1, 999, BLOCK, 10] * 12)]
    together = fitted.score_samples(series)
    alone = np.concatenate([fitted.score_samples(one) for one in series])
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_finds_what_is_planted() -> None:
    detector = AELSTMDetector(**QUICK | {"epochs": 12}).fit([normal_series(k, 800) for k in range(3)])
    X, y = odd_series(7, 800)
    scores = detector.score_samples(X)
    assert np.median(scores[y == 1]) > np.quantile(scores[y == 0], 0.95)


def test_one_channel_works() -> None:
    X = normal_series(rows=1500)[:, :1]
    detector = AELSTMDetector(**QUICK | {"epochs": 10}).fit(X)
    test = normal_series(1, 600)[:, :1]
    peak = 380 + int(test[380:410].argmax())
    test[peak] = test[380:410].min()  # a usual value at a wrong time
    scores = detector.score_samples(test)
    assert scores[peak] > scores[detector.window : peak].max()


def test_both_errors_spread_alike_on_held_back_rows(fitted: AELSTMDetector) -> None:
    only_rebuilt = AELSTMDetector(**QUICK, alpha=1.0, beta=0.0).fit(normal_series(rows=1200))
    only_predicted = AELSTMDetector(**QUICK, alpha=0.0, beta=1.0).fit(normal_series(rows=1200))
    X = normal_series(rows=1200)
    alpha, beta = fitted.weights_
    rows = np.arange(1200) * 3 % 1200 >= 960  # the last fifth of each of three stretches was held back
    spreads = [
        np.ptp(np.quantile(weight * one.score_samples(X)[rows], (0.05, 0.95)))
        for weight, one in ((alpha, only_rebuilt), (beta, only_predicted))
    ]
    np.testing.assert_allclose(spreads, 1.0, rtol=1e-3)
    np.testing.assert_allclose(
        fitted.score_samples(X)[6:],
        (alpha * only_rebuilt.score_samples(X) + beta * only_predicted.score_samples(X))[6:],
        rtol=1e-6,
    )


def test_expected_band_holds_the_next_row(fitted: AELSTMDetector) -> None:
    X = normal_series(2, 600)
    band = fitted.expected(X)
    inside = ((band.low <= X) & (band.high >= X))[fitted.window :]
    assert 0.95 < inside.mean() <= 1.0
    later = X.copy()
    later[300:] += 1.0
    np.testing.assert_array_equal(fitted.expected(later).value[:301], band.value[:301])  # foretold, not seen


def test_score_grows_with_the_fault_far_beyond_what_the_network_sees(fitted: AELSTMDetector) -> None:
    scores = []
    for size in (1.0, 1e2, 1e4, 1e8, 1e30):
        X = normal_series(1, 100)
        X[50, 0] += size
        scores.append(fitted.score_samples(X)[50])
    assert (np.diff(scores) >= 0).all()
    assert scores[3] > 100 * scores[2]


@pytest.mark.parametrize(
    "setting",
    [
        {"window": 0},
        {"hidden": 0},
        {"layers": 0},
        {"latent": 0},
        {"alpha": -1.0},
        {"alpha": 0.0, "beta": 0.0},
        {"epochs": 0},
        {"batch": 0},
        {"patience": 0},
        {"lr": 0.0},
        {"held_back": 0.9},
        {"budget_s": -1.0},
        {"device": "abacus"},
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(SettingError, match="AELSTMDetector"):
        AELSTMDetector(**{"device": "cpu"} | setting).fit(normal_series(rows=100))


@pytest.mark.skipif(torch.cuda.is_available(), reason="settings_refused: this machine has CUDA")
def test_cuda_is_refused_where_there_is_none() -> None:
    with pytest.raises(SettingError, match="choose 'cpu'"):
        AELSTMDetector(device="cuda").fit(normal_series(rows=100))


@pytest.mark.parametrize("rows", [2, 5, 6])
def test_too_few_rows_are_refused(rows: int) -> None:
    with pytest.raises(InputError, match="training rows are too few"):
        AELSTMDetector(**QUICK).fit(normal_series(rows=rows))


def test_short_series_are_enough_together() -> None:
    series = [normal_series(k, rows) for k, rows in enumerate([30, 4, 25, 40, 1])]
    assert np.isfinite(AELSTMDetector(**QUICK).fit(series).score_samples(series)).all()


def test_state_is_plain_arrays_and_must_fit_the_settings(fitted: AELSTMDetector) -> None:
    state = fitted.state()
    assert {"weights.lstm.weight_hh_l1", "weights_", "band_", "mean_"} <= state.keys()
    assert all(isinstance(value, np.ndarray) and not value.dtype.hasobject for value in state.values())
    with pytest.raises(ModelError, match="does not fit the settings"):
        AELSTMDetector(**QUICK | {"hidden": 8}).restore(state)


def test_settings_are_json() -> None:
    settings = AELSTMDetector(**QUICK).settings()
    assert json.loads(json.dumps(settings)) == settings


def test_training_leaves_threads_and_random_numbers_alone() -> None:
    torch.manual_seed(1)
    threads, before = torch.get_num_threads(), torch.get_rng_state()
    first = AELSTMDetector(**QUICK).fit(normal_series()).state()
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    torch.manual_seed(2)
    torch.set_num_threads(threads + 1)
    try:
        second = AELSTMDetector(**QUICK).fit(normal_series()).state()
        assert torch.get_num_threads() == threads + 1
    finally:
        torch.set_num_threads(threads)
    other = AELSTMDetector(**QUICK, seed=1).fit(normal_series()).state()
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["weights.head.weight"], other["weights.head.weight"])


def test_progress_is_told_of_each_epoch() -> None:
    told: list[tuple[int, int, float]] = []
    detector = AELSTMDetector(**QUICK)
    detector.progress = lambda *epoch: told.append(epoch)
    detector.fit(normal_series())
    assert [epoch[:2] for epoch in told] == [(1, 3), (2, 3), (3, 3)]
    assert told[-1][2] < told[0][2]


def test_budget_ends_training_after_the_step_that_spends_it() -> None:
    told: list[tuple[int, int, float]] = []
    detector = AELSTMDetector(**QUICK | {"epochs": 10_000, "budget_s": 0.0})
    detector.progress = lambda *epoch: told.append(epoch)
    detector.fit(normal_series())
    assert len(told) == 1


def quadratic(module: torch.nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
    yield (module.weight.sum() - batch.mean()) ** 2


def chunks(value: float, count: int = 8) -> Chunks:
    return Chunks(np.full((count, 1), value, np.float32), np.arange(count), 1, CPU)


def plan(**changes: float) -> Plan:
    return Plan(**{"epochs": 50, "batch": 4, "lr": 0.1, "patience": 3, "budget_s": None, "seed": 0} | changes)


def test_early_stop_keeps_the_best_weights() -> None:
    module = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(module.weight, 0.0)
    losses: list[float] = []
    # Learns towards 4, watched at 1: the held-back loss falls, then rises.
    train(
        module, quadratic, chunks(4.0), chunks(1.0), watched=quadratic, plan=plan(), device=CPU,
        progress=lambda _, __, loss: losses.append(loss),
    )  # fmt: skip
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 3 < 50
    assert (float(module.weight.detach().sum()) - 1.0) ** 2 == pytest.approx(losses[best], rel=1e-5)


def test_divergence_is_an_error() -> None:
    def broken(module: torch.nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        yield module.weight.sum() * batch.mean() * float("nan")

    with pytest.raises(SettingError, match="diverged"):
        train(
            torch.nn.Linear(1, 1, bias=False), broken, chunks(1.0), chunks(1.0), watched=broken, plan=plan(), device=CPU
        )


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=6), st.integers(1, 60), st.integers(0, 9), st.integers(1, 200)
)
def test_chunks_stay_in_their_series_and_reach_its_end(lengths: list[int], stride: int, lead: int, wanted: int) -> None:
    length = lead + stride
    starts = cut(lengths, length, stride, wanted)
    ends = np.cumsum(lengths)
    owner = np.searchsorted(ends, starts, side="right")
    assert (starts + length <= ends[owner]).all()
    long = {int(end) for end, size in zip(ends, lengths, strict=True) if size >= length}
    assert long <= set((starts + length).tolist())
    possible = sum(max(0, size - length + 1) for size in lengths)
    assert len(starts) >= min(wanted, possible) or len(starts) >= possible // stride
