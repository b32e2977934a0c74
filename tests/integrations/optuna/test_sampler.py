"""What the sampler learns from a study, and what it proposes."""

import math
import pickle
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from skpg.learners import ActorCritic, Learner, NaturalGradient

optuna = pytest.importorskip("optuna")

from optuna.distributions import (  # noqa: E402
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import PartialFixedSampler  # noqa: E402
from optuna.testing import pytest_samplers as contract  # noqa: E402
from optuna.trial import TrialState, create_trial  # noqa: E402

from skpg.integrations.optuna import PolicyGradientSampler  # noqa: E402
from skpg.integrations.optuna.observed import ObservedStudy  # noqa: E402
from tests.integrations.optuna.objectives import bowl, conditional, study_of  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.CRITICAL)


class TestContract(
    contract.BasicSamplerTestCase,
    contract.RelativeSamplerTestCase,
    contract.SingleOnlySamplerTestCase,
):
    """Optuna's own tests of samplers."""

    @pytest.fixture
    def sampler(self):
        return PolicyGradientSampler


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_finds_the_optimum_in_either_direction(direction):
    sign = 1 if direction == "minimize" else -1
    study = study_of(lambda trial: sign * bowl(trial), 60, direction=direction)
    assert sign * study.best_value < 0.05
    assert study.best_params["kind"] == "b"


@dataclass(frozen=True)
class Stubborn(Learner):
    """Proposes what lies one standard deviation above the middle, whatever is told."""

    def update(self, policy, memory, rng):
        return policy

    def propose(self, policy, memory, n, rng, admissible):
        return 1 + 0.01 * rng.standard_normal((n, 1))


def test_a_learner_of_ones_own_proposes():
    sampler = PolicyGradientSampler(learner=Stubborn(), seed=0)
    study = optuna.create_study(sampler=sampler)
    study.optimize(lambda trial: trial.suggest_float("x", -10, 10) ** 2, n_trials=20)
    # the first is the centre, before the second no range is known
    proposed = [trial.params["x"] for trial in study.trials[2:]]
    assert proposed == pytest.approx([20 * stats.norm.cdf(1) - 10] * 18, abs=0.3)


def test_another_learner_finds_the_optimum_in_its_own_way():
    def trials_of(learner):
        study = optuna.create_study(sampler=PolicyGradientSampler(learner=learner, seed=0))
        study.optimize(lambda trial: (trial.suggest_float("x", -10, 10) - 3) ** 2, n_trials=80)
        return [trial.value for trial in study.trials]

    values = trials_of(NaturalGradient())
    # of draws at random every second is above 25
    assert np.median(values[-20:]) < 1
    assert values != trials_of(None)


def test_the_first_trial_is_the_centre():
    def objective(trial):
        trial.suggest_categorical("list", [1, 2, 3])
        trial.suggest_int("n", 1, 9)
        return trial.suggest_float("x", 1e-3, 1e3, log=True)

    study = study_of(objective, 2)
    assert study.trials[0].params == pytest.approx({"list": 2, "n": 5, "x": 1.0})
    assert study.trials[1].params["x"] != pytest.approx(1.0)


def test_the_same_seed_gives_the_same_trials():
    first, second = (study_of(bowl, 15) for _ in range(2))
    assert [t.params for t in first.trials] == [t.params for t in second.trials]


def test_trials_of_others_and_enqueued_ones_are_learned_from():
    study = optuna.create_study(sampler=PolicyGradientSampler(seed=0))
    distributions = {"x": FloatDistribution(0, 1)}
    for x in np.linspace(0, 1, 21):
        study.add_trial(
            create_trial(params={"x": x}, distributions=distributions, value=(x - 0.62) ** 2)
        )
    study.enqueue_trial({"x": 0.61})
    study.optimize(lambda trial: (trial.suggest_float("x", 0, 1) - 0.62) ** 2, n_trials=6)
    assert study.trials[21].params == {"x": 0.61}
    assert study.best_value < 1e-4


def test_failed_trials_are_kept_away_from():
    def objective(trial):
        x, y = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)
        return float("nan") if x < 0.5 else (x - 0.5) ** 2 + y**2

    study = study_of(objective, 40)
    failed = [t for t in study.trials if t.state is TrialState.FAIL]
    assert 0 < len(failed) < 15  # of draws at random every second fails


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("infinite", [math.inf, -math.inf])
def test_infinite_values_are_failures_with_a_warning(infinite, direction):
    sign = 1 if direction == "minimize" else -1

    def objective(trial):
        x, y = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)
        return infinite if x < 0.5 else sign * ((x - 0.5) ** 2 + y**2)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        study = study_of(objective, 40, direction=direction)
    numbers = [t.number for t in study.trials[:-1] if math.isinf(t.value)]
    assert 0 < len(numbers) < 15  # of draws at random every second fails
    assert [str(w.message) for w in caught] == [
        f"Trials with infinite values count as failed: {number} ({infinite})." for number in numbers
    ]


def test_infinite_values_say_nothing_about_pruned_trials():
    x = {"params": {"x": 0.5}, "distributions": {"x": FloatDistribution(0, 1)}}
    observed = ObservedStudy(minimize=False)
    complete = [
        create_trial(value=0.9, intermediate_values={0: 0.5}, **x),
        create_trial(value=0.7, intermediate_values={0: -math.inf}, **x),
        create_trial(value=math.inf, intermediate_values={0: 0.1}, **x),
    ]
    for number, trial in enumerate(complete):
        trial.number = number
    with pytest.warns(UserWarning, match=r"count as failed: 2 \(inf\)"):
        observed.update(complete)
    assert observed._reward(pruned({0: 0.2}, **x)) == pytest.approx(0.6)
    assert math.isnan(observed._reward(complete[2]))
    assert math.isnan(observed._reward(pruned({0: math.inf}, **x)))


def pruned(values, **options):
    return create_trial(state=TrialState.PRUNED, intermediate_values=values, **options)


def test_a_pruned_trial_counts_as_what_it_promised():
    x = {"params": {"x": 0.5}, "distributions": {"x": FloatDistribution(0, 1)}}
    observed = ObservedStudy(minimize=False)
    complete = [
        create_trial(value=0.9, intermediate_values={0: 0.5, 1: 0.7}, **x),
        create_trial(value=0.7, intermediate_values={0: 0.3}, **x),
    ]
    for number, trial in enumerate(complete):
        trial.number = number
    observed.update(complete)
    assert observed._reward(complete[0]) == 0.9
    assert observed._reward(pruned({0: 0.2}, **x)) == pytest.approx(0.6)  # +.4 on average
    assert observed._reward(pruned({0: 0.2, 1: 0.3}, **x)) == pytest.approx(0.5)
    assert observed._reward(pruned({7: 0.3}, **x)) == 0.3  # nobody else reported there
    assert observed._reward(pruned({0: 0.8}, **x)) == 0.9  # not better than the best
    assert math.isnan(observed._reward(pruned({}, **x)))


@pytest.mark.parametrize(
    "pruner",
    [optuna.pruners.MedianPruner(n_startup_trials=3), optuna.pruners.HyperbandPruner(1, 9)],
    ids=["median", "hyperband"],
)
def test_works_with_pruners(pruner):
    def objective(trial):
        x = trial.suggest_float("x", -10, 10)
        for step in range(1, 10):
            value = (x - 2) ** 2 + 10 / step
            trial.report(value, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return value

    study = study_of(objective, 40, pruner=pruner)
    assert sum(t.state is TrialState.PRUNED for t in study.trials) > 5
    assert abs(study.best_params["x"] - 2) < 0.3


def test_a_conditional_space_is_searched_as_one():
    medians = []
    for seed in range(6):
        study = optuna.create_study(sampler=PolicyGradientSampler(seed=seed))
        study.optimize(conditional, n_trials=45)
        medians.append(np.median([trial.value for trial in study.trials[-15:]]))
    # of draws at random it is .4; with what exists only sometimes drawn at random, .3
    assert np.mean(medians) < 0.03


def test_each_branch_is_tried_before_it_is_left():
    """Also one whose first trials are useless, and which is the best of all."""

    def objective(trial):
        kind = trial.suggest_categorical("kind", ["a", "b", "needs tuning"])
        x, y = (trial.suggest_float(f"{name} of {kind}", 0, 1) for name in "xy")
        if kind == "needs tuning":
            return 1 - abs(x - 0.9) - abs(y - 0.5) / 9 if x > 0.6 else -1
        return 0.7 - (x - 0.3) ** 2 - (y - 0.5) ** 2

    found = []
    for seed in range(5):
        study = optuna.create_study(sampler=PolicyGradientSampler(seed=seed), direction="maximize")
        study.optimize(objective, n_trials=40)
        kinds = [t.params["kind"] for t in study.trials]
        assert min(kinds.count(kind) for kind in ("a", "b", "needs tuning")) >= 5
        found.append(study.best_value > 0.7)
    assert np.mean(found) >= 0.8


def test_a_range_may_change_and_what_was_learned_counts():
    study = optuna.create_study(sampler=PolicyGradientSampler(seed=0))
    study.optimize(lambda t: (t.suggest_float("x", 0, 10) - 9) ** 2, n_trials=15)
    study.optimize(lambda t: (t.suggest_float("x", 5, 20) - 9) ** 2, n_trials=15)
    values = [t.params["x"] for t in study.trials]
    assert max(values[15:]) > 10
    assert min(values[17:]) >= 5
    (of_storage,) = study.sampler._studies.values()
    (observed,) = of_storage.values()
    ((_, optimizer, _),) = observed._policies.values()
    # all but the last, which is finished since
    assert len(optimizer.memory) == sum(5 <= value <= 20 for value in values[:-1])


def test_nothing_is_proposed_twice_as_long_as_there_is_anything_else():
    def objective(trial):
        return trial.suggest_int("a", 0, 2) + trial.suggest_categorical("b", [0, 1])

    study = study_of(objective, 10)
    params = [tuple(sorted(t.params.items())) for t in study.trials]
    assert len(set(params[:6])) == 6
    assert len(params) == 10


def test_running_trials_are_not_proposed_again():
    study = optuna.create_study(sampler=PolicyGradientSampler(seed=0))
    distributions = {"a": IntDistribution(0, 5), "b": CategoricalDistribution(["x", "y"])}
    first = study.ask(distributions)
    study.tell(first, 1.0)
    running = [study.ask(distributions) for _ in range(11)]
    assert len({str(t.params) for t in [first, *running]}) == 12


def test_some_hyperparameters_may_be_fixed():
    study = study_of(bowl, 10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.sampler = PartialFixedSampler({"x": 2.0}, study.sampler)
    study.optimize(bowl, n_trials=60)
    assert all(t.params["x"] == 2.0 for t in study.trials[10:])
    # of draws at random it is above 1.2
    assert np.quantile([t.value for t in study.trials[-30:]], 0.25) < 0.3


def test_a_copy_goes_on_where_the_study_is():
    study = study_of(bowl, 12)
    copy = pickle.loads(pickle.dumps(study.sampler))
    other = optuna.create_study(sampler=copy)
    other.add_trials(study.trials)
    study.optimize(bowl, n_trials=1)
    other.optimize(bowl, n_trials=25)
    assert other.best_value < 0.2


def test_reseeding_makes_two_copies_differ():
    samplers = [PolicyGradientSampler(seed=0) for _ in range(2)]
    for sampler in samplers:
        sampler.reseed_rng()
    studies = [optuna.create_study(sampler=sampler) for sampler in samplers]
    for study in studies:
        study.optimize(lambda t: t.suggest_float("x", 0, 1), n_trials=3)
    first, second = ([t.params["x"] for t in study.trials[1:]] for study in studies)
    assert first != second


class Noting(ActorCritic):
    """Notes what it is handed of earlier studies."""

    def propose(self, state, memory, n, rng, admissible):
        earlier = [(state.space.decode(e.actions), e.rewards.tolist()) for e in memory.earlier]
        NOTED.append(earlier)
        return super().propose(state, memory, n, rng, admissible)


NOTED = []


def test_earlier_studies_are_learned_from_as_far_as_they_lie_in_the_space():
    earlier = study_of(conditional, 12)
    other = ([{"depth": 3}, {"depth": 4}], [1.0, 2.0])  # without what decides whether it exists
    NOTED.clear()
    sampler = PolicyGradientSampler(learner=Noting(), warm_start_from=[earlier, other], seed=0)
    sampler = pickle.loads(pickle.dumps(sampler))
    study = optuna.create_study(sampler=sampler)
    study.optimize(conditional, n_trials=12)
    assert len(study.trials) == 12
    ((params, rewards),) = NOTED[-1]
    assert rewards == [-t.value for t in earlier.trials if t.params in params]
    assert len(params) > 6


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"warm_start_from": [3]}, TypeError, r"warm_start_from\[0\] must be a fitted search"),
        ({"warm_start_from": [([{}], [1.0])]}, ValueError, "at least 2 candidates with a score"),
        (
            {"warm_start_from": [([{}, {}], [1.0, 2.0])], "learner": NaturalGradient()},
            ValueError,
            "warm_start_from needs a learner",
        ),
    ],
)
def test_earlier_studies_that_cannot_be_used_are_refused_at_once(settings, error, words):
    with pytest.raises(error, match=words):
        PolicyGradientSampler(**settings)
