"""A lock that the operating system takes back when its process ends.

A lock is one byte of a file beside what it protects: byte `n` of the file beside a database
belongs to study `n`, and a search holds the folder that its workers read from. Locks of the
operating system do not outlive their process, however it ends, and are not inherited by
processes that it starts.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class _Held:
    """A lock file in this process."""

    descriptor: int
    process: int = field(default_factory=os.getpid)
    numbers: set[int] = field(default_factory=set)


# By lock file. POSIX drops all locks of a process on a file as soon as the process closes any
# descriptor of it: so there is one for all, closed with the last lock. Nor do the locks of a
# process exclude the process itself: so the numbers are remembered here.
_files: dict[Path, _Held] = {}
_guard = threading.Lock()


class Lock:
    """The right to what a path and a number name, such as a study of a database.

    Parameters
    ----------
    path : Path
        Of a file that need not exist; the lock file has ``-lock`` added to its name.
    number : int
        The byte, such as the number of a study.
    """

    def __init__(self, path: Path, number: int):
        self._path = Path(f"{path.resolve()}-lock")
        self._number = number
        self._acquired = False

    def acquire(self) -> bool:
        """Take the lock; return at once whether that was possible."""
        with _guard:
            held = _files.get(self._path)
            if held is None or held.process != os.getpid():  # a fork has no locks
                flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
                held = _files[self._path] = _Held(os.open(self._path, flags, 0o666))
            free = self._number not in held.numbers and _lock(held.descriptor, self._number)
            if free:
                held.numbers.add(self._number)
                self._acquired = True
            else:
                self._close_if_unused(held)
            return free

    def release(self) -> None:
        """Give the lock back."""
        with _guard:
            held = _files.get(self._path)
            if not self._acquired or held is None or held.process != os.getpid():
                return
            self._acquired = False
            _unlock(held.descriptor, self._number)
            held.numbers.discard(self._number)
            self._close_if_unused(held)

    def _close_if_unused(self, held: _Held) -> None:
        if not held.numbers:
            os.close(held.descriptor)
            del _files[self._path]


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, number: int) -> bool:
        os.lseek(descriptor, number, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int, number: int) -> None:
        os.lseek(descriptor, number, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int, number: int) -> bool:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except (BlockingIOError, PermissionError):  # which of the two is up to the system
            return False
        return True

    def _unlock(descriptor: int, number: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, number)
