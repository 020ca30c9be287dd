"""Detectors by name."""

from redshank.core import Detector, Entry, Registry

DETECTORS: Registry[Detector] = Registry(
    "detector",
    {
        "ae_lstm": Entry("redshank.detectors.neural.ae_lstm:AELSTMDetector", "train"),
        "ewma": Entry("redshank.detectors.statistical.ewma:EWMADetector"),
        "half_space_trees": Entry("redshank.detectors.statistical.half_space_trees:HalfSpaceTreesDetector"),
        "knn_patches": Entry("redshank.detectors.statistical.knn_patches:KNNPatchesDetector"),
        "moving_average": Entry("redshank.detectors.statistical.moving_average:MovingAverageDetector"),
        "pca": Entry("redshank.detectors.classical.pca:PCADetector"),
        "polynomial": Entry("redshank.detectors.statistical.polynomial:PolynomialDetector"),
        "ridge": Entry("redshank.detectors.classical.ridge:RidgeDetector"),
        "robust_z": Entry("redshank.detectors.statistical.robust_z:RobustZDetector"),
        "seasonal": Entry("redshank.detectors.statistical.seasonal:SeasonalDetector"),
        "spectral_residual": Entry("redshank.detectors.statistical.spectral_residual:SpectralResidualDetector"),
    },
)
"""Every registered detector; a new one is one line here."""

__all__ = ["DETECTORS"]
