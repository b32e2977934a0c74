"""How long workers wait: batches beside asynchronous proposals, heavy-tailed fit times.

Each candidate sleeps as long as a lognormal draw says, on one split; the fits write when they
start and end. The idle share is one minus the time in fits over workers times the time from
the first start to the last end.

    python doc/benchmarks/asynchronous.py [--n-iter 60] [--jobs 2] [--batch-size 10]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time

import numpy as np
from scipy.stats import lognorm, randint
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.model_selection import ShuffleSplit

from skpg import PolicyGradientSearchCV


class Sleeps(ClassifierMixin, BaseEstimator):
    """Takes as long as its candidate says."""

    def __init__(self, seconds=0.0, a=0, folder=None):
        self.seconds, self.a, self.folder = seconds, a, folder

    def fit(self, X, y):
        self.start_ = time.time()
        time.sleep(min(self.seconds, 5.0))
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        handle, _ = tempfile.mkstemp(dir=self.folder)
        os.write(handle, f"{self.start_} {time.time()}".encode())
        os.close(handle)
        return self.a / 100


def idle_share(evaluation: str, n_iter: int, n_jobs: int, batch_size: int) -> float:
    """Return the share of the workers' time that no fit used."""
    X, y = load_iris(return_X_y=True)
    with tempfile.TemporaryDirectory() as folder:
        PolicyGradientSearchCV(
            Sleeps(folder=folder),
            {"seconds": lognorm(1.2, scale=0.15), "a": randint(0, 100)},
            n_iter=n_iter,
            batch_size=batch_size,
            n_jobs=n_jobs,
            cv=ShuffleSplit(1, random_state=0),
            refit=False,
            random_state=0,
            evaluation=evaluation,
        ).fit(X, y)
        paths = [os.path.join(folder, name) for name in os.listdir(folder)]
        times = np.array([np.loadtxt(path) for path in paths])
    span = times[:, 1].max() - times[:, 0].min()
    return float(1 - (times[:, 1] - times[:, 0]).sum() / (n_jobs * span))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n-iter", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=10)
    a = parser.parse_args()
    idle_share("batch", 4, a.jobs, 4)  # start the workers
    for evaluation in ("batch", "async"):
        share = idle_share(evaluation, a.n_iter, a.jobs, a.batch_size)
        print(f"evaluation={evaluation!r:8} n_jobs={a.jobs}  idle {share:.1%}", flush=True)


if __name__ == "__main__":
    main()
