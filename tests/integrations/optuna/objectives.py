"""Objectives of the tests of the sampler."""

import math

import pytest

optuna = pytest.importorskip("optuna")

from skpg.integrations.optuna import PolicyGradientSampler  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.CRITICAL)


def study_of(objective, n_trials, **options):
    study = optuna.create_study(sampler=PolicyGradientSampler(seed=0), **options)
    study.optimize(objective, n_trials=n_trials)
    return study


def bowl(trial):
    x = trial.suggest_float("x", -10, 10)
    n = trial.suggest_int("n", 1, 1000, log=True)
    kind = trial.suggest_categorical("kind", ["a", "b", None])
    step = trial.suggest_float("step", 0, 1, step=0.25)
    return (x - 2) ** 2 + math.log(n / 20) ** 2 + (kind != "b") + (step - 0.5) ** 2


def conditional(trial):
    if trial.suggest_categorical("kind", ["svm", "tree"]) == "tree":
        return 0.2 + abs(trial.suggest_int("depth", 1, 20) - 7) / 20
    C = trial.suggest_float("C", 1e-3, 1e3, log=True)
    if trial.suggest_categorical("kernel", ["poly", "rbf"]) == "poly":
        return 0.1 + abs(trial.suggest_int("degree", 2, 6) - 3)
    return 0.01 * (math.log10(C) - 1) ** 2
