"""Callbacks that want to know when a search begins and ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any


@contextmanager
def watching(search: Any, callbacks: Iterable[Any] | None) -> Iterator[None]:
    """Tell callbacks of the begin of a search, and of its end in every case.

    A callback may have the methods ``on_search_begin(search)`` and ``on_search_end(search,
    error)``; `error` is the exception that ended the search, None if it is fitted. The
    ends are told in reverse order, to all of them even if one of them raises.

    Examples
    --------
    >>> from skpg.evaluation.callbacks import watching
    >>> class Bell:
    ...     def on_search_end(self, search, error):
    ...         print("done" if error is None else f"failed: {error!r}")
    >>> with watching("a search", [Bell()]):
    ...     pass
    done
    """
    with ExitStack() as stack:
        for callback in callbacks or ():
            stack.push(_at_end(search, getattr(callback, "on_search_end", None)))
            if hasattr(callback, "on_search_begin"):
                callback.on_search_begin(search)
        yield


def _at_end(search: Any, end: Callable[[Any, BaseException | None], None] | None) -> Any:
    def exit_(kind: Any, error: BaseException | None, traceback: Any) -> None:
        if end is not None:
            end(search, error)

    return exit_
