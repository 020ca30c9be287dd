"""Detectors by name."""

from redshank.core import Detector, Entry, Registry

DETECTORS: Registry[Detector] = Registry(
    "detector",
    {
        "ae_lstm": Entry("redshank.detectors.neural.ae_lstm:AELSTMDetector", "train"),
        "dbscan": Entry("redshank.detectors.classical.dbscan:DBSCANDetector"),
        "ecod": Entry("redshank.detectors.classical.ecod:ECODDetector"),
        "ewma": Entry("redshank.detectors.statistical.ewma:EWMADetector"),
        "half_space_trees": Entry("redshank.detectors.statistical.half_space_trees:HalfSpaceTreesDetector"),
        "isolation_forest": Entry("redshank.detectors.classical.isolation_forest:IsolationForestDetector", "train"),
        "kmeans": Entry("redshank.detectors.classical.kmeans:KMeansDetector", "train"),
        "knn": Entry("redshank.detectors.classical.knn:KNNDetector"),
        "knn_patches": Entry("redshank.detectors.statistical.knn_patches:KNNPatchesDetector"),
        "lof": Entry("redshank.detectors.classical.lof:LOFDetector"),
        "mahalanobis": Entry("redshank.detectors.classical.mahalanobis:MahalanobisDetector"),
        "matrix_profile": Entry("redshank.detectors.classical.matrix_profile:MatrixProfileDetector"),
        "moving_average": Entry("redshank.detectors.statistical.moving_average:MovingAverageDetector"),
        "one_class_svm": Entry("redshank.detectors.classical.one_class_svm:OneClassSVMDetector", "train"),
        "pca": Entry("redshank.detectors.classical.pca:PCADetector"),
        "polynomial": Entry("redshank.detectors.statistical.polynomial:PolynomialDetector"),
        "random_cut_forest": Entry("redshank.detectors.classical.random_cut_forest:RandomCutForestDetector"),
        "ridge": Entry("redshank.detectors.classical.ridge:RidgeDetector"),
        "robust_z": Entry("redshank.detectors.statistical.robust_z:RobustZDetector"),
        "seasonal": Entry("redshank.detectors.statistical.seasonal:SeasonalDetector"),
        "spectral_residual": Entry("redshank.detectors.statistical.spectral_residual:SpectralResidualDetector"),
        "sub_kmeans": Entry("redshank.detectors.classical.sub_kmeans:SubKMeansDetector", "train"),
        "sub_pca": Entry("redshank.detectors.classical.sub_pca:SubPCADetector"),
    },
)
"""Every registered detector; a new one is one line here."""

__all__ = ["DETECTORS"]
