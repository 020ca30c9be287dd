"""Files, manifests and checksums."""

from __future__ import annotations

import gzip
import hashlib
import json

import numpy as np
import pytest

from redshank.core import InputError, Schema
from redshank.simulate import simulate, write

pl = pytest.importorskip("polars")


@pytest.fixture(scope="module")
def plant():
    return simulate(5, 96.0, seed=9, anomalies_per_device_week=8.0)


def read(path):
    if path.suffix == ".parquet":
        return pl.read_parquet(path)
    return pl.read_csv(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("name", ["plant.csv", "plant.csv.gz", "plant.parquet"])
def test_same_seed_same_bytes_and_true_checksum(tmp_path, plant, name, every):
    manifest = json.loads(write(plant, tmp_path / name, every=every).read_text())
    data = (tmp_path / name).read_bytes()
    assert manifest["sha256"] == hashlib.sha256(data).hexdigest()
    assert manifest["bytes"] == len(data)
    again = tmp_path / "again"
    again.mkdir()
    twin = simulate(5, 96.0, seed=9, anomalies_per_device_week=8.0)
    beside = write(twin, again / name, every=every)
    assert (again / name).read_bytes() == data
    assert json.loads(beside.read_text()) == manifest
    assert sorted(path.name for path in again.iterdir()) == sorted([name, f"{name}.manifest.json"])


@pytest.mark.parametrize("name", ["plant.csv", "plant.csv.gz", "plant.parquet"])
def test_rows_are_those_of_the_frame(tmp_path, plant, name):
    manifest = json.loads(write(plant, tmp_path / name).read_text())
    table = read(tmp_path / name)
    assert table.columns == ["time", "device", *plant.frame.schema.names, "fate", "label"]
    assert table.height == len(plant.frame) == manifest["rows"]
    values = table.select(plant.frame.schema.names).to_numpy().astype(np.float32)
    assert np.array_equal(values, plant.frame.values)
    assert table["device"].to_list() == [plant.frame.devices[i] for i in plant.frame.device]
    assert set(table["fate"]) == {"delivered", "retransmitted", "reordered"}


def test_times_are_iso_with_zone_and_milliseconds(tmp_path, plant):
    write(plant, tmp_path / "plant.csv")
    table = read(tmp_path / "plant.csv")
    assert table["time"].str.contains(r"^2024-01-0\dT\d\d:\d\d:\d\d\.\d{3}Z$").all()
    parsed = table["time"].str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", time_unit="ns").dt.epoch("ns")
    assert np.array_equal(parsed.to_numpy(), plant.frame.time_ns)


def test_label_column_holds_the_kind(tmp_path, plant):
    write(plant, tmp_path / "plant.parquet")
    table = read(tmp_path / "plant.parquet")
    wanted = np.full(len(plant.frame), None, dtype=object)
    for label in plant.labels:
        own = plant.frame.device == plant.frame.devices.index(label.device)
        wanted[own & (plant.frame.time_ns >= label.start_ns) & (plant.frame.time_ns <= label.end_ns)] = str(label.kind)
    assert table["label"].to_list() == wanted.tolist()


def test_every_transmission(tmp_path, plant):
    write(plant, tmp_path / "plant.parquet", every=True)
    table = read(tmp_path / "plant.parquet")
    assert table.height == len(plant.sent)
    counts = dict(table["fate"].value_counts().iter_rows())
    assert counts == {name: count for name, count in plant.fates().items() if count}
    lost = table.filter(pl.col("fate").is_in(["lost", "corrupted"]))
    assert lost["arrival"].null_count() == lost.height
    assert table["arrival"].null_count() == lost.height


def test_without_a_link(tmp_path):
    result = simulate(2, 24.0, link=None)
    for every in (False, True):
        write(result, tmp_path / "plant.csv", every=every)
        table = read(tmp_path / "plant.csv")
        assert "rssi" not in table.columns
        assert set(table["fate"]) == {"delivered"}


def test_manifest_says_everything(tmp_path, plant):
    manifest = json.loads(write(plant, tmp_path / "plant.csv").read_text())
    assert manifest["settings"]["seed"] == 9
    assert manifest["settings"]["link"]["attempts"] == 4
    assert manifest["fates"] == plant.fates()
    assert Schema.from_dict(manifest["schema"]) == plant.frame.schema
    assert manifest["devices"] == list(plant.frame.devices)
    assert [(x["device"], x["start_ns"], x["cause"]) for x in manifest["labels"]] == [
        (x.device, x.start_ns, x.cause) for x in plant.labels
    ]


def test_bad_targets(tmp_path, plant):
    with pytest.raises(InputError, match="ends in none"):
        write(plant, tmp_path / "plant.xlsx")
    with pytest.raises(InputError, match="does not exist"):
        write(plant, tmp_path / "nowhere" / "plant.csv")


def test_an_interrupted_write_leaves_the_old_file(tmp_path, plant, monkeypatch):
    target = tmp_path / "plant.csv"
    target.write_text("old")

    def interrupt(self, part, **settings):
        part.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(pl.DataFrame, "write_csv", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(plant, target)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["plant.csv"]
