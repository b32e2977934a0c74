"""The trials of a study as a sampler sees them, and the policies that learn from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from skpg.evaluation.call_stack import warn
from skpg.integrations.optuna.define_by_run import DefineByRunSpace, Structure, infer_structure
from skpg.known_scores import CONSTRAINTS, KnownScores, is_feasible
from skpg.learners import Learner
from skpg.learners.actor_critic.sampling import at_medians
from skpg.optimizer import PolicyGradientOptimizer
from skpg.policy.policy import Policy
from skpg.space.space import Space

# States of the trials that a policy learns from.
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
# The attribute of a trial under which other processes find what was proposed for it.
PROPOSED = "skpg:proposed"


class ObservedStudy:
    """The trials of one study as last seen, and the policies that learned from them.

    Parameters
    ----------
    minimize : bool
        Whether low values are good.
    earlier : sequence of KnownScores, default=()
        What earlier studies have found out.
    """

    def __init__(self, minimize: bool, earlier: Sequence[KnownScores] = ()):
        self.structure = Structure({}, {})
        self._minimize, self._earlier = minimize, earlier
        self._finished: dict[int, FrozenTrial] = {}
        self._running: list[FrozenTrial] = []
        self._policies: dict[frozenset[str], tuple[Structure, PolicyGradientOptimizer, int]] = {}

    def agrees_with(self, trials: Sequence[FrozenTrial]) -> bool:
        """Whether these may be the trials of the study, at this or a later time.

        Trials that are finished stay as they are. If they do not, the study was deleted, and
        another one has its place.
        """
        now = {t.number: t for t in trials}
        # most storages return the same objects again; texts know that nan is nan
        return all(
            now.get(number) is known or repr(now.get(number)) == repr(known)
            for number, known in self._finished.items()
        )

    def update(self, trials: Sequence[FrozenTrial]) -> None:
        """Take in the trials of the study."""
        self._running = [t for t in trials if t.state is TrialState.RUNNING]
        new = [t for t in trials if t.state in FINISHED and t.number not in self._finished]
        if not new:
            return
        self._finished.update((t.number, t) for t in new)
        _warn_of_infinite_values(new)
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
        return proposed[0]

    def is_taken(self, params: dict[str, Any], trial: FrozenTrial) -> bool:
        """Whether another trial has, or is about to have, the params of this one."""
        others = [*map(_params, self._others(trial)), *(t.params for t in self._finished.values())]
        return any(other == params for other in others)

    def _optimizer(
        self, structure: Structure, learner: Learner | None, rng: np.random.Generator
    ) -> PolicyGradientOptimizer:
        """Return the optimizer of a space, told all finished trials."""
        key = frozenset(structure.distributions)
        known, optimizer, n_told = self._policies.get(key, (None, None, 0))
        if known != structure or optimizer is None:
            space = DefineByRunSpace(structure)
            optimizer = PolicyGradientOptimizer(
                space, learner=learner, warm_start_from=self._earlier_in(space), random_state=rng
            )
            n_told = 0
        finished = list(self._finished.values())
        new = [t for t in finished[n_told:] if _is_inside(optimizer.space, t.params)]
        optimizer.tell([t.params for t in new], [self._reward(t) for t in new])
        self._policies[key] = (structure, optimizer, len(finished))
        return optimizer

    def _earlier_in(self, space: DefineByRunSpace) -> list[KnownScores]:
        """Return what earlier studies know of a space; some may know too little."""
        found = [
            known.where(np.array([_is_complete(space, params) for params in known.params]))
            for known in self._earlier
        ]
        return [known for known in found if known.is_enough]

    def _pending(self, trial: FrozenTrial, space: Space) -> list[dict[str, Any]]:
        """Return the params of the other trials that are running, in any process."""
        return [p for t in self._others(trial) if _is_inside(space, p := _params(t))]

    def _others(self, trial: FrozenTrial) -> list[FrozenTrial]:
        return [t for t in self._running if t.number != trial.number]

    def _reward(self, trial: FrozenTrial) -> float:
        """Return the value of a trial as a reward; nan where it failed or is infeasible."""
        sign = -1.0 if self._minimize else 1.0
        value = _last_value(trial)
        if not is_feasible(trial) or not math.isfinite(value):
            return float("nan")
        if trial.state is TrialState.PRUNED and trial.last_step is not None:
            return self._expected_end(trial.last_step, sign * value, sign)
        return sign * value

    def _expected_end(self, step: int, report: float, sign: float) -> float:
        """Return the reward that a pruned trial would have had, at most the best one.

        The trials that were completed changed so much on the way from the same step to
        their ends.
        """
        finished = self._finished.values()
        complete = [
            t
            for t in finished
            if t.state is TrialState.COMPLETE and is_feasible(t) and math.isfinite(_last_value(t))
        ]
        ends = [sign * _last_value(t) for t in complete]
        changes = [
            _last_value(t) - t.intermediate_values[step]
            for t in complete
            if step in t.intermediate_values
        ]
        gains = [sign * change for change in changes if math.isfinite(change)]
        expected = report + (float(np.mean(gains)) if gains else 0.0)
        return min(expected, max(ends)) if ends else expected


def _last_value(trial: FrozenTrial) -> float:
    """Return the value of a complete trial, or the last report of a pruned one; nan without."""
    if trial.state is TrialState.COMPLETE and trial.value is not None:
        return trial.value
    if trial.state is TrialState.PRUNED and trial.last_step is not None:
        return trial.intermediate_values[trial.last_step]
    return float("nan")


def _warn_of_infinite_values(trials: Sequence[FrozenTrial]) -> None:
    infinite = [f"{t.number} ({_last_value(t)})" for t in trials if math.isinf(_last_value(t))]
    if infinite:
        warn(f"Trials with infinite values count as failed: {', '.join(infinite)}.")


def publish_constraints(study: Study, trial: FrozenTrial, values: Sequence[float]) -> None:
    """Note the constraints of a trial where Optuna and its dashboard look for them.

    Raises
    ------
    ValueError
        If one is nan.
    """
    constraints = [float(value) for value in values]
    if np.isnan(constraints).any():
        raise ValueError(f"constraints_func must return numbers, got {constraints}.")
    study._storage.set_trial_system_attr(trial._trial_id, CONSTRAINTS, constraints)


def publish(study: Study, trial: FrozenTrial, params: dict[str, Any]) -> None:
    """Tell the other processes what this trial will try, before it asks for it."""
    # Optuna's samplers do so by this private attribute; a sampler sees no public one
    study._storage.set_trial_system_attr(trial._trial_id, PROPOSED, params)


def median_of(distribution: BaseDistribution, rng: np.random.Generator) -> Any:
    """Return the median of a distribution; a random choice of an unordered list."""
    space = DefineByRunSpace(Structure({"": distribution}, {}))
    drawn = Policy.prior(space).sample_actions(1, rng)[0]
    return space.decode(at_medians(space, drawn)[None])[0][""]


def _params(trial: FrozenTrial) -> dict[str, Any]:
    """Return what a running trial has asked for, and what it is known to ask for."""
    return {**trial.system_attrs.get(PROPOSED, {}), **trial.params}


def _is_complete(space: DefineByRunSpace, params: dict[str, Any]) -> bool:
    """Whether params have values for all that exists with them, and all of them in the space."""
    return _is_inside(space, params) and space.structure.expects(params) <= params.keys()


def _is_inside(space: Space, params: dict[str, Any]) -> bool:
    """Whether params have values for a part of the space at least, and all of them in it."""
    try:
        return not np.isnan(space.identify(params)).all()
    except ValueError:
        return False
