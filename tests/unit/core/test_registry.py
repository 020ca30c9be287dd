"""Components by name: found, missing, misspelt, not installed."""

import sys

import pytest

from redshank.core import Entry, MissingExtraError, Registry, SettingError
from redshank.core.registry import Registry as Same

TABLE = Registry(
    "thing",
    {
        "registry": Entry("redshank.core.registry:Registry"),
        "entry": Entry("redshank.core.registry:Entry"),
        "heavy": Entry("a_library_that_nobody_has.inner:Thing", extra="train"),
        "plain": Entry("a_library_that_nobody_has:Thing"),
        "lost": Entry("redshank.core.gone:Thing"),
    },
)


def test_lookup():
    assert TABLE.get("registry") is Same
    assert list(TABLE) == ["entry", "heavy", "lost", "plain", "registry"]
    assert "entry" in TABLE
    assert "Entry" not in TABLE
    assert TABLE.extra_of("heavy") == "train"
    assert TABLE.extra_of("entry") == ""


def test_name_of():
    assert TABLE.name_of(Same) == "registry"
    with pytest.raises(SettingError, match="SettingError is not a registered thing"):
        TABLE.name_of(SettingError)


@pytest.mark.parametrize("wrong", ["regitsry", "Registry", "REGISTRY"])
def test_offers_the_nearest_name(wrong):
    with pytest.raises(SettingError, match=f"no thing is called '{wrong}'; did you mean 'registry'"):
        TABLE.get(wrong)


def test_offers_all_where_none_is_near():
    with pytest.raises(SettingError, match="there are: entry, heavy, lost, plain, registry"):
        TABLE.extra_of("qqqq")


def test_missing_extra_names_library_and_command():
    with pytest.raises(MissingExtraError, match=r"'heavy' needs a_library_that_nobody_has.*'redshank\[train\]'") as e:
        TABLE.get("heavy")
    assert isinstance(e.value, ImportError)
    assert isinstance(e.value.__cause__, ModuleNotFoundError)
    with pytest.raises(MissingExtraError, match=r"'redshank'$"):
        TABLE.get("plain")


def test_our_own_missing_module_is_no_missing_extra():
    with pytest.raises(ModuleNotFoundError) as e:
        TABLE.get("lost")
    assert not isinstance(e.value, MissingExtraError)


def test_nothing_is_imported_before_it_is_asked_for():
    sys.modules.pop("this", None)
    Registry("poem", {"zen": Entry("this:s")})
    assert "this" not in sys.modules
