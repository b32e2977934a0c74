"""Optuna: the policy as a sampler, and searches as studies.

Needs ``pip install "skpg[optuna]"``.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.storages import BaseStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial
from sklearn.utils.validation import check_is_fitted

from skpg._stopping import Progress
from skpg.integrations._observed import Observed, centre, publish
from skpg.integrations._studies import Translation, candidates, new_study
from skpg.integrations._tracking import Record, Tracker
from skpg.learners import Learner

__all__ = ["OptunaCallback", "PolicyGradientSampler", "export_study"]

# Proposals of one trial before one that another process makes as well is accepted.
RACES = 5


class PolicyGradientSampler(BaseSampler):
    """A sampler for Optuna that learns as `PolicyGradientSearchCV` does.

    Each hyperparameter that an objective asks for becomes an actor of a policy. Before a
    trial the sampler pulls all finished trials from the study, improves the policy, and
    proposes new params. It keeps nothing that the study does not have: any number of
    processes may work on one study, and a study goes on after a crash.

    Parameters
    ----------
    learner : Learner, default=None
        The rule that improves the policy, from :mod:`skpg.learners`. None is
        ``ActorCritic()``.
    seed : int, default=None
        Pass an int for the same params in each run of a study in one thread.

    Notes
    -----
    **What is learned.** A value that is to be minimised is a negative reward. A pruned trial
    counts as what its last report says about its end, by the trials that were completed. A
    failed one, nan included, counts as the worst.

    **Which space.** It is inferred from the finished trials. Of a conditional space the
    sampler finds out which values of a list, or of an integer with few values, decide
    whether other hyperparameters exist, and models all of it together. Ranges may change:
    the last two trials say what is current, and older trials count as far as they lie in
    it. What is not known yet is drawn from its own distribution. The first trial is the
    centre of its ranges.

    Params are never proposed twice as long as there are others, by any of the processes:
    each writes what it proposes into the study (``system_attrs``), and looks whether another
    one did so in the same instant. Studies with several objectives raise a ValueError.

    Examples
    --------
    >>> import optuna
    >>> from skpg.integrations.optuna import PolicyGradientSampler
    >>> optuna.logging.set_verbosity(optuna.logging.ERROR)
    >>> def objective(trial):
    ...     x = trial.suggest_float("x", -10, 10)
    ...     kind = trial.suggest_categorical("kind", ["a", "b"])
    ...     return (x - 2) ** 2 + (kind == "a")
    >>> study = optuna.create_study(sampler=PolicyGradientSampler(seed=0))
    >>> study.optimize(objective, n_trials=40)
    >>> round(study.best_params["x"], 1), study.best_params["kind"]
    (2.0, 'b')
    """

    def __init__(self, *, learner: Learner | None = None, seed: int | None = None):
        self._learner = learner
        self._rng = np.random.default_rng(seed)
        self._independent = RandomSampler(seed=seed)
        self._studies = _nothing_observed()
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind the lock, and what will be pulled from the study again."""
        return {**self.__dict__, "_studies": None, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _studies=_nothing_observed(), _lock=threading.Lock())

    def reseed_rng(self) -> None:
        """Continue with other random numbers, as each of several workers must."""
        self._rng.bit_generator.state = np.random.default_rng().bit_generator.state
        self._independent.reseed_rng()

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the distributions of all hyperparameters that are known well enough."""
        _check_one_objective(study)
        with self._lock:
            return dict(self._pull(study).structure.distributions)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Learn from the finished trials, and propose params for this one."""
        _check_one_objective(study)
        if not search_space:
            return {}
        with self._lock:
            for _ in range(RACES):
                observed = self._pull(study)
                proposed = observed.propose(trial, search_space, self._learner, self._rng)
                publish(study, trial, proposed)
                # of two that propose the same in one instant at least one sees it here
                if not self._pull(study).is_taken(proposed, trial):
                    break
                self._rng.random(trial.number)  # processes with one seed part here
            return proposed

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Draw a value of a hyperparameter that is not known yet; the first one is the median."""
        _check_one_objective(study)
        if trial.number == 0 and not param_distribution.single():
            return centre(param_distribution, self._rng)
        return self._independent.sample_independent(study, trial, param_name, param_distribution)

    def _pull(self, study: Study) -> Observed:
        # not `study.get_trials`, which some pruners reduce to a part of the trials
        trials = study._storage.get_all_trials(study._study_id, deepcopy=False)
        key = study._study_id, study.direction is StudyDirection.MINIMIZE
        of_storage = self._studies.setdefault(study._storage, {})
        observed = of_storage.get(key)
        if observed is None or not observed.is_of(trials):
            observed = of_storage[key] = Observed(minimize=key[1])
        observed.update(trials)
        return observed


def _nothing_observed() -> WeakKeyDictionary[BaseStorage, dict[tuple[int, bool], Observed]]:
    """Return a memory of what was pulled, by storage, study and direction.

    Of two storages either may have a study of the same name and number. A storage keeps the
    numbers of its studies apart as long as they exist: of one that was deleted, another study
    may have the number.
    """
    return WeakKeyDictionary()


def _check_one_objective(study: Study) -> None:
    if len(study.directions) > 1:
        raise ValueError(
            "PolicyGradientSampler needs a study with one objective, "
            f"got {len(study.directions)} directions."
        )


def export_study(search: Any, storage: Any = None, *, study_name: str | None = None) -> Study:
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
    translation = Translation(search.param_distributions)
    rows = list(candidates(search))
    # The search does not keep when each was evaluated: they are laid end to end, up to now.
    end = datetime.now() - timedelta(seconds=sum(row["seconds"] for row in rows))
    for row in rows:
        end += timedelta(seconds=row["seconds"])
        study.add_trial(translation.trial(**row, ended=end))
    study.set_user_attr("stop_reason", search.stop_reason_)
    return study


class OptunaCallback(Tracker):
    """Record a running search in a study, so that optuna-dashboard shows it.

    Pass it in the `callbacks` of `PolicyGradientSearchCV`. The trials are those of
    `export_study`, each added when its candidate is finished. If the storage fails, a
    warning says so and the search goes on without it.

    Parameters
    ----------
    storage : str or optuna storage
        Such as ``"sqlite:///studies.db"``.
    study_name : str, default=None
        A name that the storage has already gets a number, so that each `fit` is a study of
        its own. None is a name that Optuna makes up.

    Attributes
    ----------
    study : optuna.Study or None
        The study of the search that began last.

    Examples
    --------
    >>> import optuna
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skpg import PolicyGradientSearchCV
    >>> from skpg.integrations.optuna import OptunaCallback
    >>> optuna.logging.set_verbosity(optuna.logging.ERROR)
    >>> callback = OptunaCallback(optuna.storages.InMemoryStorage(), "iris")
    >>> search = PolicyGradientSearchCV(
    ...     SVC(), {"C": loguniform(1e-3, 1e3)}, n_iter=10, callbacks=[callback]
    ... ).fit(*load_iris(return_X_y=True))
    >>> callback.study.study_name, len(callback.study.trials)
    ('iris', 10)
    """

    def __init__(self, storage: Any, study_name: str | None = None):
        self.storage = storage
        self.study_name = study_name
        self.study: Study | None = None

    def _new_record(self) -> Record:
        self.study = None
        return _StudyOfSearch(self)


class _StudyOfSearch(Record):
    """The study that a callback fills while a search runs."""

    def __init__(self, callback: OptunaCallback):
        self._callback = callback

    def begin(self, search: Any) -> None:
        self._translation = Translation(search.param_distributions)
        storage = self._callback.storage
        for name in self._free_names():
            with suppress(optuna.exceptions.DuplicatedStudyError):  # taken in this instant
                self._study = self._callback.study = new_study(search, storage, name)
                return

    def add(self, progress: Progress) -> None:
        self._study.add_trial(
            self._translation.trial(
                progress.params,
                progress.score,
                progress.status,
                progress.fold_scores,
                progress.seconds,
            )
        )

    def end(self, search: Any, error: BaseException | None) -> None:
        reason = search.stop_reason_ if error is None else f"{type(error).__name__}: {error}"
        self._study.set_user_attr("stop_reason", reason)

    def _free_names(self) -> Iterator[str | None]:
        wanted = self._callback.study_name
        taken = set(optuna.get_all_study_names(self._callback.storage))
        numbered = (wanted and f"{wanted} {n}" for n in itertools.count(2))
        return (name for name in itertools.chain([wanted], numbered) if name not in taken)
