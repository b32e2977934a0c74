"""The toy problems of the articles: error of the final estimate, by learner.

Each hyperparameter has a hidden true value on 0..100; the reward is minus the mean squared
error; the figure is the mean absolute error of the search's estimate after the budget,
averaged over independent problems. Published: 2.155 with 3 continuous hyperparameters and
250 experiments, 2.088 with 3 continuous and 3 discrete ones and 1,000 experiments.

    python doc/benchmarks/toy.py [--problems 200]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from scipy.stats import uniform

from skpg import PolicyGradientOptimizer
from skpg.learners import ActorCritic, Learner, NaturalGradient, Reinforce

BATCH = 10


def make_problem(continuous: int, discrete: int, seed: int) -> tuple[dict[str, Any], dict]:
    """Return a space and the hidden true values."""
    rng = np.random.default_rng([seed, 1])  # not the stream that the search draws from
    space: dict[str, Any] = {f"x{i}": uniform(0, 100) for i in range(continuous)}
    space |= {f"k{i}": list(range(101)) for i in range(discrete)}
    truth = {name: float(rng.uniform(0, 100)) for name in space if name[0] == "x"}
    truth |= {name: int(rng.integers(101)) for name in space if name[0] == "k"}
    return space, truth


def errors(params: dict[str, float], truth: dict[str, float]) -> np.ndarray:
    """Return the error of each hyperparameter."""
    return np.array([params[name] - truth[name] for name in truth])


def run(learner: Learner | None, space: dict, truth: dict, budget: int, seed: int) -> float:
    """Return the mean absolute error of a learner's estimate; None draws at random."""
    optimizer = PolicyGradientOptimizer(space, learner=learner, random_state=seed)
    if learner is None:
        draws = optimizer.policy.sample(budget, seed)
        best = min(draws, key=lambda params: (errors(params, truth) ** 2).mean())
        return float(np.abs(errors(best, truth)).mean())
    for _ in range(budget // BATCH):
        batch = optimizer.ask(BATCH)
        optimizer.tell(batch, [-(errors(params, truth) ** 2).mean() for params in batch])
    return float(np.abs(errors(optimizer.recommend(), truth)).mean())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--learner", help="only those whose name contains this")
    problems, only = vars(parser.parse_args()).values()
    tasks = [
        ("3 continuous", 3, 0, 50),
        ("3 continuous", 3, 0, 250),
        ("3 discrete", 0, 3, 250),
        ("6 mixed", 3, 3, 1000),
    ]
    learners: list[tuple[str, Learner | None]] = [
        ("random search, best draw", None),
        ("Reinforce()", Reinforce()),
        ("Reinforce(baseline='optimal', normalize=True)", Reinforce(baseline="optimal")),
        ("NaturalGradient()", NaturalGradient()),
        ("ActorCritic()", ActorCritic()),
    ]
    print("| problem | budget | learner | mean absolute error | s.e. | ms per candidate |")
    print("|---|---|---|---|---|---|")
    for problem, continuous, discrete, budget in tasks:
        for name, learner in learners:
            if only and only not in name:
                continue
            start = time.perf_counter()
            figures = [
                run(learner, *make_problem(continuous, discrete, seed), budget, seed)
                for seed in range(problems)
            ]
            cost = (time.perf_counter() - start) / problems / budget * 1e3
            error = np.std(figures) / np.sqrt(problems)
            print(
                f"| {problem} | {budget} | {name} | {np.mean(figures):.3f} | {error:.3f} "
                f"| {cost:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
