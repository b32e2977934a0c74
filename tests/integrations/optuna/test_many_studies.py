"""One sampler keeps studies apart, and knows them again."""

import gc
import pickle
import weakref

import pytest

optuna = pytest.importorskip("optuna")

from optuna.distributions import FloatDistribution  # noqa: E402

from skpg.integrations.optuna import PolicyGradientSampler  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.CRITICAL)


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
    assert observed.agrees_with(pickle.loads(pickle.dumps(study.trials)))
    assert not observed.agrees_with(study.trials[1:])


def test_one_sampler_may_serve_several_studies():
    sampler = PolicyGradientSampler(seed=0)
    for target in (2, 8):
        study = optuna.create_study(sampler=sampler)
        study.optimize(
            lambda t, target=target: (t.suggest_float("x", 0, 10) - target) ** 2, n_trials=15
        )
        assert abs(study.best_params["x"] - target) < 0.3
