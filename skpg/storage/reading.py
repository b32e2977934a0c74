"""Read studies back, without the estimator or the data."""

from __future__ import annotations

import json
import numbers
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skpg.evaluation.outcome import Outcome
from skpg.evaluation.sklearn import format_results
from skpg.space.space import Space
from skpg.storage.database import DAMAGE, Storage, StorageError
from skpg.storage.json import choice_of, decode
from skpg.storage.rows import number, read_folds

Spaces = Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class StudySummary:
    """A study of a storage.

    Attributes
    ----------
    study_id : int
    study_name : str or None
    estimator : str
        Its class.
    n_candidates : int
        Number of candidates that were told to the policy.
    best_score : float
        The best mean score among them; nan where there is none.
    stop_reason : str or None
        Why the last search on it ended; None where one is running or was killed.
    created : str
        When it was begun, in UTC.
    seed : int
        What its policy draws from.
    versions : dict of str to str
        Of the packages with which it was begun.
    fingerprint : str
        The digest of all that decides its results.
    """

    study_id: int
    study_name: str | None
    estimator: str
    n_candidates: int
    best_score: float
    stop_reason: str | None
    created: str
    seed: int
    versions: dict[str, str]
    fingerprint: str


@dataclass(frozen=True)
class StoredChoice:
    """A choice that JSON cannot hold, such as an estimator, read back without its list.

    Attributes
    ----------
    name : str
        The hyperparameter.
    index : int
        The index among the distinct choices.
    branch : int
        Which of a list of dicts the list belongs to; 0 where there is one dict.
    text : str
        How the choice was printed when the study was begun.
    """

    name: str
    index: int
    branch: int
    text: str

    def __repr__(self) -> str:
        return self.text


def studies(storage: str | os.PathLike[str]) -> list[StudySummary]:
    """Return what a storage holds, the oldest study first.

    Parameters
    ----------
    storage : str or path-like
        As in :class:`PolicyGradientSearchCV`. Searches may be running on it.

    Returns
    -------
    list of StudySummary
        Records with the attributes ``study_id``, ``study_name``, ``estimator``,
        ``n_candidates``, ``best_score``, ``stop_reason`` (None where a search is running or
        was killed), ``created``, ``seed``, ``versions`` and ``fingerprint``.

    Raises
    ------
    StorageError
        If the file is not there, or not a storage of skpg.

    Examples
    --------
    >>> import skpg
    >>> for study in skpg.studies("search.db"):  # doctest: +SKIP
    ...     print(study.study_id, study.n_candidates, study.best_score)
    """
    with _reading(storage) as opened:
        rows = opened.rows(
            "SELECT study_id, study_name, estimator, count(position), "
            "max(score) FILTER (WHERE status = 'complete'), stop_reason, studies.created, seed, "
            "versions, fingerprint FROM studies LEFT JOIN candidates USING (study_id) "
            "GROUP BY study_id ORDER BY study_id"
        )
        return [_summary(*row) for row in rows]


def load_study(
    storage: str | os.PathLike[str],
    study: str | int | None = None,
    *,
    param_distributions: Spaces | None = None,
) -> dict[str, Any]:
    """Return the ``cv_results_`` of a study, without its estimator and data.

    Parameters
    ----------
    storage : str or path-like
        As in :class:`PolicyGradientSearchCV`. A search may be running on it.
    study : str or int, default=None
        A str is the `study_name`, digits included; an int is the ``study_id`` (see
        :func:`studies`), of a study with or without name. None is the only study of the
        storage.
    param_distributions : dict or list of dicts, default=None
        The space of the search. Only choices that are numbers, strings, booleans or None are
        kept in a storage; of others, such as estimators, the index is, and the space tells
        what it stands for. Without it they are shown as they were printed.

    Returns
    -------
    dict of numpy (masked) ndarrays
        As ``cv_results_`` of a search that had ended with the last update of the policy.

    Raises
    ------
    StorageError
        If there is no such file or study, none of its candidates was told to the policy yet,
        it is damaged, or `param_distributions` does not have a choice that was stored.
    TypeError
        If `study` is neither a str nor an int.

    Examples
    --------
    >>> import pandas, skpg
    >>> pandas.DataFrame(skpg.load_study("search.db", "wine"))  # doctest: +SKIP
    """
    wanted = _checked(study)
    with _reading(storage) as opened:
        study_id, n_folds, racing, description = _find(opened, wanted)
        choice = _from_description(json.loads(description))
        if param_distributions is not None:
            choice = _from_space(Space(param_distributions))
        rows = opened.rows(
            "SELECT number, params, iter, status FROM candidates "
            "WHERE study_id = ? AND position IS NOT NULL ORDER BY position",
            study_id,
        )
        if not rows:
            raise StorageError(f"Study {study_id} in {opened.path} has no results yet.")
        params = [decode(text, choice) for _, text, _, _ in rows]
        outcomes: dict[int, dict[int, Outcome]] = {row[0]: {} for row in rows}
        for fold in read_folds(opened, study_id):
            if fold.counts and fold.number in outcomes:
                outcomes[fold.number][fold.fold] = fold.outcome
    more: dict[str, Any] = {"iter": [row[2] for row in rows]}
    if racing:
        more["n_folds_evaluated"] = [len(folds) for folds in outcomes.values()]
    fits = list(outcomes.values())
    complete = np.array([row[3] == "complete" for row in rows])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of scores that are not finite the search has warned
        return format_results(params, n_folds, fits, more, complete)


def _summary(*row: Any) -> StudySummary:
    summary = StudySummary(*row)
    return replace(
        summary,
        best_score=number(summary.best_score),
        seed=int(summary.seed),
        versions=json.loads(str(summary.versions)),
    )


def _find(storage: Storage, study: str | int | None) -> tuple[Any, ...]:
    column = "study_name" if isinstance(study, str) else "study_id"
    found = storage.rows(
        f"SELECT study_id, n_folds, racing, space FROM studies WHERE ?1 IS NULL OR {column} = ?1",
        study,
    )
    if len(found) != 1:
        names = storage.rows(
            "SELECT coalesce(study_name, study_id) FROM studies ORDER BY study_id LIMIT 20"
        )
        listed = ", ".join(repr(name) for (name,) in names) or "none"
        wanted = "exactly one study" if study is None else f"a study {study!r}"
        raise StorageError(f"{storage.path} does not have {wanted}. Its studies: {listed}.")
    return found[0]


def _checked(study: Any) -> str | int | None:
    """Return what names a study; numpy has integers of its own."""
    if study is None or isinstance(study, str):
        return study
    if isinstance(study, numbers.Integral) and not isinstance(study, bool):
        return int(study)
    raise TypeError(f"study must be a str, an int or None; got {study!r}.")


def _from_description(description: list[dict[str, Any]]) -> Callable[[str, int, int], Any]:
    texts = {
        (entry["name"], entry["branch"] or 0): entry["choices"]
        for entry in description
        if "choices" in entry
    }

    def choice(name: str, index: int, branch: int) -> StoredChoice:
        return StoredChoice(name, index, branch, str(texts[name, branch][index]))

    return choice


def _from_space(space: Space) -> Callable[[str, int, int], Any]:
    return lambda name, index, branch: choice_of(space, name, index, branch)


@contextmanager
def _reading(storage: str | os.PathLike[str]) -> Iterator[Storage]:
    opened = Storage(storage, readonly=True)
    try:
        yield opened
    except DAMAGE as error:
        raise StorageError(f"{opened.path} is damaged: {error}.") from error
    finally:
        opened.close()
