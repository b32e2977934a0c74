"""Optuna: the policy as a sampler, and searches as studies.

Needs ``pip install "skpg[optuna]"``.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from skpg._optimizer import PolicyGradientOptimizer
from skpg.integrations._define_by_run import DefineByRunSpace, Structure, infer_structure
from skpg.learners import Learner

__all__ = ["PolicyGradientSampler"]

# Trials that say something about their params.
LEARNED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


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
    it. What is not known yet is drawn from its own distribution, in the first trial all.

    Params are never proposed twice as long as there are others. Studies with several
    objectives raise a ValueError.

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
        self._studies: dict[str, _Observed] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind the lock, and what will be pulled from the study again."""
        return {**self.__dict__, "_studies": {}, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

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
            observed = self._pull(study)
            return observed.propose(trial, search_space, self._learner, self._rng)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Draw a value of a hyperparameter that is not known yet."""
        _check_one_objective(study)
        return self._independent.sample_independent(study, trial, param_name, param_distribution)

    def _pull(self, study: Study) -> _Observed:
        observed = self._studies.setdefault(
            study.study_name, _Observed(study.direction is StudyDirection.MINIMIZE)
        )
        observed.update(study.get_trials(deepcopy=False))
        return observed


class _Observed:
    """What was pulled from one study, and the policies that learned from it.

    Parameters
    ----------
    minimize : bool
        Whether low values are good.
    """

    def __init__(self, minimize: bool):
        self.structure = Structure({}, {})
        self._minimize = minimize
        self._finished: dict[int, FrozenTrial] = {}
        self._running: list[FrozenTrial] = []
        self._proposed: dict[int, dict[str, Any]] = {}
        self._policies: dict[frozenset[str], tuple[Structure, PolicyGradientOptimizer, int]] = {}

    def update(self, trials: Sequence[FrozenTrial]) -> None:
        """Take in the trials of the study."""
        self._running = [t for t in trials if t.state is TrialState.RUNNING]
        new = [t for t in trials if t.state in LEARNED and t.number not in self._finished]
        if not new:
            return
        self._finished.update((t.number, t) for t in new)
        # one that failed may have done so before it asked for all of its params
        if not all(self.structure.explains(t) for t in new if t.state is not TrialState.FAIL):
            told = sorted(self._finished.items())
            self.structure = infer_structure([t for _, t in told if t.state is not TrialState.FAIL])

    def propose(
        self,
        trial: FrozenTrial,
        names: dict[str, Any],
        learner: Learner | None,
        rng: np.random.Generator,
    ) -> dict[str, Any]:
        """Return new params for those names that exist together."""
        structure = self.structure.restricted(names)
        if not structure.distributions:
            return {}
        optimizer = self._optimizer(structure, learner, rng)
        optimizer.expect(self._pending(trial, optimizer.space))
        proposed = optimizer.ask() or optimizer.policy.sample(1, rng)
        self._proposed[trial.number] = proposed[0]
        return proposed[0]

    def _optimizer(
        self, structure: Structure, learner: Learner | None, rng: np.random.Generator
    ) -> PolicyGradientOptimizer:
        """Return the optimizer of a space, told all finished trials."""
        key = frozenset(structure.distributions)
        known, optimizer, n_told = self._policies.get(key, (None, None, 0))
        if known != structure or optimizer is None:
            space = DefineByRunSpace(structure)
            optimizer = PolicyGradientOptimizer(space, learner=learner, random_state=rng)
            n_told = 0
        finished = list(self._finished.values())
        new = [t for t in finished[n_told:] if _lies_in(optimizer.space, t)]
        optimizer.tell([t.params for t in new], [self._reward(t) for t in new])
        self._policies[key] = (structure, optimizer, len(finished))
        return optimizer

    def _pending(self, trial: FrozenTrial, space: Any) -> list[dict[str, Any]]:
        """Return the params of the other trials that are running, in any process."""
        others = [t for t in self._running if t.number != trial.number]
        numbers = {t.number for t in others}
        self._proposed = {n: p for n, p in self._proposed.items() if n in numbers}
        params = [{**self._proposed.get(t.number, {}), **t.params} for t in others]
        return [p for p, t in zip(params, others, strict=True) if p and _lies_in(space, t)]

    def _reward(self, trial: FrozenTrial) -> float:
        """Return the value of a trial as a reward; nan where it failed."""
        sign = -1.0 if self._minimize else 1.0
        if trial.state is TrialState.COMPLETE and trial.value is not None:
            return sign * trial.value
        last = trial.last_step
        if trial.state is TrialState.FAIL or last is None:
            return float("nan")
        return self._expected_end(last, sign * trial.intermediate_values[last], sign)

    def _expected_end(self, step: int, report: float, sign: float) -> float:
        """Return the reward that a pruned trial would have had, at most the best one.

        The trials that were completed changed so much on the way from the same step to
        their ends.
        """
        complete = [t for t in self._finished.values() if t.state is TrialState.COMPLETE]
        ends = [sign * t.value for t in complete if t.value is not None]
        gains = [
            sign * (t.value - t.intermediate_values[step])
            for t in complete
            if t.value is not None and step in t.intermediate_values
        ]
        expected = report + (float(np.mean(gains)) if gains else 0.0)
        return min(expected, max(ends)) if ends else expected


def _lies_in(space: Any, trial: FrozenTrial) -> bool:
    """Whether a trial has values for a part of the space at least, and all of them in it."""
    try:
        return not np.isnan(space.identify(trial.params)).all()
    except ValueError:
        return False


def _check_one_objective(study: Study) -> None:
    if len(study.directions) > 1:
        raise ValueError(
            "PolicyGradientSampler needs a study with one objective, "
            f"got {len(study.directions)} directions."
        )
