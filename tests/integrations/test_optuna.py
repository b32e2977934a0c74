import gc
import math
import pickle
import signal
import subprocess
import sys
import time
import warnings
import weakref
from dataclasses import dataclass

import numpy as np
import pytest

optuna = pytest.importorskip("optuna")

from optuna.distributions import (  # noqa: E402
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import PartialFixedSampler  # noqa: E402
from optuna.testing import pytest_samplers as contract  # noqa: E402
from optuna.trial import TrialState, create_trial  # noqa: E402
from scipy import stats  # noqa: E402

from skpg.integrations.optuna import PolicyGradientSampler  # noqa: E402
from skpg.integrations.optuna.define_by_run import (  # noqa: E402
    Condition,
    DefineByRunSpace,
    LogInteger,
    Structure,
    infer_structure,
)
from skpg.integrations.optuna.observed import Observed  # noqa: E402
from skpg.learners import Learner, NaturalGradient  # noqa: E402

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


def study_of(objective, n_trials, **options):
    study = optuna.create_study(sampler=PolicyGradientSampler(seed=0), **options)
    study.optimize(objective, n_trials=n_trials)
    return study


# -- What is learned ---------------------------------------------------------------------


def bowl(trial):
    x = trial.suggest_float("x", -10, 10)
    n = trial.suggest_int("n", 1, 1000, log=True)
    kind = trial.suggest_categorical("kind", ["a", "b", None])
    step = trial.suggest_float("step", 0, 1, step=0.25)
    return (x - 2) ** 2 + math.log(n / 20) ** 2 + (kind != "b") + (step - 0.5) ** 2


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


def pruned(values, **options):
    return create_trial(state=TrialState.PRUNED, intermediate_values=values, **options)


def test_a_pruned_trial_counts_as_what_it_promised():
    x = {"params": {"x": 0.5}, "distributions": {"x": FloatDistribution(0, 1)}}
    observed = Observed(minimize=False)
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


# -- Which space -------------------------------------------------------------------------


def conditional(trial):
    if trial.suggest_categorical("kind", ["svm", "tree"]) == "tree":
        return 0.2 + abs(trial.suggest_int("depth", 1, 20) - 7) / 20
    C = trial.suggest_float("C", 1e-3, 1e3, log=True)
    if trial.suggest_categorical("kernel", ["poly", "rbf"]) == "poly":
        return 0.1 + abs(trial.suggest_int("degree", 2, 6) - 3)
    return 0.01 * (math.log10(C) - 1) ** 2


def test_conditions_are_found_out():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(conditional, n_trials=40)
    structure = infer_structure(study.trials)
    assert structure.conditions == {
        "C": Condition("kind", frozenset({0.0})),
        "kernel": Condition("kind", frozenset({0.0})),
        "depth": Condition("kind", frozenset({1.0})),
        "degree": Condition("kernel", frozenset({0.0})),
    }
    assert all(structure.explains(trial) for trial in study.trials)
    space = DefineByRunSpace(structure)
    params = [trial.params for trial in study.trials]
    assert space.decode(space.encode(params)) == [pytest.approx(p) for p in params]
    assert len(set(space.keys(space.encode(params)))) == len({str(p) for p in params})


def test_an_integer_can_decide_how_many_others_exist():
    def objective(trial):
        n = trial.suggest_int("n_layers", 1, 3)
        return sum((trial.suggest_float(f"width {k}", 0, 1) - 0.5) ** 2 for k in range(n)) + n

    study = study_of(objective, 40)
    structure = infer_structure(study.trials)
    assert structure.conditions["width 1"] == Condition("n_layers", frozenset({2.0, 3.0}))
    assert structure.conditions["width 2"].values == {3.0}
    assert study.best_value < 1.01


def test_a_conditional_space_is_searched_as_one():
    medians = []
    for seed in range(3):
        study = optuna.create_study(sampler=PolicyGradientSampler(seed=seed))
        study.optimize(conditional, n_trials=45)
        medians.append(np.median([trial.value for trial in study.trials[-15:]]))
    # of draws at random it is .4; with what exists only sometimes drawn at random, .3
    assert np.mean(medians) < 0.03


def test_what_nothing_explains_is_drawn_at_random():
    rng = np.random.default_rng(0)

    def objective(trial):
        value = trial.suggest_float("x", 0, 1) ** 2
        return value + (trial.suggest_float("y", 0, 1) if rng.random() < 0.5 else 0)

    study = study_of(objective, 20)
    assert set(infer_structure(study.trials).distributions) <= {"x", "y"}
    assert len(study.trials) == 20


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


def test_a_hyperparameter_may_come_later_and_another_may_go():
    study = optuna.create_study(sampler=PolicyGradientSampler(seed=0))
    study.optimize(lambda t: t.suggest_float("x", 0, 1) + t.suggest_float("y", 0, 1), n_trials=8)

    def objective(trial):
        return trial.suggest_float("x", 0, 1) + (trial.suggest_float("z", 0, 1) - 0.5) ** 2

    study.optimize(objective, n_trials=30)
    assert set(infer_structure(study.trials).distributions) == {"x", "z"}
    assert study.best_value < 0.05


def test_ranges_that_change_all_the_time_do_no_harm():
    def objective(trial):
        high = trial.suggest_float("high", 1, 10)
        return high + trial.suggest_float("x", 0, high)

    study = study_of(objective, 20)
    assert set(infer_structure(study.trials).distributions) == {"high"}


@pytest.mark.parametrize(
    "distribution",
    [
        FloatDistribution(-10.2, 10.2),
        FloatDistribution(1e-7, 10, log=True),
        FloatDistribution(-10.2, 10.2, step=0.1),
        IntDistribution(-3, 12),
        IntDistribution(-3, 12, step=5),
        IntDistribution(1, 100, log=True),
        IntDistribution(1, 10**9, log=True),
        CategoricalDistribution([1, 2, 4]),
        CategoricalDistribution([None, "a", 1.5, True]),
        CategoricalDistribution([float("nan"), 1.0]),
    ],
    ids=str,
)
def test_values_are_optunas_own(distribution):
    space = DefineByRunSpace(Structure({"x": distribution}, {}))
    rng = np.random.default_rng(0)
    for z in (rng.standard_normal(200), [-8.0, 8.0]):
        actions = np.array(z)[:, None]
        if isinstance(distribution, CategoricalDistribution):
            actions = rng.integers(len(distribution.choices), size=(50, 1)).astype(float)
        values = [params["x"] for params in space.decode(actions)]
        trial = create_trial(params={"x": values[0]}, distributions={"x": distribution}, value=0)
        assert trial.params["x"] is values[0] or trial.params["x"] == values[0]
        for value in values:
            internal = distribution.to_internal_repr(value)
            assert distribution._contains(internal)
            assert type(value) is type(distribution.to_external_repr(internal))
            (again,) = space.decode(space.encode([{"x": value}]))
            same = again["x"] is value or again["x"] == value
            assert same or again["x"] == pytest.approx(value, rel=1e-9)


def test_integers_on_a_logarithmic_scale_are_a_distribution():
    ours = LogInteger(3, 400)
    atoms = np.arange(3, 401)
    assert ours.pmf(atoms).sum() == pytest.approx(1)
    assert np.allclose(np.cumsum(ours.pmf(atoms)), ours.cdf(atoms))
    assert (ours.pmf(np.array([2.0, 3.5, 401.0])) == 0).all()
    drawn = ours.rvs(5000, random_state=0)
    rounded = np.rint(stats.loguniform(2.5, 400.5).rvs(5000, random_state=1))
    assert stats.ks_2samp(drawn, rounded).pvalue > 0.01


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


# -- One sampler in many places ----------------------------------------------------------


def tell(study, target, n_trials):
    study.optimize(lambda t: (t.suggest_float("x", -10, 10) - target) ** 2, n_trials=n_trials)


def test_studies_of_one_name_in_two_storages_are_kept_apart():
    sampler = PolicyGradientSampler(seed=0)
    storages = {target: optuna.storages.InMemoryStorage() for target in (-8, 8)}
    studies = {
        target: optuna.create_study(storage=storage, study_name="same", sampler=sampler)
        for target, storage in storages.items()
    }
    for n_trials in (5, 5, 10):  # in turn
        for target, study in studies.items():
            tell(study, target, n_trials)
    for target, study in studies.items():
        assert abs(study.best_params["x"] - target) < 0.1


def test_a_study_that_was_deleted_is_forgotten(tmp_path):
    """A database gives the number of a deleted study to the next one."""
    url, sampler = f"sqlite:///{tmp_path}/study.db", PolicyGradientSampler(seed=0)
    storage = optuna.storages.get_storage(url)
    for target in (-8, 8):
        study = optuna.create_study(storage=storage, study_name="same", sampler=sampler)
        assert study._study_id == 1
        tell(study, target, 20)
        assert abs(study.best_params["x"] - target) < 0.1
        optuna.delete_study(study_name="same", storage=storage)


def test_a_study_that_has_another_direction_now_is_another_one(tmp_path):
    url, sampler = f"sqlite:///{tmp_path}/study.db", PolicyGradientSampler(seed=0)
    storage = optuna.storages.get_storage(url)
    options = {"storage": storage, "study_name": "same", "sampler": sampler}
    optuna.create_study(**options).ask({"x": FloatDistribution(-10, 10)})  # and not told
    optuna.delete_study(study_name="same", storage=storage)
    study = optuna.create_study(direction="maximize", **options)
    study.optimize(lambda t: -((t.suggest_float("x", -10, 10) - 8) ** 2), n_trials=20)
    assert abs(study.best_params["x"] - 8) < 0.1


def test_copies_of_a_study_may_part():
    """They have the same trials, and later others."""
    sampler = PolicyGradientSampler(seed=0)
    first = optuna.create_study(study_name="same", sampler=sampler)
    tell(first, 0, 10)
    second = optuna.create_study(study_name="same", sampler=sampler)
    second.add_trials(first.trials)
    for study, target in ((first, -8), (second, 8)):
        tell(study, target, 20)
        observed = sampler._pull(study)
        assert [observed._finished[n].value for n in range(30)] == [t.value for t in study.trials]


def test_storages_are_not_kept_alive():
    sampler = PolicyGradientSampler(seed=0)
    storage = optuna.storages.InMemoryStorage()
    tell(optuna.create_study(storage=storage, sampler=sampler), 0, 5)
    gone = weakref.ref(storage)
    del storage
    gc.collect()
    assert gone() is None
    assert not sampler._studies


def test_a_study_is_known_again_whatever_its_trials_hold(tmp_path):
    """Each copy of nan differs from the others."""
    sampler = PolicyGradientSampler(seed=0)
    backend = optuna.storages.journal.JournalFileBackend(f"{tmp_path}/journal.log")
    study = optuna.create_study(storage=optuna.storages.JournalStorage(backend), sampler=sampler)

    def objective(trial):
        trial.report(float("nan"), 0)
        trial.suggest_categorical("choice", [float("nan"), 1.0])
        return trial.suggest_float("x", 0, 1)

    study.optimize(objective, n_trials=5)
    observed = sampler._pull(study)
    assert observed.is_of(pickle.loads(pickle.dumps(study.trials)))
    assert not observed.is_of(study.trials[1:])


def test_one_sampler_may_serve_several_studies():
    sampler = PolicyGradientSampler(seed=0)
    for target in (2, 8):
        study = optuna.create_study(sampler=sampler)
        study.optimize(
            lambda t, target=target: (t.suggest_float("x", 0, 10) - target) ** 2, n_trials=15
        )
        assert abs(study.best_params["x"] - target) < 0.3


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


def test_works_in_threads():
    study = optuna.create_study(sampler=PolicyGradientSampler(seed=0))
    study.optimize(bowl, n_trials=30, n_jobs=3)
    assert len(study.trials) == 30
    assert len({str(t.params) for t in study.trials}) == 30


WORKER = """
import sys, time, optuna
from skpg.integrations.optuna import PolicyGradientSampler

optuna.logging.set_verbosity(optuna.logging.CRITICAL)
url, seed, n_trials, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
sampler = PolicyGradientSampler(seed=seed)
study = optuna.load_study(study_name="shared", storage=url, sampler=sampler)

def objective(trial):
    trial.set_user_attr("worker", seed)
    values = [trial.suggest_float(name, 0, 1) for name in "xyz"]
    time.sleep(seconds)
    return sum((value - 0.3) ** 2 for value in values)

study.optimize(objective, n_trials=n_trials)
(of_storage,) = sampler._studies.values()
(observed,) = of_storage.values()
print(*sorted(observed._finished))
"""


@pytest.fixture
def shared(tmp_path):
    url = f"sqlite:///{tmp_path}/study.db"
    return url, optuna.create_study(study_name="shared", storage=url)


def start_worker(url, seed, n_trials, seconds=0.0):
    command = [sys.executable, "-c", WORKER, url, str(seed), str(n_trials), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_on_one_study_learn_from_each_other(shared):
    url, study = shared
    workers = {seed: start_worker(url, seed, 15) for seed in (1, 2)}
    learned = {}
    for seed, worker in workers.items():
        output, _ = worker.communicate(timeout=300)
        assert worker.returncode == 0
        learned[seed] = {int(number) for number in output.split()}
    trials = study.trials
    assert len(trials) == 30
    by = {s: {t.number for t in trials if t.user_attrs["worker"] == s} for s in workers}
    # the one that finished last has had trials of the other to learn from
    assert any(learned[1] & by[2]) or any(learned[2] & by[1])
    assert len({str(t.params) for t in trials}) == 30
    assert study.best_value < 0.02


def test_processes_with_one_seed_propose_nothing_twice(shared):
    url, study = shared
    for worker in [start_worker(url, 1, 15) for _ in range(3)]:
        worker.communicate(timeout=300)
    # the second and third trial may have been drawn before anything was known
    assert len({str(t.params) for t in study.trials[3:]}) == 42


def test_a_killed_study_goes_on(shared):
    url, study = shared
    worker = start_worker(url, 1, 1000, seconds=0.05)
    while len(study.get_trials(states=[TrialState.COMPLETE])) < 20:
        assert worker.poll() is None
        time.sleep(0.2)
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    before = study.trials
    assert study.get_trials(states=[TrialState.COMPLETE]) != []
    output, _ = start_worker(url, 2, 16).communicate(timeout=300)
    finished = [t.number for t in before if t.state is TrialState.COMPLETE]
    assert set(finished) < {int(number) for number in output.split()}
    after = study.trials[len(before) :]
    assert len(after) == 16
    # it goes on where it was: of sixteen draws at random the best is as near as this
    # twice in a hundred times
    assert min(t.value for t in after) < 0.005
