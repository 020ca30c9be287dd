"""What is particular to KitNETDetector."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from redshank.core import SettingError
from redshank.detectors.neural._base import one_thread
from redshank.detectors.neural.kitnet import GroupedAutoencoders, KitNETDetector, correlations, grouped
from redshank.testing import normal_series

QUICK = {"epochs": 3, "device": "cpu"}


def families(rows: int, seed: int = 0) -> np.ndarray:
    """Twelve channels: four families of three that move together, interleaved."""
    rng = np.random.default_rng(seed)
    causes = rng.standard_normal((rows, 4))
    return np.tile(causes, 3) * np.repeat([1.0, -2.0, 0.5], 4) + 0.1 * rng.standard_normal((rows, 12))


@pytest.fixture(scope="module")
def fitted() -> KitNETDetector:
    return KitNETDetector(**QUICK | {"epochs": 10}).fit(families(2000))


def test_score_equals_its_definition(fitted: KitNETDetector) -> None:
    X = families(150, seed=1)
    X[::10, 3] += 2.0
    module, scores = fitted._module, []
    z = ((X - fitted.mean_) / fitted.scale_).astype(np.float32)
    low, high = module.low.numpy(), module.high.numpy()
    with one_thread(), torch.inference_mode():
        for row in z:
            strain = []
            for k in range(fitted.group_.max() + 1):
                own = row[fitted.group_ == k]
                encoder, decoder = module.ensemble.encoder[k].numpy(), module.ensemble.decoder[k].numpy()
                width = int(np.ceil(0.75 * len(own)))
                inner = own @ encoder[: len(own), :width] + module.ensemble.encoder_bias[k, 0, :width].numpy()
                made = (1 / (1 + np.exp(-inner))) @ decoder[:width, : len(own)]
                made = made + module.ensemble.decoder_bias[k, 0, : len(own)].numpy()
                strain.append(np.sqrt(np.mean((own - made) ** 2)))
            level = torch.from_numpy((np.array(strain) - low) / (high - low)).float()
            scores.append(float((module.output(level) - level).square().mean().sqrt()))
    np.testing.assert_allclose(fitted.score_samples(X), scores, rtol=1e-3, atol=1e-6)


def test_channels_that_move_together_are_one_group(fitted: KitNETDetector) -> None:
    assert fitted.group_.dtype == np.int64
    assert [len(set(fitted.group_[family::4])) for family in range(4)] == [1, 1, 1, 1]
    assert fitted.state()["group_"].shape == (12,)


@settings(deadline=None)
@given(st.integers(1, 25), st.integers(1, 12), st.integers(0, 99))
def test_groups_cover_every_channel_once_and_stay_small(channels: int, largest: int, seed: int) -> None:
    likeness = np.random.default_rng(seed).random((channels, channels))
    group = grouped(likeness + likeness.T, largest)
    sizes = np.bincount(group)
    assert group.shape == (channels,)
    assert sizes.min() >= 1
    assert sizes.max() <= largest
    # No two groups are left that could still be joined.
    assert len(sizes) == 1 or np.sort(sizes)[:2].sum() > largest


def test_correlations_are_those_of_numpy() -> None:
    series = [families(700), families(1500, seed=2)]
    np.testing.assert_allclose(correlations(series), np.corrcoef(np.concatenate(series).T), atol=1e-10)
    still = np.column_stack([np.full(50, 3.0), np.arange(50.0)])
    np.testing.assert_array_equal(correlations([still])[0], 0.0)


def test_grouped_autoencoders_do_not_see_each_other() -> None:
    torch.manual_seed(0)
    group = np.array([0, 1, 0, 2, 1, 1, 0, 1])
    network = GroupedAutoencoders(group)
    values = torch.randn(5, 8, requires_grad=True)
    made = network(values)
    assert made.shape == values.shape
    for channel in range(8):
        (slope,) = torch.autograd.grad(made[:, channel].sum(), values, retain_graph=True)
        assert {int(k) for k in torch.nonzero(slope.abs().sum(dim=0))} <= set(np.flatnonzero(group == group[channel]))


def test_widest_inner_layers_are_three_quarters_of_their_own_group() -> None:
    network = GroupedAutoencoders(np.array([0] * 8 + [1] * 3))
    assert network.get_buffer("inner")[:, 0].sum(dim=1).tolist() == [6, 3]


def test_contributions_are_shares_of_the_score(fitted: KitNETDetector) -> None:
    X = families(100, seed=3)
    X[50, 7] += 5.0
    parts = fitted.contributions(X)
    np.testing.assert_allclose(parts.sum(axis=1), fitted.score_samples(X), rtol=1e-9)
    assert parts[50].argmax() == 7


def test_finds_a_lost_correlation() -> None:
    detector = KitNETDetector(device="cpu", epochs=20).fit(families(3000))
    X = families(500, seed=4)
    odd = np.arange(500) % 25 == 0
    X[odd, 5] *= -1.0
    scores = detector.score_samples(X)
    assert np.median(scores[odd]) > np.quantile(scores[~odd], 0.95)


def test_levels_hold_the_training_rows_between_0_and_1(fitted: KitNETDetector) -> None:
    module = fitted._module
    levels = module.levels(torch.from_numpy(fitted._near(families(2000)))[:, None])
    assert float(levels.min()) > -0.5  # a fifth of the rows was held back
    assert float(levels.max()) < 2.0
    assert float((levels >= 0).float().mean()) > 0.99


def test_few_channels_still_make_three_groups() -> None:
    assert KitNETDetector(**QUICK).fit(families(200)[:, :6]).group_.max() == 2
    one = KitNETDetector(**QUICK).fit(families(200)[:, :1])
    assert one.group_.tolist() == [0]
    assert np.isfinite(one.score_samples(families(50)[:, :1])).all()


def test_progress_counts_both_stages_and_half_the_budget_is_for_each() -> None:
    told: list[tuple[int, int]] = []
    detector = KitNETDetector(**QUICK | {"patience": 9})
    detector.progress = lambda done, most, _loss: told.append((done, most))
    detector.fit(families(300))
    assert told == [(k, 6) for k in range(1, 7)]
    told.clear()
    hasty = KitNETDetector(**QUICK | {"epochs": 1000, "budget_s": 0.0})
    hasty.progress = lambda done, most, _loss: told.append((done, most))
    hasty.fit(families(300))
    assert told == [(1, 2000), (1001, 2000)]


def test_setting_out_of_range_is_refused() -> None:
    with pytest.raises(SettingError, match="KitNETDetector: largest is 0"):
        KitNETDetector(largest=0).fit(normal_series(rows=100))
