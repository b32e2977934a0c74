"""The space of an objective is found out from its trials."""

import numpy as np
import pytest
from scipy import stats

optuna = pytest.importorskip("optuna")

from optuna.distributions import (  # noqa: E402
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import create_trial  # noqa: E402

from skpg.integrations.optuna import PolicyGradientSampler  # noqa: E402
from skpg.integrations.optuna.define_by_run import (  # noqa: E402
    Condition,
    DefineByRunSpace,
    LogInteger,
    Structure,
    infer_structure,
)
from tests.integrations.optuna.objectives import conditional, study_of  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.CRITICAL)


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


def test_parts_are_what_exists_together():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(conditional, n_trials=40)
    space = DefineByRunSpace(infer_structure(study.trials))
    parts = space.part_of(space.encode([trial.params for trial in study.trials]))
    names = [tuple(sorted(trial.params)) for trial in study.trials]
    assert set(parts) == {0, 1, 2}
    assert len(set(zip(parts, names, strict=True))) == len(set(names)) == 3
    # the tree has twenty depths, the kernels have numbers
    assert sorted(space.part_sizes) == [20, np.inf, np.inf]
    assert space.part_of(np.full((1, 5), np.nan)).tolist() == [-1]
    free = DefineByRunSpace(Structure({"x": FloatDistribution(0, 1)}, {}))
    assert (free.part_sizes, free.part_of(np.zeros((2, 1))).tolist()) == ([np.inf], [0, 0])


def test_an_integer_can_decide_how_many_others_exist():
    def objective(trial):
        n = trial.suggest_int("n_layers", 1, 3)
        return sum((trial.suggest_float(f"width {k}", 0, 1) - 0.5) ** 2 for k in range(n)) + n

    study = study_of(objective, 40)
    structure = infer_structure(study.trials)
    assert structure.conditions["width 1"] == Condition("n_layers", frozenset({2.0, 3.0}))
    assert structure.conditions["width 2"].values == {3.0}
    assert study.best_value < 1.01


def test_what_nothing_explains_is_drawn_at_random():
    rng = np.random.default_rng(0)

    def objective(trial):
        value = trial.suggest_float("x", 0, 1) ** 2
        return value + (trial.suggest_float("y", 0, 1) if rng.random() < 0.5 else 0)

    study = study_of(objective, 20)
    assert set(infer_structure(study.trials).distributions) <= {"x", "y"}
    assert len(study.trials) == 20


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
