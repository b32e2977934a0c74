"""A choice that switches most hyperparameters off: what a search learns from ties.

    python -m pip install optuna
    python doc/benchmarks/switches.py --seeds 20

A booster is linear, with one hyperparameter, or made of trees, with nine, which win once they
are tuned. Prints how many searches end with trees after 60 candidates, the mean of their best
scores (at most 1; of a linear booster .6), and how many candidates repeat a score.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
from peers import OptunaTPE, Ours, Random
from scipy.stats import uniform

BUDGET = 60
RATE = {"rate": uniform(0, 1)}
TREES = {f"tree_{i}": uniform(0, 1) for i in range(8)}
ONE_DICT = {"booster": ["linear", "tree"], **RATE, **TREES}
TWO_DICTS = [{"booster": ["linear"], **RATE}, {"booster": ["tree"], **RATE, **TREES}]


def score(params: dict[str, Any]) -> float:
    if params["booster"] == "linear":
        return 0.6 - (params["rate"] - 0.3) ** 2
    tuned = sum((params[name] - (0.1, 0.9)[i % 2]) ** 2 for i, name in enumerate(TREES))
    return 1 - (params["rate"] - 0.3) ** 2 / 4 - tuned


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    seeds = range(parser.parse_args().seeds)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    searches: dict[str, tuple[Callable[[int], Any], float]] = {
        "skpg": (lambda seed: Ours(ONE_DICT, seed), 0.0),
        "skpg, one at a time": (lambda seed: Ours(ONE_DICT, seed, 1), 0.0),
        "skpg, no ties (noise of 1e-9)": (lambda seed: Ours(ONE_DICT, seed), 1e-9),
        "skpg, a list of two dicts": (lambda seed: Ours(TWO_DICTS, seed), 0.0),
        "optuna TPESampler": (lambda seed: OptunaTPE(ONE_DICT, seed), 0.0),
        "random": (lambda seed: Random(ONE_DICT, seed), 0.0),
    }
    print("| search | trees | best score | repeated |")
    print("|---|---|---|---|")
    for name, (make, noise) in searches.items():
        best, repeated = [], []
        for seed in seeds:
            search, rng, scores = make(seed), np.random.default_rng(seed), []
            for _ in range(BUDGET):
                params = search.ask()
                scores.append(score(params))
                search.tell(params, scores[-1] + noise * rng.normal())
            best.append(max(scores))
            repeated.append(BUDGET - len(set(scores)))
        trees = np.mean(np.array(best) > 0.6)
        print(f"| {name} | {trees:.0%} | {np.mean(best):.3f} | {np.mean(repeated):.1f} |")


if __name__ == "__main__":
    main()
