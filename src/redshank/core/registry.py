"""Components by name, imported only when asked for, so that an edge install never loads what it lacks."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from redshank.core.errors import MissingExtraError, SettingError

T = TypeVar("T")

FEW = 20
"""Names that a message may list."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a component lives (``"module:Class"``) and the extra it needs, empty for the core install."""

    place: str
    extra: str = ""


class Registry(Generic[T]):
    """A read-only table of component classes.

    Parameters
    ----------
    kind : str
        What the table holds, for messages: ``"detector"``.
    entries : mapping of str to Entry
        Short lower-case names.
    """

    def __init__(self, kind: str, entries: Mapping[str, Entry]) -> None:
        self.kind = kind
        self._entries = dict(entries)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def extra_of(self, name: str) -> str:
        """The extra that ``name`` needs; empty for the core install."""
        return self._find(name).extra

    def get(self, name: str) -> type[T]:
        """The class behind ``name``.

        Raises
        ------
        SettingError
            If there is no such name; the nearest is offered.
        MissingExtraError
            If its extra is not installed.
        """
        entry = self._find(name)
        module, _, attribute = entry.place.partition(":")
        try:
            found: type[T] = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if error.name is not None and error.name.startswith("redshank"):
                raise
            package = f"redshank[{entry.extra}]" if entry.extra else "redshank"
            raise MissingExtraError(
                f"{self.kind} {name!r} needs {error.name}, which is not installed; "
                f"install it with: pip install '{package}'"
            ) from error
        return found

    def name_of(self, cls: type[T]) -> str:
        """The name under which a class is registered.

        Raises
        ------
        SettingError
            If the class is not in the table.
        """
        place = f"{cls.__module__}:{cls.__qualname__}"
        for name, entry in self._entries.items():
            if entry.place == place:
                return name
        raise SettingError(f"{cls.__qualname__} is not a registered {self.kind}")

    def _find(self, name: str) -> Entry:
        if name not in self._entries:
            near = difflib.get_close_matches(name.lower(), self._entries, n=1)
            few = len(self._entries) <= FEW
            all_of_them = (
                f"there are: {', '.join(self)}" if few else f"'redshank {self.kind}s' lists the {len(self._entries)}"
            )
            hint = f"did you mean {near[0]!r}?" if near else all_of_them
            raise SettingError(f"no {self.kind} is called {name!r}; {hint}")
        return self._entries[name]
