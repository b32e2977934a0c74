"""A folder in which a search leaves for its workers what they all need.

It is made where joblib makes its own, and removed at the end of the search: by the search; where
its process was killed, by the tracker of joblib, which outlives it; where that was killed too,
by the next search.
"""

from __future__ import annotations

import gc
import mmap
import os
import pickle
import platform
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

# Private: where joblib puts what it shares with its workers, such as /dev/shm.
from joblib._memmapping_reducer import _get_temp_dir
from joblib.externals.loky.backend import resource_tracker

# cloudpickle, which joblib brings along, from 1.6 as a dependency
from joblib.externals.loky.cloudpickle_wrapper import dumps

from skpg.evaluation.workers.lock import Lock
from skpg.evaluation.workers.transfer import LARGE, LargeValueReference

# Arrays in a file begin at multiples of this many bytes.
ALIGNMENT = 64
# Of the names of all folders on this machine: not everywhere do others see its locks.
PREFIX = f"skpg-{platform.node()}-"
# Seconds after which a folder that nobody holds is one that was left.
YOUNG = 60.0


class Folder:
    """The folder, as the search sees it.

    Parameters
    ----------
    parent : str or None
        Where to make it; None leaves that to joblib's rules.

    Attributes
    ----------
    path : Path
    """

    def __init__(self, parent: str | None = None):
        root, _ = _get_temp_dir("", parent)
        _remove_left(Path(root))
        self.path = Path(root) / f"{PREFIX}{os.getpid()}-{uuid4().hex}"
        self._lock = _lock_of(self.path)
        self._large: dict[int, tuple[LargeValueReference, Any]] = {}
        # before it exists: this process may be killed at any moment
        resource_tracker.register(str(self.path), "folder")
        try:
            self.path.mkdir(mode=0o700, parents=True)
        except OSError:
            self.remove()
            raise
        with suppress(OSError):  # there are file systems without locks
            self._lock.acquire()

    def replaced(self, value: Any) -> Any:
        """Return what to send in the place of a value: itself, if it is not large."""
        known = self._large.get(id(value))
        if known is None:
            parts = _parts(value)
            if sum(len(part) for part in parts) < LARGE:
                return value
            name = f"value-{len(self._large)}"
            _write(parts, self.path / name)
            # The value is kept, so that no other object gets its identity.
            known = self._large[id(value)] = LargeValueReference(name), value
        return known[0]

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        self._large.clear()
        self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)
        if not self.path.exists():
            resource_tracker.unregister(str(self.path), "folder")


def _lock_of(folder: Path) -> Lock:
    """Return the lock that a search holds as long as its process lives."""
    return Lock(folder / "search", 0)


def _remove_left(root: Path) -> None:
    """Remove the folders of searches that were killed with all that belonged to them."""
    for folder in root.glob("skpg-*"):
        with suppress(OSError):
            old = time.time() - folder.stat().st_mtime > YOUNG
            if folder.name.startswith(PREFIX) and old and (lock := _lock_of(folder)).acquire():
                shutil.rmtree(folder, ignore_errors=True)
                lock.release()


# Of a worker: the folder of the search that it works for, and what it has read there.
_read: dict[str, dict[str, Any]] = {}


def restored(folder: str, value: Any) -> Any:
    """Return the value that `Folder.replaced` has replaced, in a worker."""
    return read(folder, value.name) if isinstance(value, LargeValueReference) else value


def read(folder: str, name: str) -> Any:
    """Return a value from a folder, which each process reads once."""
    if folder not in _read:
        _read.clear()
    values = _read.setdefault(folder, {})
    if name not in values:
        values[name] = load(Path(folder) / name)
    return values[name]


def forget_removed() -> None:
    """Let go of what was read from a folder that is there no more."""
    if not all(os.path.exists(folder) for folder in list(_read)):
        _read.clear()
        gc.collect()


def dump(value: Any, path: Path) -> None:
    """Write a value such that its arrays can be mapped into memory.

    For workers of this search only, as what joblib writes for its own: the folder is
    readable by this user alone, and removed at the end. The file holds the pickle, then the
    buffers of the arrays, then a pickled table of where each begins and ends, then the
    length of the table.
    """
    _write(_parts(value), path)


def _parts(value: Any) -> list[bytes | memoryview]:
    """Return the pickle of a value, and the buffers of its arrays."""
    buffers: list[pickle.PickleBuffer] = []
    pickled = dumps(value, protocol=5, buffer_callback=buffers.append)
    return [pickled, *(buffer.raw() for buffer in buffers)]


def _write(parts: list[bytes | memoryview], path: Path) -> None:
    table = []
    with path.open("wb") as file:
        for part in parts:
            file.write(b"\0" * (-file.tell() % ALIGNMENT))
            start = file.tell()
            file.write(part)
            table.append((start, file.tell()))
        pickled = pickle.dumps(table)
        file.write(pickled + len(pickled).to_bytes(8, "little"))


def load(path: Path) -> Any:
    """Read what `dump` wrote. Processes share the pages of arrays until one writes to them."""
    with path.open("rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    length = int.from_bytes(view[-8:], "little")
    table = pickle.loads(view[-8 - length : -8])
    parts = [view[start:end] for start, end in table]
    return pickle.loads(parts[0], buffers=parts[1:])
