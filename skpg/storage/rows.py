"""The outcome of a fit as rows of a storage, and back, to the bit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skpg.evaluation.outcome import Kept, Outcome, Scores
from skpg.storage.database import Storage

NAN = float("nan")
# Of predictions, on any processor.
FLOAT32 = np.dtype("<f4")
RESPONSES = ("predict_proba", "decision_function", "predict")
# The name of the only score, as in ``mean_test_score``.
ONLY = "score"

INSERT_FOLD = (
    "INSERT OR REPLACE INTO folds (study_id, number, fold, status, fit_time, score_time, "
    "n_test_samples, several, fit_error, counts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
DELETE_SCORES = "DELETE FROM scores WHERE study_id = ? AND number = ? AND fold = ?"
INSERT_PREDICTIONS = "INSERT OR REPLACE INTO predictions VALUES (?, ?, ?, ?, ?, ?)"
INSERT_SCORE = "INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?, ?)"

Row = tuple[Any, ...]


@dataclass(frozen=True)
class StoredFold:
    """A row of the table of folds, with its scores.

    Attributes
    ----------
    number : int
        The candidate.
    fold : int
    status : {'ok', 'failed', 'timeout', 'killed'}
    counts : bool
        False where a race left the fold out after it had been run ahead.
    outcome : Outcome
    """

    number: int
    fold: int
    status: str
    counts: bool
    outcome: Outcome


def rows_of(
    key: Row, status: str, outcome: Outcome, *, counts: bool = True
) -> tuple[Row, list[Row]]:
    """Return the row of a fold, and those of its scores.

    Parameters
    ----------
    key : tuple of int
        The study, the candidate and the fold.
    status : str
    outcome : Outcome
    counts : bool, default=True
        False for a fit beside the search.
    """
    several = isinstance(outcome.test_scores, Mapping)
    values = [null(v) for v in (outcome.fit_time, outcome.score_time, outcome.n_test_samples)]
    test = _by_metric(outcome.test_scores)
    train = {} if outcome.train_scores is None else _by_metric(outcome.train_scores)
    scores = [
        (*key, place, metric, null(score), null(train.get(metric, NAN)))
        for place, (metric, score) in enumerate(test.items())
    ]
    return (*key, status, *values, int(several), outcome.fit_error, int(counts)), scores


def read_folds(storage: Storage, study_id: int) -> Iterator[StoredFold]:
    """Yield the recorded folds of a study.

    Raises
    ------
    ValueError, TypeError
        If a row is damaged.
    """
    # in the order of the scorer: the first metric may be the one that counts
    scores: dict[tuple[int, int], list[Row]] = {}
    for number, fold, *row in storage.rows(
        "SELECT number, fold, metric, test_score, train_score FROM scores "
        "WHERE study_id = ? ORDER BY number, fold, place",
        study_id,
    ):
        scores.setdefault((number, fold), []).append(tuple(row))
    for number, fold, status, counts, *values in storage.rows(
        "SELECT number, fold, status, counts, fit_time, score_time, n_test_samples, several, "
        "fit_error, return_train_score FROM folds NATURAL JOIN studies "
        "WHERE study_id = ? ORDER BY number, fold",
        study_id,
    ):
        outcome = _outcome(values, scores.get((number, fold), []))
        yield StoredFold(number, fold, status, bool(counts), outcome)


def row_of_kept(key: Row, kept: Kept) -> Row:
    """Return the row of what is kept of a model: what it said of the test rows."""
    n_columns = None if kept.answers.ndim == 1 else kept.answers.shape[1]
    return (*key, kept.response, n_columns, kept.answers.astype(FLOAT32).tobytes())


def read_kept(storage: Storage, study_id: int) -> dict[tuple[int, int], Kept]:
    """Return what is kept of the models of a study, by candidate and fold.

    Raises
    ------
    ValueError, TypeError
        If a row is damaged.
    """
    query = "SELECT number, fold, response, n_columns, answers FROM predictions WHERE study_id = ?"
    kept = {}
    for number, fold, response, n_columns, answers in storage.rows(query, study_id):
        if response not in RESPONSES or not isinstance(answers, bytes):
            raise ValueError("predictions are damaged")
        values = np.frombuffer(answers, FLOAT32).astype(np.float32)
        shape = (len(values),) if n_columns is None else (-1, int(n_columns))
        kept[number, fold] = Kept(response, values.reshape(shape))
    return kept


def with_kept(outcome: Outcome, kept: Kept) -> Outcome:
    """Return an outcome with what is kept of its model.

    Raises
    ------
    ValueError
        If that is not of its test rows.
    """
    if len(kept.answers) != outcome.n_test_samples:
        raise ValueError("predictions are damaged")
    return replace(outcome, kept=kept)


def null(number: float) -> float | None:
    """Return None for nan, which sqlite does not have."""
    return None if math.isnan(number) else float(number)


def number(value: Any) -> float:
    """Return a number that was read, nan for None.

    Raises
    ------
    ValueError
        If it is none.
    """
    if value is not None and type(value) not in (int, float):
        raise ValueError(f"expected a number, got {str(value)[:50]!r}")
    return NAN if value is None else float(value)


def _by_metric(scores: Any) -> dict[str, Any]:
    return dict(scores) if isinstance(scores, Mapping) else {ONLY: scores}


def _outcome(values: list[Any], scores: list[Row]) -> Outcome:
    fit_time, score_time, n_test_samples, several, fit_error, return_train_score = values
    if not scores or several not in (0, 1):
        raise ValueError("scores are missing")
    test: Scores = {str(metric): number(score) for metric, score, _ in scores}
    train: Scores = {str(metric): number(score) for metric, _, score in scores}
    if not several:
        test, train = number(scores[0][1]), number(scores[0][2])
    return Outcome(
        test,
        train if return_train_score else None,
        number(fit_time),
        number(score_time),
        number(n_test_samples),
        None if fit_error is None else str(fit_error),
    )
