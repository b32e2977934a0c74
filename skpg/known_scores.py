"""Candidates whose scores are known, from whatever searched before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpg.learners import Learner
from skpg.space.space import Space
from skpg.space.types import FloatArray, Params

KINDS = (
    "a fitted search, its cv_results_ as a dict or DataFrame, a study of `load_study`, an Optuna "
    "study, or a tuple of a list of params and a list of scores"
)
# What an earlier search must have to be learned from: one score tells nothing about others.
LEAST_EARLIER = 2
# The attribute of an Optuna trial for what a `constraints_func` returns; `set_constraint` adds a
# colon and the name of the constraint.
CONSTRAINTS = "constraints"
# Characters of a value that a message shows.
LONGEST_REPR = 80


@dataclass(frozen=True, eq=False)
class KnownScores:
    """Candidates whose scores are known.

    Attributes
    ----------
    params : tuple of n dicts
    scores : ndarray of shape (n,)
        Higher is better; nan where a candidate failed.
    n_left_out : int
        Number of others that did not meet a condition.
    """

    params: tuple[Params, ...]
    scores: FloatArray
    n_left_out: int = 0

    def __len__(self) -> int:
        return len(self.params)

    @classmethod
    def of(cls, source: Any, metric: str | None = None) -> KnownScores:
        """Read what a search has found out.

        Left out is what has no score to be compared with others: candidates of a race that lost,
        of halving with less than the greatest resource, trials of Optuna that were pruned or are
        still running.

        Parameters
        ----------
        source : object
            A fitted search, its ``cv_results_`` as a dict or DataFrame, an Optuna study, whose
            values are negated where it minimises, or a tuple of params and scores.
        metric : str, default=None
            Of several metrics the one that counts. None, or where results have one of another
            name: ``mean_test_score``, then what the search refits by, then the first.

        Raises
        ------
        TypeError
            If it is none of these.
        ValueError
            If the search is not fitted, results lack a column or do not say which of several
            metrics counts, or the study has several objectives.
        """
        if isinstance(source, KnownScores):
            return source
        if hasattr(source, "trials") and hasattr(source, "directions"):
            return _of_optuna(source)
        if hasattr(source, "cv_results_"):
            return _of_results(source.cv_results_, metric, source)
        if isinstance(source, Mapping) or (hasattr(source, "columns") and hasattr(source, "iloc")):
            return _of_results(source, metric)
        if is_pair(source):
            return _of_pair(*source)
        if hasattr(source, "fit") and hasattr(source, "get_params"):
            raise ValueError(f"must be {KINDS}; got {_short(source)}, which is not fitted.")
        raise TypeError(f"must be {KINDS}; got {_short(source)} of type {type(source).__name__}.")

    def inside(self, space: Space) -> KnownScores:
        """Return those of which a space has all names and values.

        Raises
        ------
        ValueError
            If it has none of them, with the reason for the first one.
        """
        reasons = [_reason(space, params) for params in self.params]
        fitting = np.array([reason is None for reason in reasons], dtype=bool)
        if not fitting.any():
            first = f" The first one: {reasons[0]}" if reasons else ""
            raise ValueError(
                f"must have candidates that lie in the space, got none among {len(self)}.{first}"
            )
        return self.where(fitting)

    def where(self, mask: NDArray[np.bool_]) -> KnownScores:
        """Return those for which a mask of bool of shape (n,) is True."""
        kept = tuple(params for params, keep in zip(self.params, mask, strict=True) if keep)
        n_left_out = self.n_left_out + len(self) - len(kept)
        return KnownScores(kept, self.scores[mask], n_left_out)

    @property
    def best(self) -> Params:
        """The candidate with the greatest score."""
        return self.params[int(np.nanargmax(self.scores))]

    @property
    def n_complete(self) -> int:
        """Number of candidates that did not fail."""
        return int(np.isfinite(self.scores).sum())

    @property
    def is_enough(self) -> bool:
        """Whether another search can learn from it."""
        return self.n_complete >= LEAST_EARLIER


def earlier_searches(
    name: str,
    sources: Sequence[Any] | None,
    learner: Learner,
    space: Space | None = None,
    metric: str | None = None,
) -> tuple[KnownScores, ...]:
    """Return what earlier searches, on other data, have found out about a space.

    Parameters
    ----------
    name : str
        The parameter that messages name.
    sources : list or None
        Of the kinds that `KnownScores.of` reads.
    learner : Learner
        Which is to learn from them.
    space : Space or None, default=None
        None is any space.
    metric : str, default=None
        As in `KnownScores.of`.

    Raises
    ------
    TypeError
        If `sources` is not a list, or one is of another kind.
    ValueError
        If one cannot be read, or has less than two candidates with a score in the space, or the
        learner cannot learn from them.
    """
    if sources is None:
        return ()
    if not isinstance(sources, list | tuple):
        raise TypeError(
            f"{name} must be a list of earlier searches, got {_short(sources)} of type "
            f"{type(sources).__name__}."
        )
    found = []
    for number, source in enumerate(sources):
        try:
            known = KnownScores.of(source, metric)
            found.append(known if space is None else known.inside(space))
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}[{number}] {error}") from error
        if not found[-1].is_enough:
            raise ValueError(
                f"{name}[{number}] must have at least {LEAST_EARLIER} candidates with a score in "
                f"the space, got {found[-1].n_complete}."
            )
    if found and not learner.uses_earlier:
        raise ValueError(
            f"{name} needs a learner that learns from earlier searches, such as ActorCritic(), "
            f"got {learner!r}."
        )
    return tuple(found)


def is_pair(source: object) -> bool:
    """Whether a value is a tuple of two lists, and not one of two candidates."""
    return (
        isinstance(source, tuple)
        and len(source) == 2
        and all(isinstance(part, Sequence | np.ndarray) for part in source)
        and not any(isinstance(part, str) for part in source)
    )


def is_feasible(trial: Any) -> bool:
    """Whether a trial of Optuna satisfies the constraints that it was given, in whatever way."""
    # not `trial.constraints`, which Optuna has from 5.0 on only
    known = [
        [value] if name.startswith(f"{CONSTRAINTS}:") else value or ()
        for name, value in trial.system_attrs.items()
        if name == CONSTRAINTS or name.startswith(f"{CONSTRAINTS}:")
    ]
    return all(value <= 0 for values in known for value in values)


def _of_results(results: Any, metric: str | None, search: Any = None) -> KnownScores:
    """Read ``cv_results_``; a search of skpg knows more of its candidates than their scores."""
    columns = [str(name) for name in results]
    if "params" not in columns:
        raise ValueError(f"must be {KINDS}; got {_short(results)}, which has no 'params'.")
    column = _score_column(columns, metric, getattr(search, "refit", None))
    known = _of_pair(list(results["params"]), _as_scores(results[column]).tolist())
    compared = np.ones(len(known), dtype=bool)
    if "n_resources" in columns:
        resources = np.asarray(results["n_resources"])
        compared = resources == resources.max(initial=0)
    if hasattr(search, "_statuses"):
        statuses = np.array(search._statuses)
        # the number that stands for the score of a failure is none
        scores = np.where(statuses == "failed", np.nan, known.scores)
        known, compared = replace(known, scores=scores), statuses != "raced"
    elif "n_folds_evaluated" in columns:
        compared = ~_lost_race(results, columns, column.removeprefix("mean_"))
    return known.where(compared)


def _lost_race(results: Any, columns: list[str], test_score: str) -> NDArray[np.bool_]:
    """Return which candidates have a score on each fold that was run, but not all were."""
    run = np.asarray(results["n_folds_evaluated"])
    folds = [c for c in columns if c.startswith("split") and c.endswith(f"_{test_score}")]
    n_scores = sum((np.isfinite(_as_scores(results[c])).astype(int) for c in folds), 0 * run)
    return np.asarray((run < len(folds)) & (n_scores == run))


def _score_column(columns: list[str], metric: str | None, refit: object) -> str:
    """Return the name of the column of mean scores that counts."""
    means = [name for name in columns if name.startswith("mean_test_")]
    for wanted in (metric, "score", refit):
        if f"mean_test_{wanted}" in means:
            return f"mean_test_{wanted}"
    if not means:
        raise ValueError(f"must have a column 'mean_test_score', got the columns {columns}.")
    if metric is not None and len(means) > 1:
        raise ValueError(f"must have a column 'mean_test_{metric}', got {means}.")
    return means[0]


def _of_pair(params: Sequence[Any], scores: Sequence[Any]) -> KnownScores:
    values = _as_scores(scores)
    if len(params) != len(values):
        raise ValueError(
            f"must have one score per candidate, got {len(params)} candidates and {len(values)} "
            "scores."
        )
    for candidate in params:
        if not isinstance(candidate, Mapping):
            raise TypeError(
                f"must have dicts from names of hyperparameters to values as params, got "
                f"{_short(candidate)} of type {type(candidate).__name__}."
            )
    return KnownScores(tuple(map(dict, params)), np.where(np.isfinite(values), values, np.nan))


def _of_optuna(study: Any) -> KnownScores:
    """Read a study of Optuna by its public attributes."""
    if len(study.directions) != 1:
        raise ValueError(f"must have one objective, got {len(study.directions)} directions.")
    sign = -1.0 if study.directions[0].name == "MINIMIZE" else 1.0
    trials = [trial for trial in study.trials if trial.state.name in ("COMPLETE", "FAIL")]
    scores = [
        sign * trial.value
        if trial.state.name == "COMPLETE" and is_feasible(trial)
        else float("nan")
        for trial in trials
    ]
    return _of_pair([trial.params for trial in trials], scores)


def _as_scores(scores: Sequence[Any]) -> FloatArray:
    try:
        values: FloatArray = np.ma.filled(np.ma.asarray(scores, dtype=float), np.nan)
    except (TypeError, ValueError) as error:
        raise TypeError(f"must have numbers as scores, got {_short(scores)}.") from error
    if values.ndim != 1:
        raise ValueError(f"must have one score per candidate, got the shape {values.shape}.")
    return np.array(values)


def _reason(space: Space, params: Params) -> str | None:
    """Return why a space does not have a candidate, None where it has."""
    try:
        row = space.identify(params)
    except (TypeError, ValueError) as error:
        return str(error)
    # a space that is inferred from what was asked for takes candidates with other names
    return f"{params!r} has none of its names." if np.isnan(row).all() else None


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST_REPR else f"{text[:LONGEST_REPR]}..."
