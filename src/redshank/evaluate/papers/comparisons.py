"""What each paper compares, what it says of its protocol, and the figures it prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entrant:
    """One model of a comparison.

    Parameters
    ----------
    model : str
        What the paper calls it.
    detectors : tuple of str
        The detector, as :func:`redshank.detectors.detector_of` takes it; several are a grid to search.
    printed : str, default=""
        What the paper prints of it. It stands beside our figures and is never computed with; empty where it is not
        to hand.
    """

    model: str
    detectors: tuple[str, ...]
    printed: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One paper's table.

    Parameters
    ----------
    key : str
        Short name.
    title, source : str
        What is compared, and where.
    data : tuple of str
        Names in :data:`~redshank.evaluate.papers.cases.CASES` on which it is made again.
    entrants : tuple of Entrant
        In the paper's order.
    several : bool, default=False
        Whether kinds of anomaly are told apart; else normal from anomalous.
    note : str, default=""
        What is known of the paper's own protocol and data.
    """

    key: str
    title: str
    source: str
    data: tuple[str, ...]
    entrants: tuple[Entrant, ...]
    several: bool = False
    note: str = ""


_GRID = tuple(f"autoencoder(hidden={hidden}, latent={latent})" for hidden in (32, 64) for latent in (4, 8, 16))

COMPARISONS: Mapping[str, Comparison] = {
    one.key: one
    for one in (
        Comparison(
            "a",
            "AE-LSTM trained jointly, beside its parts and two classical classifiers",
            "Pallikonda, Bandarapalli, Vipparla, Acadlore Transactions on AI and Machine Learning 4(4), 2025",
            ("skab", "nab"),
            (
                Entrant(
                    "AE-LSTM, trained jointly",
                    ("ae_lstm",),
                    "accuracy 0.975, precision 0.958, recall 0.962; 75 ms a batch of 64",
                ),
                Entrant("AE + LSTM, trained apart", ("ae_lstm_apart",)),
                Entrant("AE", ("autoencoder",)),
                Entrant("LSTM", ("lstm",)),
                Entrant("SVM", ("svm",), "200 ms a batch of 64"),
                Entrant("RF", ("random_forest",), "120 ms a batch of 64"),
            ),
            note="printed on Kaggle IoT network traffic and NAB, of which NAB is to hand; sizes and split are not told",
        ),
        Comparison(
            "b",
            "IoT-AnomalyNet beside CNN, LSTM and CNN-LSTM",
            "Sudharson et al., SSRG International Journal of Electrical and Electronics Engineering 11(3), 2024",
            ("skab",),
            (
                Entrant(
                    "IoT-AnomalyNet",
                    ("iot_anomalynet_classifier",),
                    "accuracy 0.9573; attacks: precision 0.9624, recall 0.9785; normal: 0.955, 0.975",
                ),
                Entrant("IoT-AnomalyNet, normal rows only", ("iot_anomalynet",)),
                Entrant("CNN", ("cnn_classifier",)),
                Entrant("LSTM", ("lstm_classifier",)),
                Entrant("CNN-LSTM", ("cnn_lstm_classifier",)),
            ),
            note="printed on sensor readings that are not published; precision and recall are those of attacks",
        ),
        Comparison(
            "c",
            "Deep autoencoder with grid search",
            "Marcio, 2026",
            ("nsl_kdd",),
            (Entrant("deep autoencoder, grid", _GRID), Entrant("deep autoencoder, defaults", ("autoencoder",))),
            note="70 / 30 split, grid search, confusion matrix; its figures are not to hand. Ours takes the setting "
            "with the smallest error on held-back normal rows, which favours wide codes",
        ),
        Comparison(
            "d",
            "MLP, an ensemble of MLPs, and an SVM on the penultimate layer",
            "a paper that is not to hand",
            ("nsl_kdd",),
            (Entrant("MLP", ("mlp",)), Entrant("MLP ensemble", ("mlp_ensemble",)), Entrant("MLP-SVM", ("mlp_svm",))),
            note="the paper's figures are not to hand",
        ),
        Comparison(
            "e",
            "Five classical classifiers on NSL-KDD",
            "a paper that is not to hand",
            ("nsl_kdd",),
            (
                Entrant("DT", ("decision_tree",)),
                Entrant("RF", ("random_forest",)),
                Entrant("kNN", ("knn_classifier",)),
                Entrant("AdaBoost", ("adaboost",)),
                Entrant("SVM", ("svm",)),
            ),
            note="the paper's figures are not to hand",
        ),
        Comparison(
            "f",
            "DeepDetect, normal or not",
            "DeepDetect on NSL-KDD: convolution, GRU and bidirectional LSTM",
            ("nsl_kdd",),
            (Entrant("DeepDetect", ("deepdetect",), "accuracy 0.991 to 0.993"),),
            note="printed for a random split of KDDTrain+; which figure is for which task is not to hand",
        ),
        Comparison(
            "f-kinds",
            "DeepDetect, families of attack",
            "DeepDetect on NSL-KDD: convolution, GRU and bidirectional LSTM",
            ("nsl_kdd",),
            (Entrant("DeepDetect", ("deepdetect",), "accuracy 0.991 to 0.993"), Entrant("RF", ("random_forest",))),
            several=True,
            note="printed for a random split of KDDTrain+; which figure is for which task is not to hand",
        ),
    )
}
"""Every comparison by its key."""
