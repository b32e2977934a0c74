"""Processor time of ask and tell per candidate, as the search and the space grow.

    python -m pip install optuna
    OMP_NUM_THREADS=1 python doc/benchmarks/proposal_cost.py [--budget 1000] [--size-budget 100]

All searches in one process, one core, with a reward that costs nothing. The first table is for
ten mixed hyperparameters: milliseconds per candidate, mean so far, and in brackets of the last
hundred. The second is the mean over the first hundred candidates for 5 to 50 hyperparameters.
Writes ``results/proposal_cost.rst``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rst import list_table
from scipy.stats import loguniform, randint, uniform

from skpg import PolicyGradientOptimizer

CHECKPOINTS = [100, 250, 500, 1000, 5000]
SIZES = [5, 10, 20, 50]
RESULTS = Path(__file__).parent / "results"
KINDS = [  # of each ten hyperparameters
    *((uniform(0, 1), loguniform(1e-4, 1e2), randint(1, 101), ["a", "b", "c", "d"]) * 2),
    uniform(0, 1),
    loguniform(1e-4, 1e2),
]


def mixed_space(size: int) -> dict[str, Any]:
    """Return a space of uniform, logarithmic and integer numbers and choices."""
    return {f"p{i}": KINDS[i % len(KINDS)] for i in range(size)}


def reward(space: dict[str, Any], params: dict[str, Any]) -> float:
    numbers = [
        value == "c" if isinstance(value, str) else float(space[name].cdf(value))
        for name, value in params.items()
    ]
    return -sum((x - 0.3) ** 2 for x in numbers)


class OptunaOneAtATime:
    """optuna's TPE as an optimizer with `ask(n)` and `tell`."""

    def __init__(self, space: dict[str, Any]):
        from peers import OptunaTPE

        self.peer = OptunaTPE(space, 0)

    def ask(self, n: int) -> list[dict[str, Any]]:
        return [self.peer.ask() for _ in range(n)]

    def tell(self, params: list[dict[str, Any]], rewards: list[float]) -> None:
        self.peer.tell(params[0], rewards[0])


def costs(optimizer: Any, space: dict[str, Any], budget: int, batch: int, window: int):
    """Return the processor seconds of each candidate.

    A batch is asked when all before it are told; of a window, a candidate when all but
    ``window - 1`` of those before it are. A window opens with ten candidates.
    """
    seconds = np.zeros(budget)
    waiting: list[dict[str, Any]] = []
    asked = told = 0
    while told < budget:
        start = time.process_time()
        if window:
            new = 10 if not asked else max(0, told + window - asked)
        else:
            new = 0 if waiting else batch
        if new:
            waiting += optimizer.ask(new)
            asked += new
        seconds[told] += time.process_time() - start
        now, waiting = waiting[: batch or 1], waiting[batch or 1 :]
        rewards = [reward(space, params) for params in now]
        start = time.process_time()
        optimizer.tell(now, rewards)
        seconds[told] += time.process_time() - start
        told += len(now)
    return spread(seconds[:budget], batch or 1)


def spread(seconds: np.ndarray, batch: int) -> np.ndarray:
    """Share the seconds of a batch among its candidates."""
    return np.repeat(seconds[::batch], batch)[: len(seconds)] / batch


def ours(space: dict[str, Any]) -> PolicyGradientOptimizer:
    return PolicyGradientOptimizer(space, random_state=0)


# search -> optimizer, batch, window
SEARCHES: dict[str, tuple[Callable, int, int]] = {
    "skpg, window of 4": (ours, 0, 4),
    "skpg, batches of 10": (ours, 10, 0),
    "optuna TPESampler": (OptunaOneAtATime, 1, 0),
}


def by_candidates(budget: int) -> str:
    """Return the table for ten hyperparameters."""
    space, checkpoints = mixed_space(10), [n for n in CHECKPOINTS if n <= budget]
    rows = []
    for name, (make, batch, window) in SEARCHES.items():
        ms = costs(make(space), space, max(checkpoints), batch, window) * 1e3
        rows.append(
            [name, *(f"{ms[:n].mean():.1f} [{ms[n - 100 : n].mean():.1f}]" for n in checkpoints)]
        )
    title = "Milliseconds per candidate, mean so far [last hundred], ten hyperparameters"
    return list_table(title, ["search", *(f"{n:,} candidates" for n in checkpoints)], rows)


def by_hyperparameters(budget: int) -> str:
    """Return the table for spaces of different sizes."""
    rows = []
    for name, (make, batch, window) in SEARCHES.items():
        cells = []
        for size in SIZES:
            space = mixed_space(size)
            cells.append(f"{costs(make(space), space, budget, batch, window).mean() * 1e3:.1f}")
        rows.append([name, *cells])
    title = f"Milliseconds per candidate, mean of the first {budget}, by number of hyperparameters"
    return list_table(title, ["search", *map(str, SIZES)], rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--budget", type=int, default=1000)
    parser.add_argument("--size-budget", type=int, default=100)
    arguments = parser.parse_args()
    text = by_candidates(arguments.budget) + "\n" + by_hyperparameters(arguments.size_budget)
    print(text)
    (RESULTS / "proposal_cost.rst").write_text(text)


if __name__ == "__main__":
    main()
