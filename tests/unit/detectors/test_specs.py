"""A detector as one line of text, and back."""

from __future__ import annotations

import inspect
import keyword
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redshank.core import MissingExtraError, SettingError
from redshank.detectors import DETECTORS
from redshank.detectors.classical.pca import PCADetector
from redshank.detectors.specs import LONGEST, detector_of, read_call, read_spec, text_of


def installed() -> list[str]:
    names = []
    for name in DETECTORS:
        try:
            DETECTORS.get(name)
        except MissingExtraError:
            continue
        names.append(name)
    return names


@pytest.mark.parametrize("name", installed())
def test_a_name_alone_is_the_detector_with_its_usual_settings(name):
    detector = detector_of(name)
    assert type(detector) is DETECTORS.get(name)
    assert detector.settings() == DETECTORS.get(name)().settings()
    assert text_of(detector) == name


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("pca(latent=2)", {"latent": 2}),
        (" pca( latent = None ) ", {"latent": None}),
        ("ridge(lags=(5, 30), penalty=1e-3)", {"lags": (5, 30), "penalty": 1e-3}),
        ("ridge(lags=[5, 30])", {"lags": (5, 30)}),
        ("pai(pca(latent=2))", {"base": "pca(latent=2)"}),
        ("pai(base='pca(latent=2)', local=0)", {"base": "pca(latent=2)", "local": 0}),
        ("pai(pai(pai(knn)))", {"base": "pai(pai(knn))"}),
        ("ensemble(pca, ridge(penalty=0.1), how='max')", {"members": ("pca", "ridge(penalty=0.1)"), "how": "max"}),
        ("ensemble(('pca', 'knn'))", {"members": ("pca", "knn")}),
        ("ensemble(members=[pca, knn])", {"members": ("pca", "knn")}),
        ("half_space_trees(seed=-0)", {"seed": 0}),
    ],
)
def test_settings_are_read(text, settings):
    got = detector_of(text).settings()
    assert {name: got[name] for name in settings} == settings
    assert detector_of(text_of(detector_of(text))).settings() == got


def test_text_leaves_out_what_is_usual_and_nests_without_quotes():
    assert text_of(PCADetector(latent=3)) == "pca(latent=3)"
    assert text_of(detector_of("pai(base='pca(latent=2)', point=0.667)")) == "pai(pca(latent=2))"
    assert text_of(detector_of("ensemble(pca, knn, top=3)")) == "ensemble(pca, knn, top=3)"


@given(
    st.lists(st.sampled_from(["pca", "pca(latent=2)", "knn(neighbours=3)", "pai(ridge)"]), min_size=2, max_size=4),
    st.sampled_from(["max", "fisher", "log_mean"]),
    st.integers(1, 9),
)
def test_any_ensemble_comes_back_from_its_text(members, how, top):
    made = DETECTORS.get("ensemble")(members=tuple(members), how=how, top=top)
    assert detector_of(text_of(made)).settings() == made.settings()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pac", "did you mean 'pca'"),
        ("pai(pac)", "did you mean 'pca'"),
        ("ensemble(pca, rigde)", "did you mean 'ridge'"),
        ("pca(laten=2)", "did you mean 'latent'? its settings are: latent"),
        ("pca(zzz=2)", "its settings are: latent"),
        ("pca(2)", "pca: 2 stands without a name; its settings are: latent"),
        ("pca(latent=2, latent=3)", "latent is given twice"),
        ("pai(pca, base='knn')", "base is given twice"),
        ("pai(pca, knn)", "takes one base, not 2"),
        ("pai(3)", "wanted the text of a detector"),
        ("pca(**{'latent': 2})", "'**' cannot be read"),
        ("pca(latent=1+1)", "latent is 1 + 1; wanted"),
        ("pca(latent=__import__('os').getcwd())", "latent is __import__('os').getcwd(); wanted"),
        ("pca(latent={1: 2})", "latent is {1: 2}; wanted"),
        ("ridge(lags=(5, 'a'))", "wanted whole numbers only, or texts only"),
        ("pca(latent=", "cannot be read"),
        ("", "cannot be read"),
        ("pca; knn", "cannot be read"),
        ("a.b(c=1)", "cannot be read"),
        ("pca\0", "cannot be read"),
        ("(" * 900 + "pca" + ")" * 900, "cannot be read"),
        ("p" * (LONGEST + 1), f"at most {LONGEST}"),
    ],
)
def test_what_is_wrong_is_said(text, says):
    with pytest.raises(SettingError, match=re.escape(says)):
        detector_of(text)


def test_nothing_is_run():
    ran = []
    globals()["ran_by_spec"] = ran.append
    text = "pca(latent=ran_by_spec(1))"  # a call is the text of a detector, never called
    assert read_spec(text)[1] == {"latent": "ran_by_spec(1)"}
    assert not ran


@given(st.text(max_size=40))
def test_any_text_is_a_detector_or_a_setting_error(text):
    try:
        make, settings = read_spec(text)
    except (SettingError, MissingExtraError):
        return
    assert set(settings) <= set(inspect.signature(make).parameters)


def test_a_call_of_another_library_is_read_whatever_it_names():
    assert read_call("KNN(n_neighbors=10, method='mean')") == ("KNN", {"n_neighbors": 10, "method": "mean"})
    assert read_call("ECOD") == ("ECOD", {})
    with pytest.raises(SettingError, match="3 stands without a name"):
        read_call("KNN(3)")


def test_every_registered_name_can_be_written():
    assert all(name.isidentifier() and not keyword.iskeyword(name) for name in DETECTORS)
