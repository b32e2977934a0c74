"""Samplers of Optuna on an objective whose hyperparameters depend on each other.

    python doc/benchmarks/conditional.py --seeds 10

One objective of three branches, one of which has a branch of its own. Prints the median and
the mean distance from the greatest value, 1, after 25, 50 and 80 trials, and processor time
per trial.
"""

import argparse
import math
import time

import numpy as np
import optuna

from skpg.integrations.optuna import PolicyGradientSampler

TRIALS = (25, 50, 80)
SAMPLERS = {
    "skpg": lambda seed: PolicyGradientSampler(seed=seed),
    "TPE": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "TPE, univariate": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=False),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}


def objective(trial):
    """Return at most 1."""
    kind = trial.suggest_categorical("kind", ["svm", "tree", "knn"])
    value = -0.3 * (trial.suggest_float("scale", 0, 1) - 0.6) ** 2
    if kind == "tree":
        depth, leaf = trial.suggest_int("depth", 1, 20), trial.suggest_float("leaf", 0, 0.5)
        return value + 0.8 - 0.02 * abs(depth - 7) - 0.1 * abs(leaf - 0.1)
    if kind == "knn":
        return value + 0.7 - 0.01 * abs(trial.suggest_int("n", 1, 50) - 9)
    C = math.log10(trial.suggest_float("C", 1e-3, 1e3, log=True))
    value += 1 - 0.05 * (C - 1) ** 2
    if trial.suggest_categorical("kernel", ["rbf", "poly"]) == "poly":
        return value - 0.1 - 0.02 * abs(trial.suggest_int("degree", 2, 6) - 3)
    gamma = math.log10(trial.suggest_float("gamma", 1e-5, 1, log=True))
    return value - 0.05 * (gamma + 2 - 0.5 * C) ** 2


def main():
    """Run all samplers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for name, sampler in SAMPLERS.items():
        regrets, start = [], time.process_time()
        for seed in range(arguments.seeds):
            study = optuna.create_study(direction="maximize", sampler=sampler(seed))
            study.optimize(objective, n_trials=TRIALS[-1])
            best = np.maximum.accumulate([trial.value for trial in study.trials])
            regrets.append([1 - best[n - 1] for n in TRIALS])
        seconds = (time.process_time() - start) / arguments.seeds / TRIALS[-1]
        median, mean = np.median(regrets, axis=0), np.mean(regrets, axis=0)
        print(f"{name:<16}", f"{1000 * seconds:5.1f} ms", end="")
        print("  median", *(f"{r:.5f}" for r in median), end="")
        print("  mean", *(f"{r:.5f}" for r in mean), flush=True)


if __name__ == "__main__":
    main()
