"""What trackers of searches have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from skpg._callers import warn
from skpg._stopping import Progress

LONGEST_TEXT = 500


class Tracker(ABC):
    """A callback that records a search elsewhere, and never ends it.

    The first error warns, and nothing more is recorded. A copy, or what is pickled, has the
    settings only: each search has a record of its own.
    """

    _recording = False

    @abstractmethod
    def _begin(self, search: Any) -> None:
        """Open the record."""

    @abstractmethod
    def _record(self, progress: Progress) -> None:
        """Record a candidate."""

    @abstractmethod
    def _end(self, search: Any, error: BaseException | None) -> None:
        """Record how the search ended."""

    def _close(self, error: BaseException | None) -> None:  # noqa: B027 - most take nothing
        """Give back what `_begin` took, whatever has failed since."""

    def on_search_begin(self, search: Any) -> None:
        """Open the record of a search."""
        self._recording = True
        self._attempt(self._begin, search)

    def __call__(self, progress: Progress) -> None:
        """Record a candidate."""
        if self._recording:
            self._attempt(self._record, progress)

    def on_search_end(self, search: Any, error: BaseException | None) -> None:
        """Record how a search ended, and close its record."""
        if self._recording:
            self._attempt(self._end, search, error)
        self._attempt(self._close, error)
        self._recording = False

    def _attempt(self, action: Callable[..., None], *arguments: Any) -> None:
        try:
            action(*arguments)
        except Exception as failure:
            if self._recording:  # the first
                warn(
                    f"{type(self).__name__} records nothing more of this search: "
                    f"{type(failure).__name__}: {failure}"
                )
            self._recording = False

    def __getstate__(self) -> dict[str, Any]:
        """Return the settings."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __deepcopy__(self, memo: dict[int, Any]) -> Tracker:
        """Return a callback with the same settings, as clones of a search need it."""
        copy = type(self).__new__(type(self))
        vars(copy).update(self.__getstate__())
        return copy


def text(value: object) -> str:
    """Return a value in one line that a tracker has room for."""
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    line = " ".join(repr(value).split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 3] + "..."


def described_space(search: Any) -> dict[str, str]:
    """Return each hyperparameter with what it is searched over, in words."""
    branches = search.param_distributions
    if isinstance(branches, dict):
        branches = [branches]
    names = dict.fromkeys(name for branch in branches for name in branch)
    return {
        name: " | ".join(dict.fromkeys(_described(b[name]) for b in branches if name in b))
        for name in names
    }


def _described(value: Any) -> str:
    if hasattr(value, "dist"):
        arguments = [repr(a) for a in value.args] + [f"{k}={v!r}" for k, v in value.kwds.items()]
        return f"{value.dist.name}({', '.join(arguments)})"
    return text(list(value) if hasattr(value, "__len__") else value)


def described_settings(search: Any) -> dict[str, str]:
    """Return the settings of a search but for its space, in words."""
    settings = search.get_params(deep=False)
    left_out = {"param_distributions", "callbacks"}
    return {name: text(value) for name, value in settings.items() if name not in left_out}
