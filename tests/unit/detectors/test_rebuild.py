"""What is particular to the dense detectors that rebuild rows or windows, and what they share."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch

from redshank.core import SettingError
from redshank.detectors.neural._adam import Adam
from redshank.detectors.neural._base import NEAR, one_thread
from redshank.detectors.neural._rebuild import fixed
from redshank.detectors.neural.autoencoder import AutoencoderDetector
from redshank.detectors.neural.denoising_autoencoder import DenoisingAutoencoderDetector
from redshank.detectors.neural.gan import GANDetector
from redshank.detectors.neural.usad import USADDetector
from redshank.detectors.neural.vae import VAEDetector
from redshank.testing import normal_series, odd_series

QUICK = {"epochs": 3, "hidden": 16, "lr": 0.01, "device": "cpu"}
FAMILY = (AutoencoderDetector, DenoisingAutoencoderDetector, GANDetector, USADDetector, VAEDetector)

MULTIPLE = 1.75
"""Arrays that fit holds beside float32 training rows, at its peak, as a multiple of their size: one scaled copy and
blocks. The network's own, of a batch, do not grow with the rows."""


def wide(rows: int, channels: int = 40, seed: int = 0) -> np.ndarray:
    """Rows of many channels with five hidden causes."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).standard_normal((5, channels))
    return np.tanh(rng.standard_normal((rows, 5)) @ mixing) + 0.1 * rng.standard_normal((rows, channels))


def slow_scores(detector, X: np.ndarray) -> np.ndarray:
    """The score by its definition: one window at a time, mean of the squared errors of each estimate."""
    z = ((X - detector.mean_) / detector.scale_).astype(np.float32)
    assert np.abs(z).max() < NEAR
    window, scores = detector._window, []
    padded = np.concatenate([np.repeat(z[:1], window - 1, axis=0), z])
    with one_thread(), torch.inference_mode():
        for t in range(len(z)):
            own = torch.from_numpy(padded[t : t + window].T.ravel().copy())
            made = detector._module.rebuild(own[None, None])
            errors = [float((one[0, 0].double() - own.double()).square().mean()) for one in made]
            scores.append(sum(w * e for w, e in zip(detector.weights_, errors, strict=True)))
    return np.array(scores)


@pytest.mark.parametrize("window", [1, 4])
@pytest.mark.parametrize("make", FAMILY, ids=lambda make: make.__name__)
def test_score_equals_its_definition(make, window: int) -> None:
    detector = make(**QUICK, window=window).fit(normal_series())
    X, _ = odd_series(1, 300)
    X = np.clip(X, detector.mean_ - 9 * detector.scale_, detector.mean_ + 9 * detector.scale_)
    assert detector.tags.sequence == (window > 1)
    assert detector.warmup == window - 1
    np.testing.assert_allclose(
        detector.score_samples(X)[window - 1 :], slow_scores(detector, X)[window - 1 :], rtol=1e-4, atol=1e-7
    )


@pytest.mark.parametrize("make", FAMILY, ids=lambda make: make.__name__)
def test_rows_of_half_and_double_precision_score_alike(make) -> None:
    training, X = normal_series().astype(np.float32), odd_series(1)[0].astype(np.float32)
    narrow = make(**QUICK).fit(training).score_samples(X)
    np.testing.assert_allclose(
        narrow, make(**QUICK).fit(training.astype(np.float64)).score_samples(X.astype(np.float64)), rtol=1e-9
    )


@pytest.mark.parametrize("make", FAMILY, ids=lambda make: make.__name__)
def test_prefix_has_the_same_bits_across_blocks(make) -> None:
    detector = make(**QUICK).fit(wide(400))
    block = detector._block
    X = wide(2 * block + 9, seed=1)
    whole = detector.score_samples(X)
    for end in (detector.warmup + 1, block - 1, block, block + 1, 2 * block + 5):
        np.testing.assert_array_equal(detector.score_samples(X[:end]), whole[:end])


@pytest.mark.parametrize(("channels", "window"), [(1, 32), (3, 11), (8, 4), (31, 2), (32, 1), (115, 1)])
def test_window_that_is_not_given_holds_32_values(channels: int, window: int) -> None:
    detector = AutoencoderDetector(**QUICK | {"epochs": 1}).fit(wide(200, channels))
    assert detector.warmup == window - 1
    assert AutoencoderDetector().warmup == 0


@pytest.mark.parametrize("make", [AutoencoderDetector, DenoisingAutoencoderDetector, GANDetector, VAEDetector])
def test_tags_tell_of_the_window_in_use(make) -> None:
    detector = make(**QUICK | {"epochs": 1})
    assert detector.tags.sequence
    assert not detector.fit(wide(200, 122)).tags.sequence
    again = make(**QUICK | {"epochs": 1}).restore(detector.state())
    X = wide(40, 122, seed=1)
    assert not again.tags.sequence
    np.testing.assert_array_equal(again.score_samples(X[::-1])[::-1], detector.score_samples(X))
    assert detector.fit(wide(200, 3)).tags.sequence


def test_sizes_follow_from_the_channels() -> None:
    detector = AutoencoderDetector(device="cpu", epochs=1).fit(wide(100, 115))
    shapes = [tuple(one.shape) for name, one in detector._module.state_dict().items() if name.endswith("weight")]
    assert shapes == [(64, 115), (16, 64), (64, 16), (115, 64)]


@pytest.mark.parametrize("make", [AutoencoderDetector, DenoisingAutoencoderDetector, GANDetector, VAEDetector])
def test_finds_rows_whose_halves_do_not_belong_together(make) -> None:
    detector = make(device="cpu", epochs=8, lr=0.01).fit(wide(1500))
    X = wide(1000, seed=1)
    X[::20, 20:] = X[10::20, 20:]
    odd = np.arange(1000) % 20 == 0
    scores = detector.score_samples(X)
    assert np.median(scores[odd]) > np.quantile(scores[~odd], 0.99)


def test_few_rows_are_taken_several_times_an_epoch() -> None:
    few = AutoencoderDetector(**QUICK | {"epochs": 2}, window=1).fit(wide(100))
    untrained = AutoencoderDetector(**QUICK | {"lr": 1e-8, "epochs": 1}, window=1).fit(wide(100))
    X = wide(200, seed=1)
    assert few.score_samples(X).mean() < 0.8 * untrained.score_samples(X).mean()


def test_short_series_of_rows_share_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = AutoencoderDetector(**QUICK, window=1).fit(wide(300))
    block = detector._block
    series = [wide(rows, seed=k) for k, rows in enumerate([3, 0, 5, block, 1] + [7] * 300 + [block + 2, 4])]
    calls: list[int] = []
    rebuild = detector._module.rebuild
    monkeypatch.setattr(detector._module, "rebuild", lambda values: calls.append(len(values)) or rebuild(values))
    together = detector.score_samples(series)
    assert len(calls) <= 3 + 2 * sum(map(len, series)) // block
    np.testing.assert_array_equal(together, np.concatenate([detector.score_samples(one) for one in series]))


def test_noise_is_in_training_only_and_from_the_seed() -> None:
    training, X = wide(300), wide(50, seed=1)
    clean, noisy, again, other = (
        DenoisingAutoencoderDetector(**QUICK | settings).fit(training)
        for settings in ({"corrupted": 0.0}, {"corrupted": 0.3}, {"corrupted": 0.3}, {"corrupted": 0.3, "seed": 1})
    )
    np.testing.assert_array_equal(noisy.score_samples(X), again.score_samples(X))
    np.testing.assert_array_equal(noisy.score_samples(X), noisy.score_samples(X))
    assert not np.array_equal(noisy.score_samples(X), other.score_samples(X))
    plain = AutoencoderDetector(**QUICK).fit(training)
    np.testing.assert_array_equal(clean.state()["weights.encoder.0.weight"].shape, (16, 40))
    assert not np.array_equal(clean.score_samples(X), noisy.score_samples(X))
    np.testing.assert_allclose(clean.score_samples(X), plain.score_samples(X), rtol=0.2)
    values = torch.ones(4, 1, 40)
    noisy._module.train()
    gone = [noisy._module.rebuild(values)[0] for _ in range(2)]
    noisy._module.eval()
    assert not torch.equal(*gone)
    assert torch.equal(noisy._module.rebuild(values)[0], noisy._module.rebuild(values)[0])


def test_vae_terms_are_those_of_the_normal_distributions() -> None:
    detector = VAEDetector(**QUICK).fit(wide(300))
    module = detector._module
    values = torch.from_numpy(detector._near(wide(200, seed=1)))[:, None]
    with torch.no_grad():
        mean, log_variance = module.encoder(values).chunk(2, dim=-1)
        code = torch.distributions.Normal(mean, torch.exp(log_variance / 2))
        wanted = torch.distributions.kl_divergence(code, torch.distributions.Normal(0.0, 1.0)).sum(dim=-1).mean()
        drawn = torch.stack([module.terms(values)[0] for _ in range(200)]).mean()
        error, divergence = module.terms(values)
        slow = torch.stack([(module.decoder(code.sample()) - values).square().mean() for _ in range(200)]).mean()
    torch.testing.assert_close(divergence, wanted, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(drawn, slow, rtol=0.05, atol=0.0)
    assert float(error) > detector.score_samples(wide(200, seed=1)).mean()  # a drawn code is worse than the mean one


def test_codes_of_a_vae_come_near_the_standard_normal() -> None:
    near, free = (VAEDetector(**QUICK | {"epochs": 10}, beta=beta).fit(wide(1000)) for beta in (4.0, 0.0))
    values = torch.from_numpy(near._near(wide(300, seed=1)))[:, None]
    with torch.no_grad():
        assert near._module.terms(values)[1] < 0.5 * free._module.terms(values)[1]


def test_gradients_reach_what_is_not_fixed_only() -> None:
    first, second = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)
    with fixed(second):
        loss = second(first(torch.ones(1, 3))).sum()
    loss.backward()
    assert first.weight.grad is not None
    assert second.weight.grad is None
    assert second.weight.requires_grad


@pytest.mark.parametrize("size", [1e-3, 1.0, 50.0])
def test_gradients_are_shortened_as_torch_does(size: float) -> None:
    torch.manual_seed(0)
    ours, theirs = ([torch.nn.Parameter(torch.zeros(3, 4)), torch.nn.Parameter(torch.zeros(5))] for _ in range(2))
    for mine, peer in zip(ours, theirs, strict=True):
        mine.grad = size * torch.randn_like(mine)
        peer.grad = mine.grad.clone()
    idle = torch.nn.Parameter(torch.zeros(2))
    Adam([*ours, idle], 0.1).shorten(1.0)
    torch.nn.utils.clip_grad_norm_(theirs, 1.0)
    assert idle.grad is None
    torch.testing.assert_close([one.grad for one in ours], [one.grad for one in theirs])
    Adam([idle], 0.1).shorten(1.0)  # nothing to shorten


def steps_of(detector, module: torch.nn.Module, batch: torch.Tensor) -> list[dict[str, torch.Tensor | None]]:
    """Gradients of each parameter at each step of the optimiser."""
    found = []
    for loss in detector._losses(module, batch):
        module.zero_grad(set_to_none=True)
        loss.backward()
        found.append({name: one.grad for name, one in module.named_parameters()})
    return found


def moved(gradients: dict[str, torch.Tensor | None]) -> set[str]:
    return {name.split(".")[0] for name, one in gradients.items() if one is not None and bool(one.abs().sum() > 0)}


def test_usad_moves_one_decoder_at_a_time_as_its_losses_say() -> None:
    detector = USADDetector(**QUICK, window=1).fit(wide(200))
    module, batch = detector._module, torch.from_numpy(detector._near(wide(64, seed=1)))[:, None]
    for epoch in (1, 4):
        module.epoch = epoch
        one, two = steps_of(detector, module, batch)
        assert moved(one) == {"encoder", "first"}
        assert moved(two) == {"encoder", "second"}
        made, again = module.rebuild(batch)
        own = module.through(module.second, batch)
        error = torch.nn.functional.mse_loss
        wanted = [
            error(made, batch) / epoch + (1 - 1 / epoch) * error(again, batch),
            error(own, batch) / epoch - (1 - 1 / epoch) * error(again, batch),
        ]
        torch.testing.assert_close(list(detector._losses(module, batch)), wanted)


def test_usad_is_told_the_epoch() -> None:
    told: list[int] = []
    detector = USADDetector(**QUICK | {"patience": 10, "epochs": 4}, window=1)
    detector.progress = lambda done, _most, _loss: told.append(done)
    detector.fit(wide(200))
    assert told == [1, 2, 3, 4]
    assert detector._module.epoch == 5


def test_gan_trains_generator_and_discriminator_in_turn() -> None:
    detector = GANDetector(**QUICK | {"epochs": 8}).fit(wide(500))
    module, batch = detector._module, torch.from_numpy(detector._near(wide(400, seed=1)))[:, None]
    generator, discriminator = steps_of(detector, module, batch)
    assert moved(generator) == {"encoder", "decoder", "again"}
    assert moved(discriminator) == {"features", "verdict"}
    with torch.no_grad():
        real, false = (module.verdict(module.features(one)) for one in (batch, module.rebuild(batch)[0]))
    assert float(real.mean()) > float(false.mean())


@pytest.mark.parametrize("make", FAMILY, ids=lambda make: make.__name__)
def test_budget_is_kept(make) -> None:
    told: list[int] = []
    detector = make(**QUICK | {"epochs": 10_000, "budget_s": 0.0})
    detector.progress = lambda done, _most, _loss: told.append(done)
    detector.fit(normal_series())
    assert told == [1]


@pytest.mark.parametrize(
    ("make", "setting"),
    [
        *((AutoencoderDetector, {name: 0}) for name in ("window", "latent", "hidden")),
        (DenoisingAutoencoderDetector, {"corrupted": 0.95}),
        (DenoisingAutoencoderDetector, {"corrupted": -0.1}),
        (VAEDetector, {"beta": -1.0}),
        (GANDetector, {"adversarial": -1.0}),
        (GANDetector, {"coding": -1.0}),
        (USADDetector, {"alpha": -1.0}),
        (USADDetector, {"alpha": 0.0, "beta": 0.0}),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(make, setting: dict[str, float]) -> None:
    with pytest.raises(SettingError, match=make.__name__):
        make(**{"device": "cpu"} | setting).fit(normal_series(rows=100))


def test_window_of_zero_is_not_taken_for_none() -> None:
    with pytest.raises(SettingError, match="window is 0"):
        AutoencoderDetector(window=0).fit(normal_series(rows=100))


@pytest.mark.parametrize("window", [1, 8])
def test_fit_holds_no_more_than_the_stated_multiple_of_the_rows(window: int) -> None:
    """Windows are views: the memory does not grow with their length."""
    training = wide(40_000).astype(np.float32)
    detector = AutoencoderDetector(epochs=1, window=window, batch=256, device="cpu")
    tracemalloc.start()
    try:
        detector.fit(training)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MULTIPLE * training.nbytes


def test_training_rows_are_not_kept_nor_changed() -> None:
    training = wide(300)
    kept = training.copy()
    detector = AutoencoderDetector(**QUICK).fit(training)
    before = detector.score_samples(kept)
    np.testing.assert_array_equal(training, kept)
    training[:] = 0.0
    np.testing.assert_array_equal(detector.score_samples(kept), before)
