"""Own time of a whole search beside RandomizedSearchCV: kNN on iris, 5 folds, 100 candidates.

Runs in pairs, one after the other, so that other load on the machine meets both; the figure
is the median of the ratios of wall times.

    python doc/benchmarks/overhead.py [--pairs 5]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy.stats import randint, uniform
from sklearn.datasets import load_iris
from sklearn.model_selection import RandomizedSearchCV
from sklearn.neighbors import KNeighborsClassifier

from skpg import PolicyGradientSearchCV

SPACE = {"n_neighbors": randint(1, 50), "weights": ["uniform", "distance"], "p": uniform(1, 4)}


def seconds(search_class: type, seed: int) -> float:
    """Return the wall time of one search."""
    X, y = load_iris(return_X_y=True)
    search = search_class(KNeighborsClassifier(), SPACE, n_iter=100, cv=5, random_state=seed)
    start = time.perf_counter()
    search.fit(X, y)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    pairs = parser.parse_args().pairs
    seconds(RandomizedSearchCV, 0), seconds(PolicyGradientSearchCV, 0)  # warm up
    ours, theirs = [], []
    for seed in range(pairs):
        theirs.append(seconds(RandomizedSearchCV, seed))
        ours.append(seconds(PolicyGradientSearchCV, seed))
    ratios = np.divide(ours, theirs)
    print(f"RandomizedSearchCV      median {np.median(theirs):.3f} s")
    print(f"PolicyGradientSearchCV  median {np.median(ours):.3f} s")
    print(f"ratio of pairs          median {np.median(ratios):.3f}, all {np.round(ratios, 3)}")


if __name__ == "__main__":
    main()
