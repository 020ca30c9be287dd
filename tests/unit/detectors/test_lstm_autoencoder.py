"""What is particular to LSTMAutoencoderDetector."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch

from redshank.core import SettingError
from redshank.detectors.neural._base import NEAR, one_thread
from redshank.detectors.neural._errors import KNEE
from redshank.detectors.neural.lstm_autoencoder import LSTMAutoencoderDetector
from redshank.testing import normal_series, odd_series

QUICK = {"epochs": 3, "window": 6, "hidden": 16, "lr": 0.01, "device": "cpu"}

MULTIPLE = 1.75
"""Arrays that fit holds beside float32 training rows, at its peak, as a multiple of their size: one scaled copy and
blocks. The network's own, of a batch, do not grow with the rows."""


@pytest.fixture(scope="module")
def fitted() -> LSTMAutoencoderDetector:
    return LSTMAutoencoderDetector(**QUICK).fit(normal_series(rows=1200))


def slow_scores(detector: LSTMAutoencoderDetector, X: np.ndarray) -> np.ndarray:
    """The score by its definition: one window and one step at a time, on values within clipping range."""
    z = ((X - detector.mean_) / detector.scale_).astype(np.float32)
    assert np.abs(z).max() < NEAR
    module, scores = detector._module, []

    def huber(e: np.ndarray) -> np.ndarray:
        return np.where(np.abs(e) <= KNEE, e * e, KNEE * (2 * np.abs(e) - KNEE))

    with one_thread(), torch.inference_mode():
        for t in range(detector.window - 1, len(z)):
            window = z[t - detector.window + 1 : t + 1]
            state, errors = None, []
            for row in window:
                code, state = module.encoder(torch.from_numpy(row)[None, None], state)
            for row in window[::-1]:  # from the last state, latest row first
                memory, state = module.decoder(code, state)
                errors.append((row - module.head(memory)[0, 0].numpy()) / detector.spread_[0])
            scores.append(huber(np.array(errors)).mean())
    return np.array(scores)


def test_score_equals_its_definition(fitted: LSTMAutoencoderDetector) -> None:
    X, _ = odd_series(1, 300)
    X = np.clip(X, fitted.mean_ - 9 * fitted.scale_, fitted.mean_ + 9 * fitted.scale_)
    np.testing.assert_allclose(fitted.score_samples(X)[5:], slow_scores(fitted, X), rtol=2e-4)


def test_prefix_has_the_same_bits_across_blocks(fitted: LSTMAutoencoderDetector) -> None:
    block = fitted._block
    X, _ = odd_series(1, 2 * block + 9)
    whole = fitted.score_samples(X)
    for end in (fitted.window, block - 1, block, block + 1, 2 * block + 5):
        np.testing.assert_array_equal(fitted.score_samples(X[:end]), whole[:end])


def test_first_score_is_of_the_first_full_window(fitted: LSTMAutoencoderDetector) -> None:
    assert fitted.warmup == 5
    X = normal_series(1, 60)
    other = X.copy()
    other[:20] += 3.0
    # A window that does not reach back to the changed rows does not know of them.
    np.testing.assert_allclose(fitted.score_samples(other)[25:], fitted.score_samples(X)[25:], rtol=1e-5)
    assert not np.allclose(fitted.score_samples(other)[24], fitted.score_samples(X)[24], rtol=1e-5)


@pytest.mark.parametrize("window", [1, 6, 40])
def test_an_epoch_learns_from_windows_and_their_loss_is_their_error(window: int) -> None:
    detector = LSTMAutoencoderDetector(**QUICK | {"epochs": 1, "window": window}).fit(normal_series(rows=600))
    batch = torch.randn(3, 2 * window - 1, 3)
    (loss,) = detector._losses(detector._module, batch)
    (made,), _ = detector._module(batch[:, window - 1 :])
    torch.testing.assert_close(loss, (made[:, 0].transpose(1, 2) - batch[:, window - 1 :]).square().mean())


def test_finds_what_is_planted() -> None:
    detector = LSTMAutoencoderDetector(**QUICK | {"epochs": 15}).fit([normal_series(k, 800) for k in range(3)])
    X, y = odd_series(7, 800)
    scores = detector.score_samples(X)
    assert np.median(scores[y == 1]) > np.quantile(scores[y == 0], 0.95)


def test_budget_is_kept() -> None:
    told: list[int] = []
    detector = LSTMAutoencoderDetector(**QUICK | {"epochs": 10_000, "budget_s": 0.0})
    detector.progress = lambda done, _most, _loss: told.append(done)
    detector.fit(normal_series())
    assert told == [1]


@pytest.mark.parametrize("window", [4, 16])
def test_fit_holds_no_more_than_the_stated_multiple_of_the_rows(window: int) -> None:
    """Windows are views: the memory does not grow with their length."""
    training = np.tile(normal_series(rows=5000), (1, 20)).astype(np.float32)
    training = np.concatenate([training] * 6)
    detector = LSTMAutoencoderDetector(epochs=1, window=window, hidden=8, device="cpu")
    tracemalloc.start()
    try:
        detector.fit(training)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MULTIPLE * training.nbytes


@pytest.mark.parametrize("name", ["window", "hidden"])
def test_settings_out_of_range_are_refused(name: str) -> None:
    with pytest.raises(SettingError, match=f"LSTMAutoencoderDetector: {name} is 0"):
        LSTMAutoencoderDetector(**{"device": "cpu"} | {name: 0}).fit(normal_series(rows=100))
