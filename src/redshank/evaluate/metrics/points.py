"""Row by row: confusion matrix, ROC and PR curves with their areas. Never adjusted."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from redshank.evaluate.metrics._inputs import ArrayLike, Floats, Rows, alarmed, ratio, scored, whole

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Confusion:
    """Rows by what was alarmed and what was true; every ratio is in 0 to 1 and NaN where it divides by nothing.

    Parameters
    ----------
    tp, fp, fn, tn : int
        Anomalous rows alarmed, normal rows alarmed, anomalous rows missed, normal rows left alone.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def accuracy(self) -> float:
        """``(tp + tn) / n``; says little where anomalies are rare."""
        return ratio(self.tp + self.tn, self.tp + self.fp + self.fn + self.tn)

    @property
    def precision(self) -> float:
        """``tp / (tp + fp)``; NaN without alarms."""
        return ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float:
        """``tp / (tp + fn)``, the detection rate; NaN without anomalous rows."""
        return ratio(self.tp, self.tp + self.fn)

    @property
    def detection_rate(self) -> float:
        """The recall, by the name that intrusion detection uses."""
        return self.recall

    @property
    def f1(self) -> float:
        """``2 tp / (2 tp + fp + fn)``; 0 if anomalies exist and no alarm does, NaN if neither exists."""
        return ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def false_positive_rate(self) -> float:
        """``fp / (fp + tn)``; NaN without normal rows."""
        return ratio(self.fp, self.fp + self.tn)

    @property
    def specificity(self) -> float:
        """``tn / (fp + tn)``; NaN without normal rows."""
        return ratio(self.tn, self.fp + self.tn)

    @property
    def balanced_accuracy(self) -> float:
        """Mean of recall and specificity: 0.5 for any detector that does not look at the rows."""
        return (self.recall + self.specificity) / 2.0

    @property
    def mcc(self) -> float:
        """Correlation of alarms and labels, -1 to 1; NaN where one is constant (B. W. Matthews, BBA 405(2), 1975)."""
        alarms, anomalous = self.tp + self.fp, self.tp + self.fn
        silent, normal = self.fn + self.tn, self.fp + self.tn
        return ratio(self.tp * self.tn - self.fp * self.fn, sqrt(alarms * anomalous * silent * normal))


def confusion(alarm: ArrayLike, labels: ArrayLike) -> Confusion:
    """Count the rows of alarms against labels.

    Parameters
    ----------
    alarm : bool array of shape (n,)
        Alarms, at a level that was chosen without these labels.
    labels : array of shape (n,)
        1 for anomalous rows, 0 for the others.

    Raises
    ------
    InputError
        If the two differ in length or hold anything but 0 and 1.
    """
    alarms, marks = alarmed("confusion", alarm, labels)
    tp = int(np.count_nonzero(alarms & marks))
    fp, fn = int(np.count_nonzero(alarms)) - tp, int(np.count_nonzero(marks)) - tp
    return Confusion(tp, fp, fn, len(marks) - tp - fp - fn)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A curve with one point for each threshold, from the fewest alarms to the most.

    Parameters
    ----------
    x, y : float64 ndarray of shape (points,)
        False-positive rate and recall (ROC), or recall and precision (PR), each in 0 to 1.
    thresholds : float64 ndarray of shape (points,)
        The point holds for alarms where ``score >= threshold``; infinity stands for no alarm at all.
    """

    x: Floats
    y: Floats
    thresholds: Floats

    def thinned(self, points: int) -> Curve:
        """At most ``points`` of the points, both ends among them, at equal steps along the curve.

        Length is counted as ``|dx| + |dy|``: a point left out lies within ``length / (points - 1)`` of one that
        stays, so steep parts survive where steps of equal row numbers would lose them. No point is moved.
        SettingError if ``points`` is below 2 or no whole number.
        """
        points = whole("Curve.thinned", "points", points, low=2)
        if len(self.x) <= points:
            return self
        steps = sum(np.abs(np.diff(side, prepend=side[0])) for side in np.nan_to_num([self.x, self.y]))
        length = np.cumsum(steps)
        kept = np.searchsorted(length, np.linspace(0.0, length[-1], points))
        kept[-1] = len(length) - 1
        kept = np.unique(kept)
        return Curve(self.x[kept], self.y[kept], self.thresholds[kept])


def roc_curve(scores: ArrayLike, labels: ArrayLike) -> Curve:
    """Recall over false-positive rate at every distinct score, beginning with no alarm at (0, 0).

    Parameters
    ----------
    scores : float array of shape (n,)
        Higher = more anomalous; equal scores alarm together.
    labels : array of shape (n,)
        1 for anomalous rows, 0 for the others.

    Returns
    -------
    Curve
        Distinct scores + 1 points. A rate is NaN throughout where its class has no rows.

    Raises
    ------
    InputError
        If the two differ in length, a score is NaN or a label is neither 0 nor 1.
    """
    values, caught, false = _steps("roc_curve", scores, labels)
    return Curve(
        np.concatenate([[0], false]) / (_last(false) or NAN),
        np.concatenate([[0], caught]) / (_last(caught) or NAN),
        np.concatenate([[np.inf], values]),
    )


def pr_curve(scores: ArrayLike, labels: ArrayLike) -> Curve:
    """Precision over recall at every distinct score; parameters and errors as :func:`roc_curve`.

    There is no point for "no alarm", where precision has no value. Recall is NaN where no row is anomalous.
    """
    values, caught, false = _steps("pr_curve", scores, labels)
    return Curve(caught / (_last(caught) or NAN), caught / (caught + false), values)


def roc_auc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Area under the ROC curve: how often an anomalous row scores above a normal one, equal scores counting half [1]_.

    ``(pairs won + pairs tied / 2) / (anomalous rows * normal rows)``, counted in whole numbers after one sort. 0 to 1,
    0.5 by chance, NaN where all rows are of one class. Parameters and errors as :func:`roc_curve`.

    References
    ----------
    .. [1] H. B. Mann, D. R. Whitney, Annals of Mathematical Statistics 18(1), 1947.
    """
    _, caught, false = _steps("roc_auc", scores, labels)
    return _area(caught, false)


def pr_auc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Average precision, the area under the PR curve by steps: ``sum_k (recall_k - recall_(k-1)) * precision_k``.

    ``k`` runs over the distinct scores, highest first. It is not the trapezoid under the PR curve, which promises
    what no threshold reaches [1]_. 0 to 1, near the share of anomalous rows by chance, NaN where no row is
    anomalous. Parameters and errors as :func:`roc_curve`.

    References
    ----------
    .. [1] J. Davis, M. Goadrich, The relationship between precision-recall and ROC curves, ICML 2006.
    """
    _, caught, false = _steps("pr_auc", scores, labels)
    gained = np.diff(caught, prepend=0)
    return ratio(float((gained * (caught / (caught + false))).sum()), _last(caught))


@dataclass(frozen=True, slots=True)
class Oracle:
    """The best that a threshold on the score alone reaches, chosen with the labels in hand: nobody on watch has it.

    Parameters
    ----------
    value : float
        The measure at that threshold.
    threshold : float
        Alarm where ``score >= threshold``; the highest of those that reach ``value``.
    """

    value: float
    threshold: float


def oracle_f1(scores: ArrayLike, labels: ArrayLike) -> Oracle:
    """Highest F1 over all thresholds on the score alone; both fields NaN where no row is anomalous.

    For comparison with published tables, never what a detector reached: its threshold saw the labels. It bounds alarms
    of the form ``score >= threshold`` and no others: a pipeline's alarms look at single channels too, and may have a
    higher F1.

    Parameters and errors as :func:`roc_curve`. TSB-AD 1.5 adds 0.00001 to the denominator: its value is lower by
    up to 0.000005.
    """
    values, caught, false = _steps("oracle_f1", scores, labels)
    if not _last(caught):
        return Oracle(NAN, NAN)
    f1 = 2 * caught / (caught + false + caught[-1])
    best = int(f1.argmax())
    return Oracle(float(f1[best]), float(values[best]))


def _steps(who: str, scores: ArrayLike, labels: ArrayLike) -> tuple[Floats, Rows, Rows]:
    """Distinct scores, highest first; anomalous and normal rows that score at least as much."""
    values, marks = scored(who, scores, labels)
    order = np.argsort(values)[::-1]  # equal scores are counted together, so their order is free
    ordered = values[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], [True] * bool(len(values))))
    caught = np.cumsum(marks[order], dtype=np.int64)[last]
    return ordered[last], caught, last + 1 - caught


def _area(caught: Rows, false: Rows) -> float:
    gained, lost = np.diff(caught, prepend=0), np.diff(false, prepend=0)
    beaten = 2 * (_last(false) - false) + lost  # twice the normal rows below each score, and once those beside it
    return ratio(int((gained * beaten).sum()), 2 * _last(caught) * _last(false))


def _last(counts: Rows) -> int:
    return int(counts[-1]) if len(counts) else 0
