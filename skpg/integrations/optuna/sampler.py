"""A sampler for Optuna that learns as a search does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.storages import BaseStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from skpg.integrations.optuna.observed import (
    ObservedStudy,
    median_of,
    publish,
    publish_constraints,
)
from skpg.known_scores import earlier_searches
from skpg.learners import ActorCritic, Learner

# Attempts to propose params that no other process proposes in the same instant.
MAX_ATTEMPTS = 5


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
    warm_start_from : list, default=None
        Earlier studies of the same or a similar objective, or other earlier searches, as those of
        `PolicyGradientSearchCV`: what they tell about where to look. They are read at once, and
        learned from as far as they lie in the space of the study.
    seed : int, default=None
        Pass an int for the same params in each run of a study in one thread.
    constraints_func : callable, default=None
        As that of ``TPESampler``: from a trial that is complete or pruned to a sequence of
        floats, of which any above 0 makes it infeasible. From Optuna 5 on an objective may
        call ``trial.set_constraint`` instead.

    Notes
    -----
    **What is learned.** A value that is to be minimised is a negative reward. A pruned trial
    counts as what its last report says about its end, by the trials that were completed. A
    failed one, nan included, counts as the worst, and so does one that violates a
    constraint, whatever its value.

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

    def __init__(
        self,
        *,
        learner: Learner | None = None,
        warm_start_from: Sequence[Any] | None = None,
        seed: int | None = None,
        constraints_func: Callable[[FrozenTrial], Sequence[float]] | None = None,
    ):
        self._learner = learner
        self._earlier = earlier_searches(
            "warm_start_from", warm_start_from, learner or ActorCritic()
        )
        self._constraints_func = constraints_func
        self._rng = np.random.default_rng(seed)
        self._independent = RandomSampler(seed=seed)
        self._studies = _no_studies()
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind the lock, and what will be pulled from the study again."""
        return {**self.__dict__, "_studies": None, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _studies=_no_studies(), _lock=threading.Lock())

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
            for _ in range(MAX_ATTEMPTS):
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
            return median_of(param_distribution, self._rng)
        return self._independent.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Write the constraints of a trial into the study."""
        if self._constraints_func is not None and state is not TrialState.FAIL:
            publish_constraints(study, trial, self._constraints_func(trial))

    def _pull(self, study: Study) -> ObservedStudy:
        # not `study.get_trials`, which some pruners reduce to a part of the trials
        trials = study._storage.get_all_trials(study._study_id, deepcopy=False)
        key = study._study_id, study.direction is StudyDirection.MINIMIZE
        of_storage = self._studies.setdefault(study._storage, {})
        observed = of_storage.get(key)
        if observed is None or not observed.agrees_with(trials):
            observed = of_storage[key] = ObservedStudy(key[1], self._earlier)
        observed.update(trials)
        return observed


def _no_studies() -> WeakKeyDictionary[BaseStorage, dict[tuple[int, bool], ObservedStudy]]:
    """Return an empty dict of observed studies, by storage, and by number and direction.

    Two storages may have studies of the same name and number, and in one storage a study may
    have the number of another one that was deleted.
    """
    return WeakKeyDictionary()


def _check_one_objective(study: Study) -> None:
    if len(study.directions) > 1:
        raise ValueError(
            "PolicyGradientSampler needs a study with one objective, "
            f"got {len(study.directions)} directions."
        )
