"""What is particular to the neural forecasters: the score by its definition, and what each network computes."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from redshank.core import Detector, NotFittedError, SettingError
from redshank.detectors import DETECTORS
from redshank.detectors.neural._adam import Adam
from redshank.detectors.neural._base import NEAR, one_thread
from redshank.detectors.neural._errors import BLOCK, KNEE, STEPS
from redshank.detectors.neural.ae_lstm import AELSTMDetector
from redshank.detectors.neural.ae_lstm_apart import AELSTMApartDetector
from redshank.detectors.neural.cnn import KERNEL, Residual
from redshank.detectors.neural.iot_anomalynet import IoTAnomalyNetDetector
from redshank.detectors.neural.lstm import LSTMDetector
from redshank.detectors.neural.transformer import Attention
from redshank.testing import normal_series, odd_series

QUICK = {
    "cnn": {"hidden": 8, "blocks": 2},
    "cnn_lstm": {"hidden": 8},
    "gru": {"hidden": 8},
    "iot_anomalynet": {"window": 5, "hidden": 8, "filters": 2},
    "lstm": {"hidden": 8},
    "transformer": {"window": 4, "hidden": 8, "heads": 2},
}
EVERY = {"epochs": 1, "batch": 256, "device": "cpu"}
APART = {"epochs": 2, "window": 6, "hidden": 8, "batch": 256, "device": "cpu"}


@pytest.fixture(scope="module", params=list(QUICK))
def fitted(request: pytest.FixtureRequest) -> Detector:
    return DETECTORS.get(request.param)(**EVERY, **QUICK[request.param]).fit(normal_series(rows=600))


@pytest.fixture(scope="module")
def attentive() -> IoTAnomalyNetDetector:
    return IoTAnomalyNetDetector(**EVERY, **QUICK["iot_anomalynet"]).fit(normal_series(rows=600))


def standardised(detector: Detector, X: np.ndarray) -> torch.Tensor:
    """What the network sees of a series, with the lead that it is taken to have had, (1, lead + rows, channels)."""
    z = (X - detector.mean_) / detector.scale_
    assert np.abs(z).max() < NEAR
    return torch.from_numpy(np.concatenate([np.repeat(z[:1], detector._lead, axis=0), z]).astype(np.float32))[None]


def near_normal(rows: int) -> np.ndarray:
    return normal_series(3, rows) + 0.3 * np.sin(np.arange(rows))[:, None]


def slow_scores(detector: Detector, X: np.ndarray) -> np.ndarray:
    """The score by its definition: one row at a time, the state carried, values within clipping range."""

    def huber(e: float) -> float:
        return e * e if abs(e) <= KNEE else KNEE * (2 * abs(e) - KNEE)

    rows, lead, carried, scores = standardised(detector, X), detector._lead, None, []
    for t in range(len(X)):
        with one_thread(), torch.inference_mode():
            estimates, carried = detector._module(rows[:, t : t + lead + 1], carried)
        errors = [
            (rows[0, t + lead] - one[0, 0]).numpy() / s for one, s in zip(estimates, detector.spread_, strict=True)
        ]
        scores.append(sum(np.mean([huber(e) for e in kind]) for kind in errors))
    return np.array(scores)


def test_score_equals_its_definition_row_by_row(fitted: Detector) -> None:
    X = near_normal(BLOCK + 40)
    found = fitted.score_samples(X)[fitted.warmup :]
    np.testing.assert_allclose(found, slow_scores(fitted, X)[fitted.warmup :], rtol=1e-3, atol=1e-5)


def test_state_carried_over_blocks_equals_one_long_pass(fitted: Detector) -> None:
    X = near_normal(3 * BLOCK + 9)
    rows = standardised(fitted, X)
    with one_thread(), torch.inference_mode():
        estimates, _ = fitted._module(rows, None)
    value = fitted.mean_ + fitted.scale_ * estimates[-1][0].numpy()
    found = fitted.expected(X).value
    scaled = (found - value)[fitted.warmup :] / fitted.scale_
    np.testing.assert_allclose(scaled, 0.0, atol=1e-5)


def test_series_side_by_side_have_the_same_bits_as_alone(fitted: Detector) -> None:
    series = [odd_series(k, rows)[0] for k, rows in enumerate([400, 37, 1, BLOCK, 10])]
    alone = np.concatenate([fitted.score_samples(one) for one in series])
    np.testing.assert_array_equal(fitted.score_samples(series), alone)


def test_prediction_is_made_before_the_row_is_seen(fitted: Detector) -> None:
    X = near_normal(120)
    before = fitted.expected(X).value
    later = X.copy()
    later[80:] += 1.0
    np.testing.assert_array_equal(fitted.expected(later).value[:81], before[:81])
    assert (fitted.expected(later).value[81] != before[81]).any()


def test_a_last_layer_of_zeros_says_as_before(fitted: Detector) -> None:
    """The change is predicted, not the row."""
    rows = standardised(fitted, near_normal(50))
    clone = type(fitted)(**fitted.settings()).restore(fitted.state())
    head = [one for one in clone._module.head.modules() if isinstance(one, nn.Linear)][-1]
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    with torch.inference_mode():
        estimates, _ = clone._module(rows, None)
    lead = fitted._lead
    torch.testing.assert_close(estimates[-1], rows[:, lead - 1 : -1], rtol=0, atol=0)


def test_budget_ends_training_after_the_batch_that_spends_it(fitted: Detector) -> None:
    told: list[int] = []
    detector = type(fitted)(**fitted.settings() | {"epochs": 10_000, "budget_s": 0.0})
    detector.progress = lambda done, *_: told.append(done)
    detector.fit(normal_series())
    assert told == [1]


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("lstm", {"hidden": 0}),
        ("gru", {"layers": 0}),
        ("cnn", {"blocks": 0}),
        ("cnn", {"blocks": 13}),
        ("cnn", {"hidden": 0}),
        ("cnn_lstm", {"blocks": 0}),
        ("transformer", {"window": 1}),
        ("transformer", {"layers": 0}),
        ("transformer", {"hidden": 10, "heads": 4}),
        ("iot_anomalynet", {"window": 0}),
        ("iot_anomalynet", {"dropout": 1.0}),
        ("ae_lstm_apart", {"alpha": 0.0, "beta": 0.0}),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(name: str, setting: dict[str, float]) -> None:
    with pytest.raises(SettingError, match="Detector: "):
        DETECTORS.get(name)(device="cpu", **setting).fit(normal_series(rows=100))


def test_lstm_finds_what_is_planted() -> None:
    detector = LSTMDetector(epochs=12, hidden=16, lr=0.01, device="cpu").fit([normal_series(k, 800) for k in range(3)])
    X, y = odd_series(7, 800)
    scores = detector.score_samples(X)
    assert np.median(scores[y == 1]) > np.quantile(scores[y == 0], 0.95)


def test_residual_block_is_a_dilated_convolution() -> None:
    torch.manual_seed(0)
    block, values = Residual(6, 4), torch.randn(2, 40, 6)
    weight = block.filters.weight.view(6, KERNEL, 6).transpose(1, 2)  # (out, in, kernel)
    found = nn.functional.conv1d(values.transpose(1, 2), weight, block.filters.bias, dilation=4).transpose(1, 2)
    wanted = values[:, 8:] + block.mix(torch.relu(found))
    torch.testing.assert_close(block(values), wanted, rtol=1e-5, atol=1e-6)


@torch.inference_mode()
def test_attention_layer_equals_its_definition_window_by_window() -> None:
    torch.manual_seed(0)
    layer, values = Attention(8, 2, 5), torch.randn(1, 30, 8)
    nn.init.normal_(layer.by_age)
    found = layer(values)[0]
    normal = layer.before(values)[0]
    asked, known = layer.asked(normal), layer.known(normal)
    for t in range(4, 30):
        heads = []
        for h in range(2):
            part = slice(4 * h, 4 * h + 4)
            logits = [
                float(asked[t, part] @ known[t - age, part]) / math.sqrt(4) + float(layer.by_age[h, age])
                for age in range(5)
            ]
            weights = torch.softmax(torch.tensor(logits), dim=0)
            heads.append(sum(weights[age] * known[t - age, 8:][part] for age in range(5)))
        changed = values[0, t] + layer.mix(torch.cat(heads))
        torch.testing.assert_close(found[t - 4], changed + layer.dense(changed), rtol=1e-4, atol=1e-5)


def test_attention_sums_to_one_over_the_window(attentive: IoTAnomalyNetDetector) -> None:
    X, _ = odd_series(1, 2 * STEPS + 7)
    weights = attentive.attention(X)
    assert weights.shape == (len(X), attentive.window)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(
        attentive.attention([X[:40], np.empty((0, 3)), X]), np.concatenate([weights[:40], weights]), atol=1e-6
    )


def test_attention_is_of_the_rows_before_oldest_first(attentive: IoTAnomalyNetDetector) -> None:
    X = near_normal(60)
    trunk, rows, window = attentive._module.trunk, standardised(attentive, X), attentive.window
    found = attentive.attention(X)
    with torch.inference_mode():
        for t in (0, 7, 40, 59):
            codes = trunk.encoder(rows[:, t : t + window])[0]  # the rows t - window to t - 1
            seen = torch.stack([trunk.convolutions(code[None, None]).flatten() for code in codes])
            memory = trunk.memory(seen[None])[0][0]
            asked = trunk.query(memory[-1])
            logits = torch.stack([asked @ trunk.key(state) for state in memory]) / math.sqrt(trunk.width)
            np.testing.assert_allclose(found[t], torch.softmax(logits, dim=0).numpy(), atol=1e-5)
    later = X.copy()
    later[40:] += 1.0
    np.testing.assert_allclose(attentive.attention(later)[:41], found[:41], atol=1e-6)


def test_attention_before_fit_is_refused() -> None:
    with pytest.raises(NotFittedError):
        IoTAnomalyNetDetector().attention(normal_series())


class FirstStage(AELSTMApartDetector):
    """Only the autoencoder is trained."""

    def _learn(self, module, learned, watched, plan, device) -> None:
        whole = self._losses_of
        self._losses_of = lambda stage: whole(0) if stage == 0 else lambda *_: iter([sum_of_heads(module)])
        super()._learn(module, learned, watched, plan, device)
        del self._losses_of


def sum_of_heads(module: nn.Module) -> torch.Tensor:
    """A loss without a slope: nothing learns from it."""
    return 0.0 * module.head.weight.sum()


def weights(detector: Detector, part: str) -> dict[str, np.ndarray]:
    return {name: value for name, value in detector.state().items() if name.startswith(f"weights.{part}")}


def test_apart_the_lstm_learns_from_a_frozen_autoencoder() -> None:
    X = normal_series(rows=500)
    apart, first = AELSTMApartDetector(**APART).fit(X), FirstStage(**APART).fit(X)
    for part in ("encoder", "decoder"):
        for name, value in weights(apart, part).items():
            np.testing.assert_array_equal(value, first.state()[name])
    assert any((value != first.state()[name]).any() for name, value in weights(apart, "lstm").items())


def test_joint_and_apart_differ_in_training_alone() -> None:
    X = normal_series(rows=500)
    joint, apart = AELSTMDetector(**APART).fit(X), AELSTMApartDetector(**APART).fit(X)
    assert joint.settings() == apart.settings()
    ours, theirs = joint.state(), apart.state()
    assert {name: value.shape for name, value in ours.items()} == {name: value.shape for name, value in theirs.items()}
    assert (weights(joint, "encoder.0.weight")["weights.encoder.0.weight"] != theirs["weights.encoder.0.weight"]).any()
    # With the other's weights and errors each gives the other's scores: the networks and the score are the same.
    swapped = AELSTMDetector(**APART).restore(theirs)
    test = odd_series(1, 300)[0]
    np.testing.assert_array_equal(swapped.score_samples(test), apart.score_samples(test))


def test_apart_tells_the_progress_of_both_stages_within_one_budget() -> None:
    told: list[tuple[int, int]] = []
    detector = AELSTMApartDetector(**APART)
    detector.progress = lambda done, most, _: told.append((done, most))
    detector.fit(normal_series())
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    told.clear()
    detector.budget_s = 0.0
    detector.fit(normal_series())
    assert told == [(1, 4), (3, 4)]


def test_adam_takes_the_steps_of_torch() -> None:
    torch.manual_seed(0)
    ours = nn.Linear(5, 3)
    theirs = nn.Linear(5, 3)
    theirs.load_state_dict(ours.state_dict())
    idle = nn.Parameter(torch.ones(2))
    mine, peer = Adam([*ours.parameters(), idle], 0.01), torch.optim.Adam(theirs.parameters(), lr=0.01)
    for _ in range(50):
        rows, wanted = torch.randn(8, 5), torch.randn(8, 3)
        for module, optimiser in ((ours, mine), (theirs, peer)):
            optimiser.zero_grad()
            nn.functional.mse_loss(module(rows), wanted).backward()
            optimiser.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)
    assert torch.equal(idle, torch.ones(2))


MEMORY = """
import resource
import numpy as np
from redshank.detectors.neural.lstm import LSTMDetector
rng = np.random.default_rng(0)
LSTMDetector(epochs=1, device="cpu").fit(rng.standard_normal((3000, 38)))
rows = rng.standard_normal((60_000, 38))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
LSTMDetector(epochs=1, device="cpu").fit(rows)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / rows.nbytes)
"""


def test_lstm_fit_takes_less_memory_than_four_times_its_rows() -> None:
    """Every window of 100 rows, as the usual way keeps them, would take fifty times the rows."""
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 4.0
