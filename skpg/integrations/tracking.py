"""What trackers of searches have in common."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from skpg.evaluation.call_stack import warn
from skpg.evaluation.settings import SearchSettings
from skpg.evaluation.stopping import Progress
from skpg.space.wording import in_one_line

LONGEST_TEXT = 500


class Record(ABC):
    """What a tracker keeps of one search."""

    @abstractmethod
    def begin(self, search: Any) -> None:
        """Open the record."""

    @abstractmethod
    def add(self, progress: Progress) -> None:
        """Record a candidate."""

    @abstractmethod
    def end(self, search: Any, error: BaseException | None) -> None:
        """Record how the search ended."""

    def close(self, error: BaseException | None) -> None:  # noqa: B027 - most take nothing
        """Give back what `begin` took, whatever has failed since."""


class Tracker(ABC):
    """A callback that records searches elsewhere, and never ends them.

    Each search has a record of its own, whether it runs after another one, in another thread
    at the same time, or within another one. The first error in a record warns, and nothing
    more is recorded of that search. A copy, or what is pickled, has the settings only.
    """

    @abstractmethod
    def _new_record(self) -> Record:
        """Return a record that is not yet open."""

    def on_search_begin(self, search: Any) -> None:
        """Open the record of a search."""
        self._open.append(_GuardedRecord(self._new_record(), type(self).__name__))
        self._open[-1].write(lambda record: record.begin(search))

    def __call__(self, progress: Progress) -> None:
        """Record a candidate of the search that runs in this thread, the innermost if several."""
        for guarded in self._open[-1:]:
            guarded.write(lambda record: record.add(progress))

    def on_search_end(self, search: Any, error: BaseException | None) -> None:
        """Record how a search ended, and close its record."""
        for guarded in self._open[-1:]:
            self._open.pop()
            guarded.write(lambda record: record.end(search, error))
            guarded.close(error)

    @property
    def _open(self) -> list[_GuardedRecord]:
        """The records of the searches that run in this thread, the innermost last."""
        threads: Any = self.__dict__.setdefault("_threads", threading.local())
        if not hasattr(threads, "records"):
            threads.records = []
        return threads.records

    def __getstate__(self) -> dict[str, Any]:
        """Return the settings."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __deepcopy__(self, memo: dict[int, Any]) -> Tracker:
        """Return a callback with the same settings, as clones of a search need it."""
        copy = type(self).__new__(type(self))
        vars(copy).update(self.__getstate__())
        return copy


class _GuardedRecord:
    """A record whose first error becomes a warning, and after which nothing more is written."""

    def __init__(self, record: Record, tracker: str):
        self._record, self._tracker, self._failed = record, tracker, False

    def write(self, action: Callable[[Record], None]) -> None:
        if not self._failed:
            self._attempt(action)

    def close(self, error: BaseException | None) -> None:
        self._attempt(lambda record: record.close(error))

    def _attempt(self, action: Callable[[Record], None]) -> None:
        try:
            action(self._record)
        except Exception as failure:
            if not self._failed:
                warn(
                    f"{self._tracker} records nothing more of this search: "
                    f"{type(failure).__name__}: {failure}"
                )
            self._failed = True


def text(value: object) -> str:
    """Return a value in one line that a tracker has room for."""
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    return in_one_line(value, LONGEST_TEXT)


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
    return text(list(value) if hasattr(value, "__len__") else value)


def described_settings(search: Any) -> dict[str, str]:
    """Return the settings of a search but for its space, in words, as they are in use."""
    settings, used = search.get_params(deep=False), SearchSettings.of(search)
    # what the defaults mean may depend on the version of skpg
    settings |= {"evaluation": used.evaluation, "batch_size": used.batch_size}
    left_out = {"param_distributions", "callbacks"}
    return {name: text(value) for name, value in settings.items() if name not in left_out}
