"""Time of ask and tell per candidate, beside optuna's TPE, as the search grows.

    python -m pip install optuna
    OMP_NUM_THREADS=1 python doc/benchmarks/proposal_cost.py [--budget 5000]

Processor time, mean over all candidates so far and over the last hundred; both searches in
one process, on a space of ten hyperparameters with a reward that costs nothing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import loguniform, randint, uniform

from skpg import PolicyGradientOptimizer

SPACE: dict[str, Any] = {
    **{f"u{i}": uniform(0, 1) for i in range(3)},
    **{f"l{i}": loguniform(1e-4, 1e2) for i in range(3)},
    **{f"n{i}": randint(1, 101) for i in range(2)},
    **{f"k{i}": ["a", "b", "c", "d"] for i in range(2)},
}
CHECKPOINTS = [100, 250, 500, 1000, 5000]


def reward(params: dict[str, Any]) -> float:
    numbers = [v / SPACE[k].ppf(0.999) for k, v in params.items() if k[0] != "k"]
    return -sum((x - 0.3) ** 2 for x in numbers) - (params["k0"] != "c")


def costs(step: Callable[[], int], budget: int) -> np.ndarray:
    """Return the processor seconds of each candidate; `step` makes some and returns how many."""
    seconds: list[float] = []
    while len(seconds) < budget:
        start = time.process_time()
        made = step()
        seconds += [(time.process_time() - start) / made] * made
    return np.array(seconds)


def ours() -> Callable[[], int]:
    optimizer = PolicyGradientOptimizer(SPACE, random_state=0)

    def step() -> int:
        batch = optimizer.ask(10)
        optimizer.tell(batch, [reward(params) for params in batch])
        return len(batch)

    return step


def theirs() -> Callable[[], int]:
    import optuna
    from peers import OptunaTPE

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    peer = OptunaTPE(SPACE, 0)

    def step() -> int:
        params = peer.ask()
        peer.tell(params, reward(params))
        return 1

    return step


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--budget", type=int, default=5000)
    budget = parser.parse_args().budget
    print("| search | candidates | ms each, so far | ms each, last 100 |")
    print("|---|---|---|---|")
    for name, make in (("skpg, batches of 10", ours), ("optuna TPESampler", theirs)):
        seconds = costs(make(), budget) * 1e3
        for n in (n for n in CHECKPOINTS if n <= budget):
            last = seconds[n - 100 : n].mean()
            print(f"| {name} | {n} | {seconds[:n].mean():.2f} | {last:.2f} |", flush=True)


if __name__ == "__main__":
    main()
