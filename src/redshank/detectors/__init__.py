"""Detectors by name."""

from redshank.core import Detector, Entry, Registry

DETECTORS: Registry[Detector] = Registry(
    "detector",
    {
        "adaboost": Entry("redshank.detectors.classical.adaboost:AdaBoostDetector", "train"),
        "ae_lstm": Entry("redshank.detectors.neural.ae_lstm:AELSTMDetector", "train"),
        "ae_lstm_apart": Entry("redshank.detectors.neural.ae_lstm_apart:AELSTMApartDetector", "train"),
        "autoencoder": Entry("redshank.detectors.neural.autoencoder:AutoencoderDetector", "train"),
        "cnn": Entry("redshank.detectors.neural.cnn:CNNDetector", "train"),
        "cnn_classifier": Entry("redshank.detectors.neural.cnn_classifier:CNNClassifierDetector", "train"),
        "cnn_lstm": Entry("redshank.detectors.neural.cnn_lstm:CNNLSTMDetector", "train"),
        "cnn_lstm_classifier": Entry(
            "redshank.detectors.neural.cnn_lstm_classifier:CNNLSTMClassifierDetector", "train"
        ),
        "dbscan": Entry("redshank.detectors.classical.dbscan:DBSCANDetector"),
        "decision_tree": Entry("redshank.detectors.classical.decision_tree:DecisionTreeDetector", "train"),
        "deepdetect": Entry("redshank.detectors.neural.deepdetect:DeepDetectDetector", "train"),
        "denoising_autoencoder": Entry(
            "redshank.detectors.neural.denoising_autoencoder:DenoisingAutoencoderDetector", "train"
        ),
        "ecod": Entry("redshank.detectors.classical.ecod:ECODDetector"),
        "ensemble": Entry("redshank.detectors.combination.ensemble:EnsembleDetector"),
        "ewma": Entry("redshank.detectors.statistical.ewma:EWMADetector"),
        "gan": Entry("redshank.detectors.neural.gan:GANDetector", "train"),
        "gradient_boosting": Entry("redshank.detectors.classical.gradient_boosting:GradientBoostingDetector", "train"),
        "gru": Entry("redshank.detectors.neural.gru:GRUDetector", "train"),
        "half_space_trees": Entry("redshank.detectors.statistical.half_space_trees:HalfSpaceTreesDetector"),
        "iot_anomalynet": Entry("redshank.detectors.neural.iot_anomalynet:IoTAnomalyNetDetector", "train"),
        "iot_anomalynet_classifier": Entry(
            "redshank.detectors.neural.iot_anomalynet_classifier:IoTAnomalyNetClassifierDetector", "train"
        ),
        "isolation_forest": Entry("redshank.detectors.classical.isolation_forest:IsolationForestDetector", "train"),
        "kitnet": Entry("redshank.detectors.neural.kitnet:KitNETDetector", "train"),
        "kmeans": Entry("redshank.detectors.classical.kmeans:KMeansDetector", "train"),
        "knn": Entry("redshank.detectors.classical.knn:KNNDetector"),
        "knn_classifier": Entry("redshank.detectors.classical.knn_classifier:KNNClassifierDetector"),
        "knn_patches": Entry("redshank.detectors.statistical.knn_patches:KNNPatchesDetector"),
        "lof": Entry("redshank.detectors.classical.lof:LOFDetector"),
        "logistic_regression": Entry(
            "redshank.detectors.classical.logistic_regression:LogisticRegressionDetector", "train"
        ),
        "lstm": Entry("redshank.detectors.neural.lstm:LSTMDetector", "train"),
        "lstm_autoencoder": Entry("redshank.detectors.neural.lstm_autoencoder:LSTMAutoencoderDetector", "train"),
        "lstm_classifier": Entry("redshank.detectors.neural.lstm_classifier:LSTMClassifierDetector", "train"),
        "mahalanobis": Entry("redshank.detectors.classical.mahalanobis:MahalanobisDetector"),
        "matrix_profile": Entry("redshank.detectors.classical.matrix_profile:MatrixProfileDetector"),
        "mlp": Entry("redshank.detectors.neural.mlp:MLPDetector", "train"),
        "mlp_ensemble": Entry("redshank.detectors.neural.mlp_ensemble:MLPEnsembleDetector", "train"),
        "mlp_svm": Entry("redshank.detectors.neural.mlp_svm:MLPSVMDetector", "train"),
        "moving_average": Entry("redshank.detectors.statistical.moving_average:MovingAverageDetector"),
        "one_class_svm": Entry("redshank.detectors.classical.one_class_svm:OneClassSVMDetector", "train"),
        "paano": Entry("redshank.detectors.neural.paano:PaAnoDetector", "train"),
        "pai": Entry("redshank.detectors.combination.pai:PAIDetector"),
        "pca": Entry("redshank.detectors.classical.pca:PCADetector"),
        "polynomial": Entry("redshank.detectors.statistical.polynomial:PolynomialDetector"),
        "pyod": Entry("redshank.detectors.combination.pyod:PyODDetector", "pyod"),
        "random_cut_forest": Entry("redshank.detectors.classical.random_cut_forest:RandomCutForestDetector"),
        "random_forest": Entry("redshank.detectors.classical.random_forest:RandomForestDetector", "train"),
        "ridge": Entry("redshank.detectors.classical.ridge:RidgeDetector"),
        "robust_z": Entry("redshank.detectors.statistical.robust_z:RobustZDetector"),
        "seasonal": Entry("redshank.detectors.statistical.seasonal:SeasonalDetector"),
        "spectral_residual": Entry("redshank.detectors.statistical.spectral_residual:SpectralResidualDetector"),
        "stacking": Entry("redshank.detectors.combination.stacking:StackingDetector", "train"),
        "sub_kmeans": Entry("redshank.detectors.classical.sub_kmeans:SubKMeansDetector", "train"),
        "sub_pca": Entry("redshank.detectors.classical.sub_pca:SubPCADetector"),
        "svm": Entry("redshank.detectors.classical.svm:SVMDetector", "train"),
        "transformer": Entry("redshank.detectors.neural.transformer:TransformerDetector", "train"),
        "usad": Entry("redshank.detectors.neural.usad:USADDetector", "train"),
        "vae": Entry("redshank.detectors.neural.vae:VAEDetector", "train"),
    },
)
"""Every registered detector; a new one is one line here."""

__all__ = ["DETECTORS"]
