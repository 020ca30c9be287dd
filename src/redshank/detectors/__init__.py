"""Detectors by name."""

from redshank.core import Detector, Entry, Registry

DETECTORS: Registry[Detector] = Registry(
    "detector",
    {
        "ae_lstm": Entry("redshank.detectors.neural.ae_lstm:AELSTMDetector", "train"),
        "ewma": Entry("redshank.detectors.statistical.ewma:EWMADetector"),
        "moving_average": Entry("redshank.detectors.statistical.moving_average:MovingAverageDetector"),
        "pca": Entry("redshank.detectors.classical.pca:PCADetector"),
        "polynomial": Entry("redshank.detectors.statistical.polynomial:PolynomialDetector"),
        "ridge": Entry("redshank.detectors.classical.ridge:RidgeDetector"),
        "robust_z": Entry("redshank.detectors.statistical.robust_z:RobustZDetector"),
        "seasonal": Entry("redshank.detectors.statistical.seasonal:SeasonalDetector"),
    },
)
"""Every registered detector; a new one is one line here."""

__all__ = ["DETECTORS"]
