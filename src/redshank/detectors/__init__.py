"""Detectors by name."""

from redshank.core import Detector, Entry, Registry

DETECTORS: Registry[Detector] = Registry(
    "detector",
    {
        "ae_lstm": Entry("redshank.detectors.neural.ae_lstm:AELSTMDetector", "train"),
        "dbscan": Entry("redshank.detectors.classical.dbscan:DBSCANDetector"),
        "ecod": Entry("redshank.detectors.classical.ecod:ECODDetector"),
        "isolation_forest": Entry("redshank.detectors.classical.isolation_forest:IsolationForestDetector", "train"),
        "kmeans": Entry("redshank.detectors.classical.kmeans:KMeansDetector", "train"),
        "knn": Entry("redshank.detectors.classical.knn:KNNDetector"),
        "lof": Entry("redshank.detectors.classical.lof:LOFDetector"),
        "mahalanobis": Entry("redshank.detectors.classical.mahalanobis:MahalanobisDetector"),
        "matrix_profile": Entry("redshank.detectors.classical.matrix_profile:MatrixProfileDetector"),
        "one_class_svm": Entry("redshank.detectors.classical.one_class_svm:OneClassSVMDetector", "train"),
        "pca": Entry("redshank.detectors.classical.pca:PCADetector"),
        "random_cut_forest": Entry("redshank.detectors.classical.random_cut_forest:RandomCutForestDetector"),
        "ridge": Entry("redshank.detectors.classical.ridge:RidgeDetector"),
        "sub_kmeans": Entry("redshank.detectors.classical.sub_kmeans:SubKMeansDetector", "train"),
        "sub_pca": Entry("redshank.detectors.classical.sub_pca:SubPCADetector"),
    },
)
"""Every registered detector; a new one is one line here."""

__all__ = ["DETECTORS"]
