"""The engine beside scikit-learn's own loop: the same candidates, cheap fits, one process.

Both searches are given the same candidates in one batch; one evaluates them through
`evaluate_candidates`, as every scikit-learn search does, the other through the engine. Runs
in pairs, so that other load on the machine meets both; the figure is the median of the
ratios of processor times and of wall times.

    python doc/benchmarks/engine_overhead.py [--pairs 5]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier

from skpg import PolicyGradientSearchCV
from skpg.evaluation.cross_validation import cross_validation
from skpg.evaluation.journal import Journal
from skpg.evaluation.settings import SearchSettings
from skpg.evaluation.sklearn import RunningFit
from skpg.evaluation.task_tree import TaskTree

CANDIDATES = [{"strategy": s, "random_state": k} for k in range(50) for s in ("uniform", "prior")]
SPACE = {"strategy": ["uniform", "prior"], "random_state": list(range(50))}


class Loop(PolicyGradientSearchCV):
    """The same candidates through scikit-learn's loop, in batches."""

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        for start in range(0, len(CANDIDATES), self.batch_size):
            evaluate_candidates(CANDIDATES[start : start + self.batch_size])
        self._statuses = ["complete"] * len(CANDIDATES)


class Engine(PolicyGradientSearchCV):
    """The same candidates through the engine, without the policy."""

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        settings, fit = SearchSettings.of(self), RunningFit.of(self, evaluate_candidates)
        waiting = list(CANDIDATES)

        def ask(n):
            batch, waiting[:n] = waiting[:n], []
            return batch

        with cross_validation(
            settings,
            fit,
            Journal(),
            TaskTree(callback_ctx, self, len(fit.splits)),
            race=None,
            n_candidates=len(CANDIDATES),
            evaluation="batch",
            nested=False,
        ) as evaluation:
            for _ in evaluation.run(ask):
                pass
            evaluation.finish({})
        self._statuses = evaluation.statuses


def seconds(search_class: type, n_jobs: int, batch_size: int) -> tuple[float, float]:
    """Return the wall time and the processor time of one search."""
    X, y = load_iris(return_X_y=True)
    search = search_class(
        DummyClassifier(), SPACE, n_iter=100, batch_size=batch_size, n_jobs=n_jobs,
        refit=False,
    )  # fmt: skip
    wall, own = time.perf_counter(), time.process_time()
    search.fit(X, y)
    return time.perf_counter() - wall, time.process_time() - own


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    pairs = parser.parse_args().pairs
    for n_jobs, batch_size in ((1, 100), (1, 10), (2, 100), (2, 10)):
        seconds(Loop, n_jobs, batch_size), seconds(Engine, n_jobs, batch_size)  # warm up
        rows = [
            (*seconds(Loop, n_jobs, batch_size), *seconds(Engine, n_jobs, batch_size))
            for _ in range(pairs)
        ]
        loop_wall, loop_own, engine_wall, engine_own = np.array(rows).T
        print(
            f"n_jobs={n_jobs} batch_size={batch_size:3d}  "
            f"evaluate_candidates {np.median(loop_wall):.3f} s, "
            f"engine {np.median(engine_wall):.3f} s, "
            f"ratio of wall times {np.median(engine_wall / loop_wall):.3f}, "
            f"of processor times {np.median(engine_own / loop_own):.3f}"
        )


if __name__ == "__main__":
    main()
