"""Raw score to tail probability to alarm, at a budget of false alarms."""

from redshank.calibrate.budget import Budget
from redshank.core import Calibrator, Entry, Registry

CALIBRATORS: Registry[Calibrator] = Registry(
    "calibrator",
    {
        "conformal": Entry("redshank.calibrate.conformal:ConformalCalibrator"),
        "extreme": Entry("redshank.calibrate.extreme:ExtremeCalibrator"),
        "likelihood": Entry("redshank.calibrate.likelihood:LikelihoodCalibrator"),
    },
)
"""Every registered calibrator; a new one is one line here."""

__all__ = ["CALIBRATORS", "Budget"]
