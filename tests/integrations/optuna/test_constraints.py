"""Trials that violate the constraints of a study are learned from as failures."""

import numpy as np
import pytest

optuna = pytest.importorskip("optuna")

from optuna.distributions import FloatDistribution  # noqa: E402
from optuna.trial import TrialState, create_trial  # noqa: E402

from skpg.integrations.optuna import PolicyGradientSampler  # noqa: E402
from skpg.integrations.optuna.observed import ObservedStudy  # noqa: E402
from skpg.known_scores import is_feasible  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.CRITICAL)


def bowl(trial):
    """Feasible in a twelfth of the space; the best value of all is far outside."""
    x, y = (trial.suggest_float(name, 0, 1) for name in "xy")
    return (x - 1) ** 2 + (y - 1) ** 2


def violations(trial):
    return (trial.params["x"] - 0.4, trial.params["y"] - 0.2)


def bowl_with_constraints(trial):
    value = bowl(trial)
    for name, violation in zip("ab", violations(trial), strict=True):
        trial.set_constraint(name, violation)
    return value


def study_with(objective, n_trials, **options):
    study = optuna.create_study(sampler=PolicyGradientSampler(seed=0, **options))
    study.optimize(objective, n_trials=n_trials)
    return study


@pytest.mark.parametrize("way", ["constraints_func", "set_constraint"])
def test_later_trials_are_mostly_feasible_and_good(way):
    if way == "constraints_func":
        study = study_with(bowl, 60, constraints_func=violations)
    elif hasattr(optuna.trial.Trial, "set_constraint"):
        study = study_with(bowl_with_constraints, 60)
    else:
        pytest.skip("this version of Optuna does not have it")
    feasible = [max(violations(trial)) <= 0 for trial in study.trials]
    assert list(map(is_feasible, study.trials)) == feasible
    assert np.mean(feasible[30:]) > 0.5  # a twelfth of draws at random
    assert max(violations(study.best_trial)) <= 0
    best = 0.6**2 + 0.8**2
    assert best <= study.best_value < best + 0.1


def test_both_ways_give_the_same_trials():
    if not hasattr(optuna.trial.Trial, "set_constraint"):
        pytest.skip("this version of Optuna does not have it")
    one = study_with(bowl, 20, constraints_func=violations)
    other = study_with(bowl_with_constraints, 20)
    assert [t.params for t in one.trials] == [t.params for t in other.trials]
    values = [list(t.constraints.values()) for t in one.trials]
    assert values == [list(t.constraints.values()) for t in other.trials]


def test_constraints_that_hold_change_nothing():
    free = study_with(bowl, 20)
    held = study_with(bowl, 20, constraints_func=lambda trial: [0.0, -1.0])
    assert [t.params for t in free.trials] == [t.params for t in held.trials]


def test_pruned_trials_have_constraints_and_failed_ones_none():
    def objective(trial):
        x = trial.suggest_float("x", 0, 1)
        if trial.number == 1:
            raise optuna.TrialPruned
        return float("nan") if trial.number == 2 else x

    study = study_with(objective, 3, constraints_func=lambda trial: [trial.params["x"]])
    noted = ["constraints" in trial.system_attrs for trial in study.trials]
    assert noted == [True, True, False]


def test_the_value_of_an_infeasible_trial_is_no_reward():
    x = {"params": {"x": 0.5}, "distributions": {"x": FloatDistribution(0, 1)}}
    forbidden = {"system_attrs": {"constraints": [-1.0, 0.1]}}
    observed = ObservedStudy(minimize=False)
    complete = [
        create_trial(value=0.7, intermediate_values={0: 0.3}, **x),
        create_trial(value=9.0, intermediate_values={0: 0.3}, **x, **forbidden),
    ]
    for number, trial in enumerate(complete):
        trial.number = number
    observed.update(complete)
    assert np.isnan(observed._reward(complete[1]))
    report = {"state": TrialState.PRUNED, "intermediate_values": {0: 0.2}}
    assert np.isnan(observed._reward(create_trial(**report, **x, **forbidden)))
    # what others gained counts, but for those that are not feasible
    assert observed._reward(create_trial(**report, **x)) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("attributes", "feasible"),
    [
        ({}, True),
        ({"constraints": None}, True),
        ({"constraints": [0.0, -1]}, True),
        ({"constraints": [0.0, 1e-9]}, False),
        ({"constraints:a": -1.0, "constraints:b": 0.0}, True),
        ({"constraints:a": -1.0, "constraints:b": 2.0}, False),
    ],
)
def test_feasible_is_what_optuna_calls_so(attributes, feasible):
    trial = create_trial(value=0.0, system_attrs=attributes)
    assert is_feasible(trial) is feasible
    if hasattr(trial, "constraints"):
        assert all(value <= 0 for value in trial.constraints.values()) is feasible


def test_nan_is_refused():
    with pytest.raises(ValueError, match="constraints_func must return numbers, got"):
        study_with(bowl, 1, constraints_func=lambda trial: [float("nan")])
