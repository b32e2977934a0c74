"""One search in a storage: what it has recorded, and what it records."""

from __future__ import annotations

import json
import platform
import secrets
import sqlite3
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

import numpy as np
import scipy
import sklearn

from skpg.evaluation.callers import warn
from skpg.evaluation.candidate import Candidate, Journal, Recorded
from skpg.evaluation.outcome import Outcome
from skpg.evaluation.settings import SearchSettings
from skpg.evaluation.sklearn import RunningFit
from skpg.space.space import Space
from skpg.storage.database import DAMAGE, Storage, StorageError, StudyInUseError
from skpg.storage.digest import digest, name_of
from skpg.storage.fingerprint import changed_by_fits, fingerprint_of
from skpg.storage.json import describe, encode
from skpg.storage.lock import Lock
from skpg.storage.rows import (
    DELETE_SCORES,
    INSERT_FOLD,
    INSERT_SCORE,
    Row,
    null,
    read_folds,
    rows_of,
)

# Seconds of a fit below which writing it on its own costs more than it may save.
CHEAP = 0.05


class Study(Journal):
    """The journal of a search, in a storage.

    A context manager, at the end of which the study is free for others.

    Parameters
    ----------
    storage : Storage
    study_id : int
    lock : Lock
        Acquired.
    space : Space
    seed : int
        Seed of the optimizer.
    asynchronous : bool
        Whether candidates are replayed in the order of their ends, and what was decided about
        them with them.

    Raises
    ------
    StorageError
        If its rows are damaged.
    """

    def __init__(
        self,
        storage: Storage,
        study_id: int,
        lock: Lock,
        space: Space,
        seed: int,
        *,
        asynchronous: bool,
    ):
        self.seed = seed
        self._storage, self._id, self._lock = storage, study_id, lock
        self._space, self._asynchronous = space, asynchronous
        self._params: list[str] = []
        # of settled candidates, by number: what was written about them last
        self._decided: dict[int, tuple[Any, ...]] = {}
        self._outcomes: dict[int, dict[int, Outcome]] = {}
        self._statuses: dict[int, dict[int, str]] = {}
        self._unwritten: list[tuple[Row, list[Row]]] = []
        try:
            self.asked, self.settled = self._read_candidates()
            self._read_folds()
        except DAMAGE as error:
            raise StorageError(
                f"{_title(study_id)} in {storage.path} is damaged: {error}"
            ) from None
        self._storage.write("UPDATE studies SET stop_reason = NULL WHERE study_id = ?", study_id)

    def __enter__(self) -> Study:
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            if self._unwritten:
                with self._storage.transaction() as connection:
                    self._flush(connection)
        finally:
            self._storage.close()
            self._lock.release()

    def add(self, candidates: Sequence[Candidate], n_told: int) -> None:
        """Take note of candidates, or check that they are those of the earlier run.

        Raises
        ------
        StorageError
            If they are not.
        """
        new = []
        for candidate in candidates:
            text = encode(self._space, candidate.params)
            if candidate.number >= len(self._params):
                new.append((self._id, candidate.number, text, n_told, _now()))
            elif self._params[candidate.number] != text:
                raise StorageError(
                    f"{_title(self._id)} in {self._storage.path} has recorded "
                    f"{self._params[candidate.number]} as candidate {candidate.number}, but the "
                    f"search now proposes {text}. A search can be continued with the versions "
                    "of skpg, numpy and scipy, and on the kind of processor, with which it was "
                    "begun; see `skpg.studies`. Begin another one with a new study_name."
                )
        if new:
            with self._storage.transaction() as connection:
                connection.executemany(
                    "INSERT INTO candidates (study_id, number, params, n_told, created) "
                    "VALUES (?, ?, ?, ?, ?)",
                    new,
                )

    def recorded(self, number: int) -> Recorded | None:
        """Return what is known of a candidate from earlier runs."""
        outcomes = self._outcomes.get(number, {})
        if not outcomes:
            return None
        closed = self._asynchronous and number in self._decided
        if closed:
            outcomes = {fold: outcomes[fold] for fold in self._decided[number][-1]}
        return Recorded(outcomes, self._statuses[number], closed)

    def record(self, candidate: Candidate, folds: Iterable[int]) -> None:
        """Keep the outcomes of folds.

        They are safe when this returns, except those of cheap fits, which are written with
        the others of their candidate.
        """
        seconds = 0.0
        for fold in folds:
            outcome, status = candidate.outcomes[fold], candidate.statuses[fold]
            self._outcomes.setdefault(candidate.number, {})[fold] = outcome
            self._unwritten.append(rows_of((self._id, candidate.number, fold), status, outcome))
            seconds += outcome.seconds
        if candidate.finished or seconds > CHEAP:
            with self._storage.transaction() as connection:
                self._flush(connection)

    def settle(
        self, update: int, candidates: Sequence[Candidate], rewards: Sequence[float]
    ) -> None:
        """Keep what is decided about candidates; it is safe when this returns."""
        changed = []
        for candidate, reward in zip(candidates, rewards, strict=True):
            decision = (
                candidate.status,
                candidate.position,
                update,
                null(candidate.score),
                null(reward),
                frozenset(candidate.outcomes),
            )
            if self._decided.get(candidate.number) != decision:
                changed.append((candidate.number, decision))
        if changed or self._unwritten:
            with self._storage.transaction() as connection:
                self._flush(connection)
                for number, decision in changed:
                    self._write_decision(connection, number, decision)

    def finish(self, stop_reason: str) -> None:
        """Keep why the search ended."""
        self._storage.write(
            "UPDATE studies SET stop_reason = ? WHERE study_id = ?", stop_reason, self._id
        )

    def _flush(self, connection: sqlite3.Connection) -> None:
        for row, scores in self._unwritten:
            # again where a fold that had been run in time fails, as those before took too long
            connection.execute(INSERT_FOLD, row)
            connection.execute(DELETE_SCORES, row[:3])
            connection.executemany(INSERT_SCORE, scores)
        self._unwritten.clear()

    def _write_decision(
        self, connection: sqlite3.Connection, number: int, decision: tuple[Any, ...]
    ) -> None:
        *values, counted = decision
        connection.execute(
            "UPDATE candidates SET status = ?, position = ?, iter = ?, score = ?, reward = ?, "
            "finished = ? WHERE study_id = ? AND number = ?",
            (*values, _now(), self._id, number),
        )
        if number in self._decided or counted != self._outcomes[number].keys():
            connection.executemany(
                "UPDATE folds SET counts = ? WHERE study_id = ? AND number = ? AND fold = ?",
                [(int(f in counted), self._id, number, f) for f in self._outcomes[number]],
            )

    def _read_candidates(self) -> tuple[list[int], list[int]]:
        """Return how many were told when each was asked, and which were settled in turn."""
        rows = self._storage.rows(
            "SELECT number, params, n_told, status, position, iter, score, reward "
            "FROM candidates WHERE study_id = ? ORDER BY number",
            self._id,
        )
        if [row[0] for row in rows] != list(range(len(rows))):
            raise ValueError("candidates are missing")
        self._params = [str(row[1]) for row in rows]
        for number, _, _, *decision in rows:
            if decision[1] is not None:
                self._decided[number] = (*decision, frozenset())
        settled = sorted(self._decided, key=lambda number: self._decided[number][1])
        return [int(row[2]) for row in rows], settled

    def _read_folds(self) -> None:
        counted: dict[int, set[int]] = {}
        for fold in read_folds(self._storage, self._id):
            self._outcomes.setdefault(fold.number, {})[fold.fold] = fold.outcome
            self._statuses.setdefault(fold.number, {})[fold.fold] = fold.status
            if fold.counts:
                counted.setdefault(fold.number, set()).add(fold.fold)
        for number, decision in self._decided.items():
            self._decided[number] = (*decision[:-1], frozenset(counted.get(number, ())))


def open_journal(
    settings: SearchSettings, fit: RunningFit, space: Space, learner: Any, *, asynchronous: bool
) -> AbstractContextManager[Journal]:
    """Return the study of a search, or a journal that keeps nothing where it has no storage.

    Parameters
    ----------
    settings : SearchSettings
    fit : RunningFit
    space : Space
    learner : Learner
    asynchronous : bool

    Raises
    ------
    StorageError
        If the file cannot be used, if the study of this name was recorded by another search,
        or if a search is running on it.
    TypeError
        If a part of the search cannot be recognised.
    """
    if settings.storage is None:
        if settings.study_name is not None:
            raise ValueError(f"study_name={settings.study_name!r} needs a storage, got None.")
        return nullcontext(Journal())
    _warn_of_other_folds(fit.splitter)
    parts = fingerprint_of(settings, fit, space, learner, asynchronous=asynchronous)
    # as the optimizer would draw it; None draws the seed once and for all
    seed = _seed(settings.random_state)
    storage = Storage(settings.storage)
    lock = None
    try:
        study_id, seed = _find_or_add(storage, settings, parts, _facts(settings, fit, space, seed))
        lock = Lock(storage.path, study_id)
        if not lock.acquire():
            raise StudyInUseError(
                f"{_title(study_id, settings.study_name)} in {storage.path} is in use: another "
                "search is running on it."
            )
        study = Study(storage, study_id, lock, space, seed, asynchronous=asynchronous)
        study.recognised_by = storage.path, parts
        return study
    except BaseException:
        storage.close()
        if lock is not None:
            lock.release()
        raise


def _warn_of_other_folds(splitter: Any) -> None:
    """Warn where a splitter draws other folds in each run."""
    if getattr(splitter, "random_state", 0) is None and getattr(splitter, "shuffle", True):
        warn(
            f"{splitter!r} draws other folds in each run, so that no run can go on where another "
            "has ended. Give it a random_state."
        )


def _find_or_add(
    storage: Storage, settings: SearchSettings, parts: dict[str, str], facts: dict[str, Any]
) -> tuple[int, int]:
    """Return the number of a study, and its seed."""
    name, fingerprint = settings.study_name, digest(parts)
    with storage.transaction() as connection:
        where = "study_name = ?" if name is not None else "study_name IS NULL AND fingerprint = ?"
        query = f"SELECT study_id, fingerprint, parts, seed FROM studies WHERE {where}"
        found = connection.execute(query, (fingerprint if name is None else name,)).fetchone()
        if found is None:
            if name is None:
                _warn_of_changes(connection, storage, parts)
            row = {"study_name": name, "fingerprint": fingerprint, "parts": json.dumps(parts)}
            row |= facts
            cursor = connection.execute(
                f"INSERT INTO studies ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
                list(row.values()),
            )
            return int(cursor.lastrowid or 0), int(facts["seed"])
    study_id, recorded_fingerprint, recorded, seed = found
    if recorded_fingerprint != fingerprint:
        differences = _differences(recorded, parts)
        raise StorageError(
            f"{_title(study_id, name)} in {storage.path} was recorded by another search. "
            f"Not the same: {', '.join(differences)}. Undo the change, choose "
            "another study_name, or let each search find its own study with study_name=None."
            f"{_accident(storage, differences)}"
        )
    try:
        return int(study_id), int(seed)
    except ValueError as error:
        raise StorageError(f"{_title(study_id, name)} in {storage.path} is damaged.") from error


def _warn_of_changes(
    connection: sqlite3.Connection, storage: Storage, parts: dict[str, str]
) -> None:
    """Warn where a study is not found because a fit has changed what tells its search."""
    changed = changed_by_fits(storage.path)
    query = "SELECT study_id, parts FROM studies WHERE study_name IS NULL ORDER BY study_id DESC"
    for study_id, recorded in connection.execute(query) if changed else ():
        differences = _differences(recorded, parts)
        if changed.issuperset(differences):
            warn(
                f"A new study was begun: {_title(study_id).lower()} in {storage.path} differs "
                f"only in: {', '.join(differences)}.{_accident(storage, differences)}"
            )
            return


def _accident(storage: Storage, differences: list[str]) -> str:
    """Return what to do about differences that nobody has made on purpose."""
    changed = [name for name in differences if name in changed_by_fits(storage.path)]
    if not changed:
        return ""
    return (
        f" An earlier fit has changed {', '.join(changed)}: to go on with that study, pass it as "
        "it was before."
    )


def _facts(settings: SearchSettings, fit: RunningFit, space: Space, seed: int) -> dict[str, Any]:
    """Return what is noted of a study for its continuation, and for people."""
    versions = {
        # not of its metadata, which a copy of the sources does not have
        "skpg": sys.modules["skpg"].__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "machine": platform.machine(),
    }
    return {
        "seed": str(seed),
        "estimator": name_of(type(settings.estimator)),
        "space": json.dumps(describe(space)),
        "n_folds": len(fit.splits),
        "racing": int(settings.raced),
        "return_train_score": int(settings.return_train_score),
        "versions": json.dumps(versions),
        "created": _now(),
    }


def _differences(recorded: str, parts: Mapping[str, str]) -> list[str]:
    """Return the names of the parts that are not the same."""
    try:
        before = dict(json.loads(recorded))
    except DAMAGE:
        before = {}
    names = [*parts, *(name for name in before if name not in parts)]
    return [name for name in names if before.get(name) != parts.get(name)]


def _seed(random_state: Any) -> int:
    """Return the seed that stands for a `random_state`."""
    if random_state is None:
        return secrets.randbits(32)  # of which each is a valid random_state
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))  # as the optimizer does
    return int(random_state)


def _title(study_id: int, name: str | None = None) -> str:
    return f"Study {study_id}" if name is None else f"Study {name!r}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
