"""The journal of one search, in a storage."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from skpg.evaluation.candidate import Candidate
from skpg.evaluation.journal import Journal, KnownCandidate
from skpg.evaluation.outcome import Outcome
from skpg.evaluation.workers.lock import Lock
from skpg.space.space import Space
from skpg.storage.database import DAMAGE, Storage, StorageError
from skpg.storage.json import encode
from skpg.storage.rows import (
    DELETE_SCORES,
    INSERT_FOLD,
    INSERT_PREDICTIONS,
    INSERT_SCORE,
    Row,
    null,
    read_folds,
    read_kept,
    row_of_kept,
    rows_of,
    with_kept,
)

# Seconds: folds that took less are written together with the others of their candidate.
CHEAP_FIT = 0.05


class Study(Journal):
    """The journal of a search, in a storage.

    A context manager: at its end the file is closed and the lock is released.

    Parameters
    ----------
    storage : Storage
    study_id : int
    lock : Lock
        Acquired.
    space : Space
    seed : int
        Seed of the optimizer.
    n_folds : int
        Number of folds of the search; others are of fits beside it.
    asynchronous : bool
        Whether finished candidates are replayed in the order in which they ended, with the
        decisions that were made about them.
    keeps : bool
        Whether what models predict is kept: a fold of which it is not known is none.

    Raises
    ------
    StorageError
        If its rows are damaged, or finished candidates of an asynchronous search lack what is
        to be kept.
    """

    def __init__(
        self,
        storage: Storage,
        study_id: int,
        lock: Lock,
        space: Space,
        seed: int,
        *,
        n_folds: int,
        asynchronous: bool,
        keeps: bool,
    ):
        self.seed = seed
        self._storage, self._id, self._lock = storage, study_id, lock
        self._space, self._n_folds = space, n_folds
        self._asynchronous, self._keeps = asynchronous, keeps
        self._params: list[str] = []
        # what was last written about settled candidates, by number
        self._decided: dict[int, tuple[Any, ...]] = {}
        self._outcomes: dict[int, dict[int, Outcome]] = {}
        self._statuses: dict[int, dict[int, str]] = {}
        # of fits beside the search, by candidate and fold
        self._beside: dict[tuple[int, int], tuple[Outcome, str]] = {}
        self._unwritten: list[tuple[Row, list[Row], Row | None]] = []
        try:
            self.asked, self.settled = self._read_candidates()
            self._read_folds()
        except DAMAGE as error:
            raise StorageError(
                f"{title_of(study_id)} in {storage.path} is damaged: {error}"
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
        """Record candidates that are new, and check the others against the earlier run.

        Raises
        ------
        StorageError
            If one is not the candidate that was recorded under its number.
        """
        new = []
        for candidate in candidates:
            text = encode(self._space, candidate.params)
            if candidate.number >= len(self._params):
                new.append((self._id, candidate.number, text, n_told, utc_now()))
            elif self._params[candidate.number] != text:
                raise StorageError(
                    f"{title_of(self._id)} in {self._storage.path} has recorded "
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

    def recorded(self, number: int) -> KnownCandidate | None:
        """Return what is known of a candidate from earlier runs."""
        outcomes = self._outcomes.get(number, {})
        if not outcomes:
            return None
        closed = self._asynchronous and number in self._decided
        if closed:
            outcomes = {fold: outcomes[fold] for fold in self._decided[number][-1]}
        return KnownCandidate(outcomes, self._statuses[number], closed)

    def record(self, candidate: Candidate, folds: Iterable[int]) -> None:
        """Record the outcomes of folds.

        They are safe when this returns, except those of cheap fits, which are written with
        the others of their candidate.
        """
        for fold in folds:
            self._outcomes.setdefault(candidate.number, {})[fold] = candidate.outcomes[fold]
        self._record(candidate, {fold: (candidate.number, fold) for fold in folds}, counts=True)

    def beside(self, numbers: Sequence[int], folds: range) -> FitsBesideStudy:
        """Return the journal of fits beside the search."""
        return FitsBesideStudy(self, numbers, folds)

    def _record(
        self, candidate: Candidate, keys: Mapping[int, tuple[int, int]], *, counts: bool
    ) -> None:
        """Record folds under the number and fold that each one's key has."""
        seconds = 0.0
        for fold, place in keys.items():
            outcome, status = candidate.outcomes[fold], candidate.statuses[fold]
            key = (self._id, *place)
            kept = None if outcome.kept is None else row_of_kept(key, outcome.kept)
            self._unwritten.append((*rows_of(key, status, outcome, counts=counts), kept))
            seconds += outcome.seconds
        if candidate.finished or seconds > CHEAP_FIT:
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
        """Record why the search ended."""
        self._storage.write(
            "UPDATE studies SET stop_reason = ? WHERE study_id = ?", stop_reason, self._id
        )

    def _flush(self, connection: sqlite3.Connection) -> None:
        for row, scores, kept in self._unwritten:
            # A fold may be written twice: one that was run in time becomes a failure if the
            # folds before it took too long.
            connection.execute(INSERT_FOLD, row)
            connection.execute(DELETE_SCORES, row[:3])
            connection.executemany(INSERT_SCORE, scores)
            if kept is not None:
                connection.execute(INSERT_PREDICTIONS, kept)
        self._unwritten.clear()

    def _write_decision(
        self, connection: sqlite3.Connection, number: int, decision: tuple[Any, ...]
    ) -> None:
        *values, counted = decision
        connection.execute(
            "UPDATE candidates SET status = ?, position = ?, iter = ?, score = ?, reward = ?, "
            "finished = ? WHERE study_id = ? AND number = ?",
            (*values, utc_now(), self._id, number),
        )
        if number in self._decided or counted != self._outcomes[number].keys():
            connection.executemany(
                "UPDATE folds SET counts = ? WHERE study_id = ? AND number = ? AND fold = ?",
                [(int(f in counted), self._id, number, f) for f in self._outcomes[number]],
            )

    def _read_candidates(self) -> tuple[list[int], list[int]]:
        """Return how many were told when each was asked, and the settled ones in their order."""
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
        kept = read_kept(self._storage, self._id) if self._keeps else {}
        for fold in read_folds(self._storage, self._id):
            key = fold.number, fold.fold
            if fold.number < 0 or fold.fold >= self._n_folds:
                self._beside[key] = fold.outcome, fold.status
                continue
            if self._keeps and fold.status == "ok":
                if key not in kept:
                    self._check_rerun(fold.number)
                    continue
                fold = replace(fold, outcome=with_kept(fold.outcome, kept[key]))
            self._outcomes.setdefault(fold.number, {})[fold.fold] = fold.outcome
            self._statuses.setdefault(fold.number, {})[fold.fold] = fold.status
            if fold.counts:
                counted.setdefault(fold.number, set()).add(fold.fold)
        for number, decision in self._decided.items():
            self._decided[number] = (*decision[:-1], frozenset(counted.get(number, ())))

    def _check_rerun(self, number: int) -> None:
        """Raise where a candidate cannot be evaluated again for what is to be kept."""
        if self._asynchronous and number in self._decided:
            raise StorageError(
                f"{title_of(self._id)} in {self._storage.path} has candidates whose predictions "
                "were not kept, and an asynchronous search cannot evaluate them again in their "
                "order. Choose another study_name, or keep=None."
            )


class FitsBesideStudy(Journal):
    """The journal of fits beside a search, in its study.

    Parameters
    ----------
    study : Study
    numbers : sequence of int
        What the candidates are numbered in the study.
    folds : range
        What their folds are numbered.
    """

    def __init__(self, study: Study, numbers: Sequence[int], folds: range):
        self._study, self._numbers, self._folds = study, numbers, folds
        self.seed = study.seed

    def recorded(self, number: int) -> KnownCandidate | None:
        """Return what is known of a candidate from earlier runs."""
        keys = enumerate((self._numbers[number], fold) for fold in self._folds)
        found = {fold: self._study._beside[key] for fold, key in keys if key in self._study._beside}
        if not found:
            return None
        outcomes = {fold: outcome for fold, (outcome, _) in found.items()}
        return KnownCandidate(outcomes, {fold: status for fold, (_, status) in found.items()})

    def record(self, candidate: Candidate, folds: Iterable[int]) -> None:
        """Record the outcomes of folds."""
        number = self._numbers[candidate.number]
        keys = {fold: (number, self._folds[fold]) for fold in folds}
        self._study._record(candidate, keys, counts=False)


def title_of(study_id: int, name: str | None = None) -> str:
    """Return how messages name a study."""
    return f"Study {study_id}" if name is None else f"Study {name!r}"


def utc_now() -> str:
    """Return the time as the tables have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
