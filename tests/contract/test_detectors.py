"""Every registered detector keeps every clause of the contract."""

from __future__ import annotations

import os

import pytest

from redshank.core import MissingExtraError
from redshank.detectors import DETECTORS
from redshank.testing import checks_of, skip_reason

QUICK = {
    "ae_lstm": {"epochs": 4, "window": 6, "hidden": 16, "lr": 0.01, "device": "cpu"},
    "ae_lstm_apart": {"epochs": 3, "window": 6, "hidden": 16, "lr": 0.01, "device": "cpu"},
    "autoencoder": {"epochs": 2, "window": 1, "hidden": 16, "lr": 0.01, "device": "cpu"},
    "cnn": {"epochs": 3, "hidden": 16, "blocks": 3, "lr": 0.01, "device": "cpu"},
    "cnn_classifier": {
        "epochs": 1,
        "window": 2,
        "filters": 8,
        "blocks": 1,
        "hidden": 16,
        "batch": 64,
        "lr": 0.02,
        "device": "cpu",
    },
    "cnn_lstm": {"epochs": 3, "hidden": 16, "layers": 1, "lr": 0.01, "device": "cpu"},
    "cnn_lstm_classifier": {
        "epochs": 1,
        "window": 2,
        "filters": 8,
        "blocks": 1,
        "hidden": 16,
        "batch": 64,
        "lr": 0.02,
        "device": "cpu",
    },
    "deepdetect": {"epochs": 2, "filters": 8, "blocks": 1, "hidden": 16, "batch": 128, "lr": 0.02, "device": "cpu"},
    "denoising_autoencoder": {"epochs": 2, "window": 1, "hidden": 16, "lr": 0.01, "device": "cpu"},
    "gan": {"epochs": 2, "window": 1, "hidden": 16, "lr": 0.01, "device": "cpu"},
    "gru": {"epochs": 3, "hidden": 16, "layers": 1, "lr": 0.01, "device": "cpu"},
    "iot_anomalynet": {"epochs": 2, "window": 4, "hidden": 8, "filters": 2, "layers": 1, "lr": 0.01, "device": "cpu"},
    "iot_anomalynet_classifier": {
        "epochs": 1,
        "window": 2,
        "latent": 8,
        "filters": 2,
        "hidden": 8,
        "layers": 1,
        "batch": 128,
        "lr": 0.03,
        "device": "cpu",
    },
    "kitnet": {"epochs": 2, "device": "cpu"},
    "lstm": {"epochs": 3, "hidden": 16, "lr": 0.01, "device": "cpu"},
    "lstm_autoencoder": {"epochs": 3, "window": 6, "hidden": 16, "lr": 0.01, "device": "cpu"},
    "lstm_classifier": {"epochs": 1, "window": 2, "hidden": 16, "batch": 64, "lr": 0.02, "device": "cpu"},
    "mlp": {"epochs": 2, "hidden": 16, "batch": 64, "lr": 0.01, "device": "cpu"},
    "mlp_ensemble": {"epochs": 2, "hidden": 16, "members": 3, "batch": 64, "lr": 0.01, "device": "cpu"},
    "mlp_svm": {"epochs": 2, "hidden": 16, "batch": 64, "lr": 0.01, "device": "cpu"},
    "paano": {"epochs": 1, "window": 12, "filters": 8, "bank": 50, "lr": 0.01, "device": "cpu"},
    "stacking": {"members": ("pca", "knn"), "folds": 2},
    "transformer": {"epochs": 3, "window": 8, "hidden": 16, "lr": 0.01, "device": "cpu"},
    "usad": {"epochs": 2, "window": 3, "hidden": 16, "lr": 0.01, "device": "cpu"},
    "vae": {"epochs": 2, "window": 1, "hidden": 16, "lr": 0.01, "device": "cpu"},
}
"""Settings that let a detector that trains be fitted dozens of times."""


def make_of(name: str):
    return lambda: DETECTORS.get(name)(**QUICK.get(name, {}))


def cases():
    for name in DETECTORS:
        try:
            checks = checks_of(make_of(name)())
        except MissingExtraError as error:
            if os.environ.get("REDSHANK_REQUIRE_ALL") == "1":
                raise
            yield pytest.param(name, "", marks=pytest.mark.skip(reason=str(error)))
        else:
            yield from ((name, check) for check in checks)


@pytest.mark.parametrize(("name", "check"), list(cases()))
def test_contract(name: str, check: str) -> None:
    make = make_of(name)
    reason = skip_reason(check, make())
    if reason is not None:
        pytest.skip(reason)
    checks_of(make())[check](make)
