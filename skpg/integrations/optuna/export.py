"""Searches as studies of Optuna."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState
from sklearn.utils.validation import check_is_fitted

from skpg import __version__
from skpg.integrations.tracking import described_settings, described_space, text
from skpg.space.dimensions import Choice, Continuous, Dimension, Discrete
from skpg.space.dimensions.quantiles import LARGEST_Z
from skpg.space.equality import same
from skpg.space.space import Space

STATES = {
    "complete": TrialState.COMPLETE,
    "failed": TrialState.FAIL,
    "raced": TrialState.PRUNED,
}


def export_study(
    search: Any, storage: Any = None, *, study_name: str | None = None
) -> optuna.Study:
    """Copy a fitted search into a study, for Optuna's plots, its dashboard and its samplers.

    Each candidate becomes a trial: its mean score the value, to be maximised, the scores of
    its folds the intermediate values. Candidates that failed are failed trials. Candidates
    that lost a race are pruned ones, with the mean of the folds that were run.

    Parameters
    ----------
    search : PolicyGradientSearchCV
        Fitted.
    storage : str, optuna storage or None, default=None
        Such as ``"sqlite:///studies.db"``; None keeps the study in memory.
    study_name : str, default=None
        Not yet in the storage. None is a name that Optuna makes up.

    Returns
    -------
    optuna.Study

    Raises
    ------
    NotFittedError
        If `search` is not fitted.
    optuna.exceptions.DuplicatedStudyError
        If the storage has a study of this name.

    Notes
    -----
    Choices that Optuna cannot store, such as estimators and tuples, are stored as their
    texts. A distribution becomes the range of its values, logarithmic if its median is the
    geometric middle.

    Examples
    --------
    >>> import optuna
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skpg import PolicyGradientSearchCV
    >>> from skpg.integrations.optuna import export_study
    >>> optuna.logging.set_verbosity(optuna.logging.ERROR)
    >>> search = PolicyGradientSearchCV(
    ...     SVC(), {"C": loguniform(1e-3, 1e3)}, n_iter=10, random_state=0
    ... ).fit(*load_iris(return_X_y=True))
    >>> study = export_study(search)
    >>> len(study.trials), study.best_params == search.best_params_
    (10, True)
    """
    check_is_fitted(search, "cv_results_")
    study = new_study(search, storage, study_name)
    translator = TrialTranslator(search.param_distributions)
    for candidate in _candidates_of(search):
        study.add_trial(translator.trial(candidate))
    study.set_user_attr("stop_reason", search.stop_reason_)
    return study


def new_study(search: Any, storage: Any, study_name: str | None) -> optuna.Study:
    """Return an empty study that says what is searched."""
    study = optuna.create_study(storage=storage, study_name=study_name, direction="maximize")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names([_metric(search)])
    for name, value in described_settings(search).items():
        study.set_user_attr(name, value)
    for name, value in described_space(search).items():
        study.set_user_attr(f"space: {name}", value)
    study.set_user_attr("skpg", __version__)
    return study


def _metric(search: Any) -> str:
    if isinstance(search.refit, str):
        return search.refit
    return search.scoring if isinstance(search.scoring, str) else "score"


@dataclass(frozen=True)
class FinishedCandidate:
    """What a trial holds of a candidate.

    Attributes
    ----------
    params : dict
    score : float
        The mean of the folds; nan for failed candidates.
    status : {'complete', 'failed', 'raced'}
    fold_scores : sequence of float
        nan where a fold was not run, or failed.
    seconds : float
        0 where the time is not known.
    ended : datetime
    attributes : dict
        More to show.
    """

    params: Mapping[str, Any]
    score: float
    status: str
    fold_scores: Sequence[float]
    seconds: float
    ended: datetime
    attributes: Mapping[str, Any] = field(default_factory=dict)


class TrialTranslator:
    """Turns candidates of a space into trials with values that Optuna can store.

    Parameters
    ----------
    param_distributions : dict or list of dicts
    """

    def __init__(self, param_distributions: Any):
        by_name: dict[str, list[Dimension]] = {}
        space = Space(param_distributions)
        for column in dict.fromkeys(j for columns in space.columns for j in columns):
            by_name.setdefault(space.dimensions[column].name, []).append(space.dimensions[column])
        self._parameters = {n: _parameters(n, dimensions) for n, dimensions in by_name.items()}

    def trial(self, candidate: FinishedCandidate) -> FrozenTrial:
        """Return a candidate as a trial whose steps are its folds."""
        values, distributions = {}, {}
        for name, value in candidate.params.items():
            stored_name, stored, distribution = self._stored(name, value)
            values[stored_name], distributions[stored_name] = stored, distribution
        folds = {k: float(s) for k, s in enumerate(candidate.fold_scores) if not np.isnan(s)}
        value = {"complete": candidate.score, "raced": _mean(folds), "failed": None}
        seconds = candidate.seconds
        known = {"seconds": round(seconds, 6)} if seconds > 0 else {}
        trial = optuna.create_trial(
            state=STATES[candidate.status],
            value=value[candidate.status],
            params=values,
            distributions=distributions,
            intermediate_values=folds,
            user_attrs={**known, **candidate.attributes},
        )
        trial.datetime_complete = candidate.ended
        trial.datetime_start = candidate.ended - timedelta(seconds=seconds)
        return trial

    def _stored(self, name: str, value: Any) -> tuple[str, Any, BaseDistribution]:
        *lists, last = self._parameters[name].items()
        for stored_name, parameter in lists:
            try:
                return stored_name, *parameter.stored(value)
            except ValueError:  # of the branch in which it is a number
                continue
        return last[0], *last[1].stored(value)


class _Labels:
    """Choices as values that Optuna can store: themselves if plain, else their texts."""

    def __init__(self, name: str, choices: Iterable[Any]):
        distinct: list[Any] = []
        for choice in choices:
            if not any(same(choice, known) for known in distinct):  # 1 is not True
                distinct.append(choice)
        self._choices = Choice(name, tuple(distinct), np.full(len(distinct), 1 / len(distinct)))
        plain = all(isinstance(c, str | int | float | bool) or c is None for c in distinct)
        # 1, 1.0 and True are one choice to Optuna
        storable = plain and len(set(distinct)) == len(distinct)
        self._stored = distinct if storable else _distinct_texts(distinct)
        self._distribution = CategoricalDistribution(self._stored)

    def stored(self, value: Any) -> tuple[Any, BaseDistribution]:
        return self._stored[int(self._choices.identify(value))], self._distribution


class _Range:
    """A number between bounds, which are moved where a value lies outside."""

    def __init__(self, low: float, high: float, whole: bool, log: bool):
        self._low, self._high, self._whole, self._log = low, high, whole, log

    def stored(self, value: Any) -> tuple[Any, BaseDistribution]:
        low, high = min(self._low, value), max(self._high, value)
        if self._whole:
            return int(value), IntDistribution(int(low), int(high), log=self._log)
        return float(value), FloatDistribution(low, high, log=self._log)


def _parameters(name: str, dimensions: list[Dimension]) -> dict[str, _Labels | _Range]:
    """Return what stands for a hyperparameter, lists first; branches may differ about it."""
    choices = [c for d in dimensions if isinstance(d, Choice) for c in d.choices]
    numbers = [d for d in dimensions if not isinstance(d, Choice)]
    found: dict[str, _Labels | _Range] = {name: _Labels(name, choices)} if choices else {}
    if numbers:
        found[f"{name} (number)" if choices else name] = _range(numbers)
    return found


def _range(dimensions: list[Continuous | Discrete]) -> _Range:
    spans = np.array([_span(d) for d in dimensions])
    low, high = spans[:, 0].min(), spans[:, 2].max()
    whole = all(isinstance(d, Discrete) and d.whole for d in dimensions)
    # the median of a logarithmic scale is its geometric middle
    log = low > 0 and np.allclose(spans[:, 1] ** 2, spans[:, 0] * spans[:, 2], rtol=1e-3)
    return _Range(float(low), float(high), whole, bool(log))


def _span(dimension: Continuous | Discrete) -> list[float]:
    """Return the least value, the median and the greatest value, all finite."""
    span = dimension.resolve(np.array([-LARGEST_Z, 0.0, LARGEST_Z])).tolist()
    if isinstance(dimension, Continuous):
        span[0] = dimension.low if np.isfinite(dimension.low) else span[0]
        span[2] = dimension.high if np.isfinite(dimension.high) else span[2]
    return span


def _distinct_texts(choices: list[Any]) -> list[str]:
    texts: list[str] = []
    for choice in choices:
        label = text(choice)
        n = sum(t == label or t.startswith(f"{label} #") for t in texts)
        texts.append(f"{label} #{n + 1}" if n else label)
    return texts


def _mean(folds: Mapping[int, float]) -> float | None:
    return sum(folds.values()) / len(folds) if folds else None


def _candidates_of(search: Any) -> Iterator[FinishedCandidate]:
    """Yield the candidates of a fitted search."""
    results = search.cv_results_
    metric = search.refit if isinstance(search.refit, str) else "score"
    if f"mean_test_{metric}" not in results:
        metric = next(key for key in results if key.startswith("mean_test_"))[10:]
    n_folds = results.get("n_folds_evaluated", np.full(len(results["params"]), search.n_splits_))
    folds = np.array([results[f"split{k}_test_{metric}"] for k in range(search.n_splits_)]).T
    # of a candidate that lost a race the mean times, and so the seconds, are nan
    seconds = np.nan_to_num((results["mean_fit_time"] + results["mean_score_time"]) * n_folds)
    # The search does not keep when each was evaluated: they are laid end to end, up to now.
    start = datetime.now() - timedelta(seconds=float(seconds.sum()))
    ends = [start + timedelta(seconds=float(passed)) for passed in np.cumsum(seconds)]
    for i, params in enumerate(results["params"]):
        yield FinishedCandidate(
            params,
            score=float(results[f"mean_test_{metric}"][i]),
            # not seen in the scores, where a number as error_score stands for failures
            status=search._statuses[i],
            fold_scores=folds[i].tolist(),
            seconds=float(seconds[i]),
            ended=ends[i],
            attributes={"iter": int(results["iter"][i])},
        )
