"""Objects of pandas, polars and NumPy."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from redshank.core import InputError
from redshank.data import from_table

START = np.datetime64("2024-01-01", "ns").astype(np.int64)
TIMES = pd.date_range("2024-01-01", periods=5, freq="1min")


def check(dataset):
    np.testing.assert_array_equal(dataset.frame.time_ns, START + np.arange(5) * 60_000_000_000)
    np.testing.assert_array_equal(dataset.frame.values, [[i, i * 2] for i in range(5)])
    assert dataset.frame.schema.names == ("a", "b")


VALUES = {"a": np.arange(5), "b": np.arange(5) * 2.0}


def test_pandas():
    check(from_table(pd.DataFrame({"when": TIMES, **VALUES})))
    check(from_table(pd.DataFrame(VALUES, index=TIMES)))
    check(from_table(pd.DataFrame(VALUES, index=TIMES.tz_localize("UTC").rename("stamp"))))
    check(from_table(pd.DataFrame({"when": TIMES.astype(str), **VALUES}, index=[5, 6, 7, 8, 9])))
    check(from_table(pd.DataFrame({"when": TIMES.tz_localize("UTC").tz_convert("Asia/Tokyo"), **VALUES})))


def test_pandas_oddities():
    series = from_table(pd.Series([1.0, 2.0, 4.0], name="level"))
    assert series.frame.schema.names == ("level",)
    mixed = from_table(pd.DataFrame({"when": TIMES, "a": [0, 1, "2", 3.0, 4], "b": VALUES["b"]}))
    check(mixed)
    with pytest.raises(InputError, match="2 levels"):
        from_table(pd.DataFrame([[1.0, 2.0]] * 3, columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])))
    with pytest.raises(InputError, match="two columns are called 'a'"):
        from_table(pd.DataFrame([[1.0, 2.0]] * 3, columns=["a", "a"]))


def test_polars():
    frame = pl.DataFrame({"when": TIMES.to_numpy(), **VALUES})
    check(from_table(frame))
    check(from_table(frame.lazy()))
    assert from_table(pl.Series("level", [1.0, None, 3.0])).ledger["missing cells"] == 1


def test_numpy():
    dataset = from_table(np.array([[1.0, np.nan], [2.0, 3.0]]))
    assert dataset.frame.schema.names == ("channel_0", "channel_1")
    assert len(from_table(np.arange(5, dtype=np.int16))) == 5
    with pytest.raises(InputError, match="wanted rows x channels"):
        from_table(np.zeros((2, 2, 2)))
    with pytest.raises(InputError, match="wanted rows x channels"):
        from_table(np.array(["a", "b"]))
    with pytest.raises(InputError, match="row 2, column 1 holds inf"):
        from_table(np.array([[1.0], [np.inf]]))
    with pytest.raises(InputError, match="at least two rows"):
        from_table(np.zeros((1, 3)))
    with pytest.raises(InputError, match="5,000 columns"):
        from_table(np.zeros((2, 5000)))


def test_options_hold_here_too():
    frame = pl.DataFrame({"when": TIMES.to_numpy()[::-1], "label": [0, 0, 1, 0, 0], **VALUES})
    with pytest.raises(InputError, match="row 2, column 'when' goes back"):
        from_table(frame)
    dataset = from_table(frame, sort=True, label="label", ignore="b")
    assert dataset.y.tolist() == [0, 0, 1, 0, 0]
    assert dataset.frame.values[:, 0].tolist() == [4, 3, 2, 1, 0]


@pytest.mark.parametrize("thing", [[1, 2], {"a": [1]}, "text", None])
def test_other_things_are_refused(thing):
    with pytest.raises(InputError, match="cannot read a"):
        from_table(thing)


def test_empty_and_infinite():
    with pytest.raises(InputError, match="has no rows"):
        from_table(pl.DataFrame({"a": []}))
    with pytest.raises(InputError, match="row 2, column 'a' holds inf"):
        from_table(pl.DataFrame({"a": [1.0, float("inf"), 2.0]}))
