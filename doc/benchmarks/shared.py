"""What it earns that a hyperparameter of several dicts is one: SVC with three kernels.

    python doc/benchmarks/shared.py --seeds 10

The kernels have ``C`` in common, two of them ``gamma``. "Apart" are searches in which the upper
ends of these ranges differ by a billionth, so that each kernel learns its own. Prints the mean of
the best score so far after 25 and 50 candidates, in units of the standard deviation of random
candidates, and the difference in pairs with its standard error.
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy.stats import loguniform
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skpg import Policy, PolicyGradientOptimizer, Space

DATA = (load_breast_cancer, load_digits, load_iris, load_wine)
CHECKPOINTS = (25, 50)
N_ROWS = 300


def kernels(apart: bool) -> list[dict[str, Any]]:
    """Return a dict for each kernel."""
    wider = [1 + 1e-9 * k * apart for k in range(3)]
    C, gamma = (
        [loguniform(low, high * w) for w in wider] for low, high in ((1e-3, 1e3), (1e-4, 1))
    )
    return [
        {"kernel": ["linear"], "C": C[0]},
        {"kernel": ["rbf"], "C": C[1], "gamma": gamma[1]},
        {"kernel": ["poly"], "C": C[2], "gamma": gamma[2], "degree": [2, 3]},
    ]


def rows_of(load: Any, seed: int) -> tuple[np.ndarray, np.ndarray]:
    X, y = load(return_X_y=True)
    rows = np.random.default_rng(seed).permutation(len(y))[:N_ROWS]
    return X[rows], y[rows]


def score(load: Any, seed: int, params: dict[str, Any]) -> float:
    X, y = rows_of(load, seed)
    model = make_pipeline(StandardScaler(), SVC(**params, max_iter=20_000))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    return float(cross_val_score(model, X, y, cv=folds).mean())


def search(load: Any, seed: int, apart: bool) -> list[float]:
    """Return the best score so far after each candidate, four in flight."""
    warnings.simplefilter("ignore")
    optimizer = PolicyGradientOptimizer(kernels(apart), random_state=seed)
    waiting, scores = optimizer.ask(10), []
    while len(scores) < CHECKPOINTS[-1]:
        if len(waiting) < 4:
            waiting += optimizer.ask(1)
            continue
        params = waiting.pop(0)
        scores.append(score(load, seed, params))
        optimizer.tell([params], scores[-1:])
    return list(np.maximum.accumulate(scores))


def spread(load: Any, seed: int) -> float:
    """Return the standard deviation of thirty random candidates."""
    warnings.simplefilter("ignore")
    drawn = Policy.prior(Space(kernels(False))).sample(30, seed)
    return float(np.std([score(load, seed, params) for params in drawn]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    cells = [(load, seed) for load in DATA for seed in range(arguments.seeds)]
    parallel = Parallel(arguments.jobs)
    units = np.array(parallel(delayed(spread)(*cell) for cell in cells))
    found = {
        apart: np.array(parallel(delayed(search)(*cell, apart) for cell in cells))
        for apart in (False, True)
    }
    for n in CHECKPOINTS:
        together, alone = (found[apart][:, n - 1] / units for apart in (False, True))
        gain = together - alone
        error = gain.std(ddof=1) / np.sqrt(len(gain))
        print(f"{n} candidates: one {together.mean():.3f}, apart {alone.mean():.3f}", end="")
        print(f", difference {gain.mean():+.3f} ± {error:.3f} ({len(gain)} searches)")


if __name__ == "__main__":
    main()
