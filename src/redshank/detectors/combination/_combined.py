"""What detectors share that are made of other detectors: members by text, their tags, their state, their fitting."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from redshank.core import Detector, InputError, ModelError, SettingError, Tags
from redshank.core.contracts import Array
from redshank.core.detector import Band
from redshank.detectors.combination._tail import LEAST
from redshank.detectors.specs import detector_of

HELD_BACK = 0.3
"""Last part of each training series whose scores are taken from members that have not learned from it."""

_OF_MEMBER = re.compile(r"(\d+)\.(.+)", re.ASCII)


class CombinedDetector(Detector):
    """A detector made of others, which it makes from texts, fits and keeps.

    Learned state of member i stands under ``"i.name"``. What a combined detector can do follows from its members, so
    its tags belong to the object and not to the class.
    """

    good_for = ""
    source = ""
    labelled = False
    ordered = False
    """Whether the order of rows counts even where no member looks at it."""

    @property
    @abstractmethod
    def _texts(self) -> tuple[str, ...]:
        """The members, as :func:`~redshank.detectors.specs.detector_of` reads them."""

    @cached_property
    def _unfitted(self) -> tuple[Detector, ...]:
        """One of each member, to ask what it can do."""
        members = tuple(detector_of(text) for text in self._texts)
        for text, member in zip(self._texts, members, strict=True):
            if member.tags.needs_labels:
                raise SettingError(
                    f"{self._name}: {text!r} learns from labels; wanted detectors that learn from normal rows alone"
                )
        return members

    @property
    def tags(self) -> Tags:  # type: ignore[override]  # of the object: what the members can do
        """What the members together can do."""
        tags = [member.tags for member in self._unfitted]
        return Tags(
            causal=all(own.causal for own in tags),
            sequence=self.ordered or any(own.sequence for own in tags),
            missing=all(own.missing for own in tags),
            streams=all(own.streams for own in tags),
            needs_labels=self.labelled,
            cheap=all(own.cheap for own in tags),
            good_for=self.good_for,
            cost=" + ".join(dict.fromkeys(own.cost for own in tags if own.cost)),
            source=self.source,
        )

    @property
    def warmup(self) -> int:
        """Rows before the first score: the most that a member needs."""
        return max(member.warmup for member in self._members)

    @property
    def _members(self) -> tuple[Detector, ...]:
        """The members: fitted once ``fit`` has run."""
        fitted: tuple[Detector, ...] = vars(self).get("_fitted", self._unfitted)
        return fitted

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything that ``fit`` learned, the members' own included, as plain arrays by name."""
        own = super().state()
        for i, member in enumerate(self._members):
            own |= {f"{i}.{name}": value for name, value in member.state().items()}
        return own

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> Self:
        """Take back what :meth:`state` gave, in a detector with equal settings; errors as of every detector."""
        own: dict[str, npt.NDArray[np.generic]] = {}
        parts: list[dict[str, npt.NDArray[np.generic]]] = [{} for _ in self._unfitted]
        for name, value in state.items():
            found = _OF_MEMBER.fullmatch(name)
            if found is None:
                own[name] = value
            elif int(found[1]) < len(parts):
                parts[int(found[1])][found[2]] = value
            else:
                raise ModelError(f"{self._name}: the state holds a member {found[1]}; there are {len(parts)}")
        self._fitted = tuple(detector_of(text).restore(part) for text, part in zip(self._texts, parts, strict=True))
        return super().restore(own)

    def _learn_members(self, series: list[Array]) -> list[Array]:
        """Fit the members on all rows; the scores that each gave to rows held back from it, all series together."""
        self._fitted = self._unfitted  # for warmup, while nothing is learned
        ends = [len(one) - int(len(one) * HELD_BACK) for one in series]
        # A series too short to show anything of itself once a part is held back is learned from whole.
        most = self.warmup + 1
        ends = [end if end > most else len(one) for end, one in zip(ends, series, strict=True)]
        held: list[Array] = []
        turns = 2 * len(self._texts)
        for i, text in enumerate(self._texts):
            member = self._fit_member(text, [one[:end] for one, end in zip(series, ends, strict=True)], 2 * i, turns)
            scores = [
                member.score_samples(one)[max(end, member.warmup) :]
                for one, end in zip(series, ends, strict=True)
                if end < len(one)
            ]
            held.append(np.concatenate([np.empty(0), *scores]))
            if len(held[-1]) < LEAST:
                raise InputError(
                    f"{self._name}: {len(held[-1])} rows could be held back to compare members; at least {LEAST} are "
                    f"needed, the last {HELD_BACK:.0%} of the training rows; give more"
                )
        self._fitted = tuple(self._fit_member(text, series, 2 * i + 1, turns) for i, text in enumerate(self._texts))
        return held

    def _fit_member(self, text: str, series: list[Array], turn: int, turns: int) -> Detector:
        member, report = detector_of(text), self.progress
        if report is not None:
            member.progress = lambda epoch, epochs, loss: report(turn * epochs + epoch, turns * epochs, loss)
        member.fit(series)
        member.progress = None
        return member

    def _member_scores(self, series: list[Array]) -> list[Array]:
        """Scores of every member for each series, (members, rows)."""
        if not series:
            return []
        ends = np.cumsum([len(one) for one in series])[:-1]
        together = np.stack([member.score_samples(series) for member in self._members])
        return np.split(together, ends, axis=1)

    def _member_shares(self, X: Array) -> Array:
        """How each member parts its score among the channels, (members, rows, channels); each row sums to 1."""
        return np.stack([shares_of(member.contributions(X)) for member in self._members])

    def _parted(self, X: Array, opinions: Array) -> Array:
        """Share of each channel in the opinions of the members, (rows, channels): the louder one counts for more."""
        total = opinions.sum(axis=0)
        weights = np.divide(opinions, total, out=np.full_like(opinions, 1.0 / len(opinions)), where=total > 0)
        return np.asarray(np.einsum("mr,mrc->rc", weights, self._member_shares(X)))

    def _expected(self, X: Array) -> Band:
        """What the first member expected."""
        return self._members[0].expected(X)


def shares_of(parts: Array) -> Array:
    """Each row divided by its sum; alike for all channels where there is nothing to part."""
    largest = parts.max(axis=1, keepdims=True)
    scaled = np.divide(parts, largest, out=np.ones_like(parts), where=largest > 0)  # no sum leaves float64
    shares: Array = scaled / scaled.sum(axis=1, keepdims=True)
    return shares
