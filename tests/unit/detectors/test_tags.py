"""What every registered detector says of itself, for whoever has to choose one."""

import re

import pytest
from tests.fixtures.quick import made

from redshank.cli.detectors import FAMILIES
from redshank.core import Classifier
from redshank.detectors import DETECTORS


@pytest.mark.parametrize("name", list(DETECTORS))
def test_tags_are_filled_in(name):
    tags = made(name).tags
    assert tags.good_for.strip(), "one line for the user who has to choose"
    assert "\n" not in tags.good_for
    assert re.match(r"O\(.+\)", tags.cost) or tags.cost.startswith(("as ", "that of")), tags.cost
    assert tags.source == tags.source.strip()


@pytest.mark.parametrize("name", list(DETECTORS))
def test_who_names_classes_needs_labels(name):
    detector = made(name)
    assert not isinstance(detector, Classifier) or detector.tags.needs_labels


@pytest.mark.parametrize("name", list(DETECTORS))
def test_it_lives_in_one_of_the_families(name):
    assert type(made(name)).__module__.split(".")[-2] in FAMILIES
