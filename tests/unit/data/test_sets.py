"""Public data sets by name: each opens, and what its README counts is counted again."""

import gzip

import numpy as np
import pytest

from redshank.core import InputError, Kind, label_rows
from redshank.data import audit, load, names
from redshank.data.sets.nsl_kdd import by_family


def all_of(root, family):
    return [load(name, root) for name in names(root) if name.split("/")[0] == family]


def consistent(dataset):
    """Labels and row labels say the same, and every label lies on a device."""
    frame = dataset.frame
    assert dataset.y is not None
    assert dataset.y.dtype == np.int8
    np.testing.assert_array_equal(label_rows(dataset.labels, frame), dataset.y)
    assert {label.device for label in dataset.labels} <= set(frame.devices)


def test_nab(data_root):
    sets = all_of(data_root, "nab")
    assert len(sets) == 58
    assert sum(map(len, sets)) == 365_558
    assert sum(len(one.labels) for one in sets) == 116
    assert sum(int(one.y.sum()) for one in sets) / 365_558 == pytest.approx(0.0916, abs=5e-5)
    for one in sets:
        consistent(one)


def test_nab_keeps_every_row_in_place(data_root):
    dataset = load("nab/realKnownCause/machine_temperature_system_failure", data_root)
    assert len(dataset) == 22_695
    assert int((np.diff(dataset.frame.time_ns) < 0).sum()) == 1
    assert len(dataset.labels) == 4


def test_skab(data_root):
    sets = all_of(data_root, "skab")
    assert len(sets) == 17
    valve = [one for one in sets if "valve1" in one.name]
    assert sum(map(len, valve)) == 18_160
    assert sum(int(one.y.sum()) for one in valve) == 6_309
    assert all(len(one.frame.schema) == 8 for one in sets)
    for one in valve:
        consistent(one)
    assert len(load("skab/anomaly-free/anomaly-free", data_root)) == 9_405


def test_smd(data_root):
    sets = all_of(data_root, "smd")
    assert sum(int(one.train.sum()) for one in sets) == 118_473
    assert sum(int((~one.train).sum()) for one in sets) == 118_476
    for one in sets:
        consistent(one)
        assert one.frame.schema.names == tuple(f"dim_{i}" for i in range(1, 39))
        assert (np.diff(one.frame.time_ns) == 60 * 10**9).all()
        assert not one.y[one.train].any()
        assert all(label.channels for label in one.labels)
    six = next(one for one in sets if one.name.endswith("1-6"))
    assert six.y[~six.train].mean() == pytest.approx(0.1565, abs=5e-5)
    assert six.labels[0].channels[:5] == ("dim_1", "dim_2", "dim_3", "dim_4", "dim_6")


def test_asd(data_root):
    sets = all_of(data_root, "asd")
    assert sum(int(one.train.sum()) for one in sets) == 69_120
    assert sum(int(one.y.sum()) for one in sets) / 34_560 == pytest.approx(0.0388, abs=5e-5)
    for one in sets:
        consistent(one)


def test_smap_msl(data_root):
    sets = all_of(data_root, "smap_msl")
    assert len(sets) == 54
    for craft, train, test, share in (("SMAP", 92_346, 292_514, 0.143), ("MSL", 37_848, 52_344, 0.116)):
        own = [one for one in sets if craft in one.name]
        assert sum(int(one.train.sum()) for one in own) == train
        assert sum(int((~one.train).sum()) for one in own) == test
        assert sum(int(one.y.sum()) for one in own) / test == pytest.approx(share, abs=5e-4)
    for one in sets:
        consistent(one)
    assert len(load("smap_msl/SMAP/P-2", data_root).labels) == 2
    assert load("smap_msl/SMAP/E-1", data_root).labels[0].kind is Kind.CONTEXTUAL


def test_ucr(data_root):
    listed = [name for name in names(data_root) if name.startswith("ucr/")]
    assert len(listed) == 117
    dataset = load("ucr/113", data_root)
    assert dataset.train.sum() == 4_000
    assert np.flatnonzero(dataset.y).tolist() == [5_390, 5_391]
    assert load("ucr/113_UCR_Anomaly_CIMIS44AirTemperature1_4000_5391_5392", data_root).name == dataset.name
    for name in listed[::20]:
        one = load(name, data_root)
        consistent(one)
        assert not one.y[one.train].any()
        assert len(one.labels) == 1


def test_gecco(data_root):
    dataset = load("gecco2018", data_root)
    consistent(dataset)
    assert (len(dataset), len(dataset.frame.schema), int(dataset.y.sum()), len(dataset.labels)) == (
        139_566,
        9,
        1_726,
        51,
    )
    assert int(np.isnan(dataset.frame.values).all(axis=1).sum()) == 1_044
    assert dataset.frame.interval_s() == 60


def test_occupancy(data_root):
    for name, rows in (("occupancy/datatraining", 8_143), ("occupancy/datatest", 2_665)):
        dataset = load(name, data_root)
        assert len(dataset) == rows
        assert dataset.frame.schema.names == ("Temperature", "Humidity", "Light", "CO2", "HumidityRatio")
        assert dataset.y is None


def test_batadal(data_root):
    dataset = load("batadal", data_root)
    consistent(dataset)
    assert (int(dataset.train.sum()), int((~dataset.train).sum())) == (8_761, 4_177)
    assert (len(dataset.frame.schema), int(dataset.y.sum())) == (43, 492)
    assert not dataset.y[dataset.train].any()


def test_oil_wells(data_root):
    sets = all_of(data_root, "oil_wells_3w")
    assert len(sets) == 45
    assert sum(map(len, sets)) == 849_052
    assert sum(int(one.y.sum()) for one in sets) == 496_071 + 36_507
    assert all(len(one.frame.schema) == 8 for one in sets)
    for one in sets:
        consistent(one)


def test_cmapss(data_root):
    for name, rows in (("cmapss/train_FD001", 20_631), ("cmapss/test_FD001", 13_096)):
        dataset = load(name, data_root)
        assert (len(dataset), len(dataset.frame.schema), len(dataset.frame.devices)) == (rows, 24, 100)


def test_the_root_comes_from_argument_environment_or_beside(data_root, tmp_path, monkeypatch):
    assert len(load("skab/valve1/0", str(data_root))) == 1_147
    monkeypatch.setenv("REDSHANK_DATA", str(data_root))
    monkeypatch.chdir(tmp_path)
    assert len(load("skab/valve1/0")) == 1_147
    monkeypatch.delenv("REDSHANK_DATA")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "data").symlink_to(data_root)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    assert len(load("skab/valve1/0")) == 1_147


def test_a_missing_set_says_where_it_is_published(tmp_path):
    with pytest.raises(InputError, match=r"published at GitHub numenta/NAB.*REDSHANK_DATA"):
        load("nab/realKnownCause/nyc_taxi", tmp_path)
    assert names(tmp_path) == []


def test_misspelt_names(data_root):
    with pytest.raises(InputError, match="did you mean 'skab'"):
        load("skap/valve1/0", data_root)
    with pytest.raises(InputError, match="did you mean smd/machine-1-6"):
        load("smd/machine-1-66", data_root)
    with pytest.raises(InputError, match="has no series 2;"):
        load("ucr/2", data_root)


@pytest.mark.parametrize("machine", ["1-6", "1-7", "2-1", "2-2", "2-7"])
def test_the_audit_finds_nothing_in_smd(data_root, machine):
    found = audit(load(f"smd/machine-{machine}", data_root))
    assert {one.check for one in found} <= {"constant"}
    assert all(one.severity == "warning" for one in found)


def test_nsl_kdd(data_root):
    dataset = load("nsl_kdd/KDDTrain+_20Percent", data_root)
    assert len(dataset) == 25_192
    assert dataset.y.mean() == pytest.approx(0.466, abs=5e-4)
    consistent(dataset)
    assert set(dataset.kinds[dataset.y == 0]) == {"normal"}
    assert len(set(dataset.kinds[dataset.y == 1])) == 21
    assert int((dataset.kinds == "smurf (dos)").sum()) == 529
    assert {kind.rsplit("(", 1)[1] for kind in set(dataset.kinds) - {"normal"}} == {"dos)", "probe)", "r2l)", "u2r)"}
    names_, values = dataset.frame.schema.names, dataset.frame.values
    assert len(names_) == 38 + 3 + 70 + 11
    assert not any("difficulty" in name for name in names_)
    first = dict(zip(names_, values[0].tolist(), strict=True))
    assert first["src_bytes"] == 491
    assert first["service=ftp_data"] == first["protocol_type=tcp"] == first["flag=SF"] == 1
    for field, count in (("protocol_type", 3), ("service", 70), ("flag", 11)):
        own = [j for j, name in enumerate(names_) if name.startswith(f"{field}=")]
        assert len(own) == count
        assert (values[:, own].sum(axis=1) == 1).all()
    assert all(label.kind is Kind.NETWORK_ATTACK for label in dataset.labels)
    assert dataset.notes[0].startswith("no time column")


def test_nsl_kdd_by_family(data_root):
    dataset = load("nsl_kdd/KDDTrain+_20Percent", data_root)
    families = by_family(dataset)
    assert set(families.kinds) == {"normal", "dos", "probe", "r2l", "u2r"}
    for kind, family in set(zip(dataset.kinds.tolist(), families.kinds.tolist(), strict=True)):
        assert kind == family == "normal" or kind.endswith(f"({family})")
    assert {label.cause for label in families.labels} == {"dos", "probe", "r2l", "u2r"}
    consistent(families)
    with pytest.raises(InputError, match="names no attacks"):
        by_family(load("ucr/113", data_root))


@pytest.mark.parametrize(
    ("old", "new"), [(",SF,", ",SG,"), (",neptune,", ",neptun,"), ("0,tcp", "x,tcp"), (",0,", ",")]
)
def test_damaged_nsl_kdd(data_root, tmp_path, old, new):
    folder = tmp_path / "nsl_kdd"
    folder.mkdir()
    there = data_root / "nsl_kdd"
    for name in ("Field Names.csv", "Attack Types.csv"):
        (folder / name).write_bytes((there / name).read_bytes())
    lines = gzip.decompress((there / "KDDTrain+_20Percent.txt.gz").read_bytes()).decode().splitlines()[:50]
    whole = "\n".join(lines)
    (folder / "KDDTrain+_20Percent.txt.gz").write_bytes(gzip.compress(whole.encode()))
    assert len(load("nsl_kdd/KDDTrain+_20Percent", tmp_path)) == 50
    (folder / "KDDTrain+_20Percent.txt.gz").write_bytes(gzip.compress(whole.replace(old, new, 1).encode()))
    with pytest.raises(InputError, match=r"published|number|attack"):
        load("nsl_kdd/KDDTrain+_20Percent", tmp_path)
