"""False-alarm budgets in people's words."""

import pytest

from redshank.calibrate import Budget
from redshank.core import SettingError

WEEK = 604800.0


@pytest.mark.parametrize(
    ("text", "count", "unit", "per_device"),
    [
        ("1 per device per week", 1, "week", True),
        ("3 per day", 3, "day", False),
        ("0.5 / device / month", 0.5, "month", True),
        ("1/device/week", 1, "week", True),
        ("  One alarm per device a week ", 1, "week", True),
        ("two false alarms per device per year", 2, "year", True),
        ("three incidents an hour", 3, "hour", False),
        ("1 FALSE ALARM PER DEVICE PER WEEK", 1, "week", True),
        ("10 alarms each minute", 10, "minute", False),
        ("1 a device a day", 1, "day", True),
        ("0.00001 per year", 1e-5, "year", False),
    ],
)
def test_spellings(text, count, unit, per_device):
    assert Budget.parse(text) == Budget(count, unit, per_device)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "week",
        "per week",
        "1 per",
        "1 per device",
        "1 per fortnight",
        "-1 per week",
        "1e3 per week",
        ".5 per week",
        "1, per week",
        "1 per device per device per week",
        "1 per week per week",
        "four per week",
        "nan per week",
        "inf per week",
        "1 per week; 2 per day",
    ],
)
def test_nonsense(text):
    with pytest.raises(SettingError, match="is not understood; write for example"):
        Budget.parse(text)


@pytest.mark.parametrize("text", ["0 per week", "0.000 per device per day", "9" * 400 + " per week"])
def test_no_number_above_zero(text):
    with pytest.raises(SettingError, match="wanted a number above 0"):
        Budget.parse(text)


def test_unit_and_count_are_checked():
    for count, unit in ((1.0, "weeks"), (-1.0, "week"), (float("nan"), "week"), (float("inf"), "day")):
        with pytest.raises(SettingError):
            Budget(count, unit)


def test_rate():
    assert Budget(1.0, "week").per_device_second(50) == pytest.approx(1.0 / WEEK)
    assert Budget(7.0, "day", per_device=False).per_device_second(7) == pytest.approx(1.0 / 86400.0)
    assert Budget(1.0, "week", per_device=False).per_device_second(0) == pytest.approx(1.0 / WEEK)
    assert Budget(12.0, "year").per_device_second(1) == pytest.approx(Budget(1.0, "month").per_device_second(1))


def test_words():
    assert str(Budget(1.0, "week")) == "1 per device per week"
    assert str(Budget(0.8, "day", per_device=False)) == "0.8 per day"
    # The pipeline hands budgets on as text: neither an exponent nor a rounded number may come of it.
    for count in (8e-5, 1.6e6, 0.1 * 0.8, 1.0 / 3.0, 123456789.0):
        assert Budget.parse(str(Budget(count, "week"))).count == count
