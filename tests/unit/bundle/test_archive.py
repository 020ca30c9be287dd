"""A saved model scores exactly as the one that was saved, and a damaged one is refused in one sentence."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.fixtures.quick import made, told

from redshank.bundle import load, save
from redshank.bundle.archive import MEMBERS
from redshank.calibrate import CALIBRATORS
from redshank.core import Frame, ModelError, NotFittedError, Schema, SettingError
from redshank.detectors import DETECTORS
from redshank.pipeline import Pipeline

EVERY = [*((name, "extreme") for name in DETECTORS), *(("pca", name) for name in CALIBRATORS if name != "extreme")]


def readings(rows: int = 900, seed: int = 0) -> Frame:
    """Two devices, three channels that follow each other, some gaps."""
    rng = np.random.default_rng(seed)
    t = np.arange(rows)
    day = np.sin(t / 40)[:, None] * [1.0, 2.0, -1.0]
    values = np.concatenate([day + rng.normal(0, 0.1, (rows, 3)), 5 + day + rng.normal(0, 0.2, (rows, 3))])
    values[rng.random(values.shape) < 0.01] = np.nan
    values[-30:] += [3.0, 0.0, 0.0]
    time_ns = np.tile(t, 2) * 60_000_000_000
    return Frame(Schema.of(("a", "b", "c"), 60.0), ("x", "ÿ \n"), np.repeat([0, 1], rows), time_ns, values)


FRAME = readings()


def fitted(detector: str = "pca", calibrator: str = "extreme") -> Pipeline:
    one = made(detector)
    pipeline = Pipeline(one, calibrator=calibrator, budget="2 per device per day")
    return pipeline.fit(FRAME.take(slice(None, None)), **told(one, FRAME))


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return save(fitted(), tmp_path_factory.mktemp("model") / "good.redshank")


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def loaded_or_refused(path: Path) -> Pipeline | None:
    """Nothing but a model or a ModelError in one line comes of a file; None for the latter."""
    try:
        return load(path)
    except ModelError as error:
        text = str(error)
    assert text.startswith(str(path))
    assert "\n" not in text
    return None


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load(path)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    return text


@pytest.mark.parametrize(("detector", "calibrator"), EVERY)
def test_a_loaded_model_says_exactly_the_same(tmp_path, detector, calibrator):
    pipeline = fitted(detector, calibrator)
    again = load(save(pipeline, tmp_path / "m.redshank"))
    other = readings(seed=1)
    for frame in (FRAME, other):
        before, after = pipeline.predict(frame), again.predict(frame)
        for part in ("score", "ready", "p", "alarm"):
            np.testing.assert_array_equal(getattr(before, part), getattr(after, part), err_msg=part)
    was, now = pipeline.analyse(other), again.analyse(other)
    assert repr(was.incidents) == repr(now.incidents)  # a reading seen may be NaN, which equals nothing
    for part in ("contributions", "expected", "low", "high"):
        np.testing.assert_array_equal(getattr(was, part), getattr(now, part), err_msg=part)
    if was.kinds is not None:
        np.testing.assert_array_equal(was.kinds, now.kinds)
    assert again.notes_ == pipeline.notes_
    assert again.held_back_rate_ == pipeline.held_back_rate_
    assert again.schema_ == pipeline.schema_
    assert save(again, tmp_path / "n.redshank").read_bytes() == (tmp_path / "m.redshank").read_bytes()


@pytest.mark.parametrize("detector", list(DETECTORS))
def test_equal_models_are_equal_files(tmp_path, detector):
    one, two = (save(fitted(detector), tmp_path / name) for name in ("a", "b"))
    assert one.read_bytes() == two.read_bytes()


def test_only_manifest_and_arrays(model):
    content = members(model)
    assert list(content) == list(MEMBERS)
    manifest = json.loads(content["manifest.json"])
    assert manifest["detector"]["name"] == "pca"
    assert manifest["devices"] == ["x", "ÿ \n"]
    digest = hashlib.sha256(content["arrays.safetensors"]).hexdigest()
    assert manifest["sha256"]["arrays.safetensors"] == digest


def test_unfitted(tmp_path):
    with pytest.raises(NotFittedError):
        save(Pipeline("pca"), tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_a_detector_that_is_not_registered(tmp_path):
    class Mine(DETECTORS.get("pca")):  # type: ignore[misc]
        pass

    with pytest.raises(SettingError, match="not a registered detector"):
        save(Pipeline(Mine()).fit(FRAME), tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "m.redshank"
    target.write_text("of last time")
    pipeline = fitted()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "the disk is full")

    for place in ("zipfile.ZipFile.writestr", "pathlib.Path.replace"):
        with monkeypatch.context() as patch:
            patch.setattr(place, full)
            with pytest.raises(OSError, match="full"):
                save(pipeline, target)
        assert [path.name for path in tmp_path.iterdir()] == ["m.redshank"]
        assert target.read_text() == "of last time"


class TestDamage:
    def test_missing_and_folder(self, tmp_path):
        assert "no such file" in refused(tmp_path / "none")
        refused(tmp_path)

    def test_cut_short_anywhere(self, tmp_path, model):
        whole, path = model.read_bytes(), tmp_path / "m"
        for size in [0, 1, 30, *np.linspace(31, len(whole) - 1, 40).astype(int)]:
            path.write_bytes(whole[:size])
            refused(path)

    def test_a_flipped_byte_anywhere(self, tmp_path, model):
        """Refused, or (in bytes that zip does not read, such as a date) of no effect."""
        whole, path = model.read_bytes(), tmp_path / "m"
        wanted = load(model).score_samples(FRAME)
        unread = 0
        for place in np.random.default_rng(0).permutation(len(whole))[:300].tolist() + list(range(60)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
            again = loaded_or_refused(path)
            if again is not None:
                unread += 1
                np.testing.assert_array_equal(again.score_samples(FRAME), wanted)
        assert unread < 40

    def test_pickle_renamed(self, tmp_path):
        path = tmp_path / "m.redshank"
        path.write_bytes(b"\x80\x04\x95\x17\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.")
        refused(path)

    @pytest.mark.parametrize("name", ["../evil.py", "/evil", "manifest.json/../x", "code.pkl"])
    def test_further_members(self, tmp_path, model, name):
        assert "a model holds" in refused(pack(tmp_path / "m", members(model) | {name: b"x"}))
        assert [path.name for path in tmp_path.iterdir()] == ["m"]

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_a_member_twice(self, tmp_path, model):
        path = pack(tmp_path / "m", members(model))
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("manifest.json", b"{}")
        refused(path)

    def test_a_missing_member(self, tmp_path, model):
        content = members(model)
        del content["arrays.safetensors"]
        refused(pack(tmp_path / "m", content))

    @pytest.mark.parametrize("member", MEMBERS)
    def test_a_bomb_is_not_unpacked(self, tmp_path, model, member, monkeypatch):
        """A member of zeros, 1000 times as large unpacked: refused by its declared size."""
        monkeypatch.setattr("redshank.bundle.archive.LARGEST_MEMBER", 1_000_000)
        path = pack(tmp_path / "m", members(model) | {member: bytes(2_000_000)})
        assert "2000000 bytes" in refused(path)

    def test_another_format(self, tmp_path, model):
        for wrong in (0, 2, "1", None):
            refused(changed(tmp_path / "m", model, lambda m, wrong=wrong: m | {"format": wrong}))
        for text in (b"[]", b"1", b"", b"{", b"\xff\xfe", b"[" * 100_000):
            refused(pack(tmp_path / "m", members(model) | {"manifest.json": text}))

    def test_arrays_that_are_not_those_of_the_manifest(self, tmp_path, model):
        content = members(model)
        packed = bytearray(content["arrays.safetensors"])
        packed[-1] ^= 1
        assert "do not match" in refused(pack(tmp_path / "m", content | {"arrays.safetensors": bytes(packed)}))

    @pytest.mark.parametrize("packed", [b"", b"x" * 100, (2**62).to_bytes(8, "little") + b"{}"])
    def test_arrays_that_are_none(self, tmp_path, model, packed):
        digest = {"arrays.safetensors": hashlib.sha256(packed).hexdigest()}
        path = changed(tmp_path / "m", model, lambda m: m | {"sha256": digest}, packed)
        refused(path)

    def test_a_manifest_with_anything_missing_or_of_another_type(self, tmp_path, model):
        """Each leaf of the manifest in turn is taken away or replaced: one sentence, or a model that loads."""
        manifest = json.loads(members(model)["manifest.json"])
        tried = 0
        for place in leaves(manifest):
            for wrong in (Ellipsis, None, "x", -1, [], {}, [None], 10**30):
                tried += 1
                path = changed(tmp_path / "m", model, lambda m, p=place, w=wrong: replaced(m, p, w))
                loaded_or_refused(path)
        assert tried > 200

    def test_an_unknown_detector(self, tmp_path, model):
        text = refused(changed(tmp_path / "m", model, lambda m: replaced(m, ("detector", "name"), "pcaa")))
        assert "'pcaa'" in text


def changed(path: Path, model: Path, change, packed: bytes | None = None) -> Path:
    content = members(model)
    content["manifest.json"] = json.dumps(change(json.loads(content["manifest.json"]))).encode()
    if packed is not None:
        content["arrays.safetensors"] = packed
    return pack(path, content)


def leaves(value: object, place: tuple = ()) -> list[tuple]:
    """Places of everything in nested dicts and lists, branches too."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([place] if place else []), *(one for key, below in inside for one in leaves(below, (*place, key)))]


def replaced(value: dict, place: tuple, wrong: object) -> dict:
    """``value`` with another entry at ``place``; without it where ``wrong`` is an ellipsis."""
    target = value
    for key in place[:-1]:
        target = target[key]
    if wrong is Ellipsis:
        del target[place[-1]]
    else:
        target[place[-1]] = wrong
    return value


def test_loading_runs_no_pickle(model):
    """Neither the module's loader is called nor code of the file is run: watched from below, in a fresh process."""
    code = """if True:
        import sys
        seen = []
        sys.addaudithook(lambda event, args: seen.append(event))
        import redshank.bundle, redshank.detectors.classical.pca, redshank.calibrate.extreme
        del seen[:]
        redshank.load_model(sys.argv[1])
        print([event for event in seen if event.startswith("pickle.")], "torch" in sys.modules)
    """
    done = subprocess.run(
        [sys.executable, "-c", code, str(model)], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[] False"


def test_a_model_of_before_sampling_and_notes_still_loads(tmp_path, model):
    content = members(model)
    manifest = json.loads(content["manifest.json"])
    for name in ("sampling", "sampled", "step_s", "notes"):
        del manifest["pipeline"][name]
    old = load(pack(tmp_path / "old", content | {"manifest.json": json.dumps(manifest).encode()}))
    assert (old.sampling, old.scorer_.sampling, old.notes_) == ("as_is", "as_is", ())
    np.testing.assert_array_equal(old.predict(FRAME).p, load(model).predict(FRAME).p)
