"""The toy problems of the articles: error of the search's answer against the budget.

Each hyperparameter has a hidden true value on 0..100; the reward is minus the mean squared
error; the figure is the mean absolute error of the search's answer, averaged over
independent problems. Published: 2.155 with 3 continuous hyperparameters and 250 experiments,
2.088 with 3 continuous and 3 discrete ones and 1,000 experiments.

    python -m pip install optuna
    python doc/benchmarks/toy.py run --problems 10
    python doc/benchmarks/toy.py run --problems 30 --tasks "3 continuous" "3 discrete"
    python doc/benchmarks/toy.py report      # writes the table; examples/plot_toys.py draws

The answer of our learners is what they recommend, as in the articles; that of random search
and of optuna is their best draw. We evaluate in batches of 10, optuna's TPE is asked one at
a time; it gets the lists as ranges of integers. Runs are appended to ``results/toy.jsonl``
and never repeated, but with ``--again``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from skpg import PolicyGradientOptimizer
from skpg.learners import ActorCritic, Learner, NaturalGradient, Reinforce, ZerothOrder

BATCH = 10
RESULTS = Path(__file__).parent / "results"
FILE = RESULTS / "toy.jsonl"
# name: (continuous, discrete, budget, published error)
TASKS: dict[str, tuple[int, int, int, float | None]] = {
    "3 continuous": (3, 0, 250, 2.155),
    "3 discrete": (0, 3, 250, None),
    "6 mixed": (3, 3, 1000, 2.088),
}
CHECKPOINTS = [10, 20, 30, 50, 70, 100, 150, 200, 250, 350, 500, 700, 1000]
TABLE = [("3 continuous", 50), ("3 continuous", 250), ("3 discrete", 250), ("6 mixed", 1000)]

Params = dict[str, Any]


def make_problem(continuous: int, discrete: int, seed: int) -> tuple[Params, Params]:
    """Return a space and the hidden true values."""
    rng = np.random.default_rng([seed, 1])  # not the stream that the search draws from
    space: Params = {f"x{i}": stats.uniform(0, 100) for i in range(continuous)}
    space |= {f"k{i}": list(range(101)) for i in range(discrete)}
    truth: Params = {name: float(rng.uniform(0, 100)) for name in space if name[0] == "x"}
    truth |= {name: int(rng.integers(101)) for name in space if name[0] == "k"}
    return space, truth


def errors(params: Params, truth: Params) -> np.ndarray:
    """Return the error of each hyperparameter."""
    return np.array([params[name] - truth[name] for name in truth])


def reward(params: Params, truth: Params) -> float:
    return -float((errors(params, truth) ** 2).mean())


def learned(learner: Learner, space: Params, truth: Params, seed: int) -> Iterator[Params]:
    """Yield what a learner recommends after each batch."""
    optimizer = PolicyGradientOptimizer(space, learner=learner, random_state=seed)
    while True:
        batch = optimizer.ask(BATCH)
        optimizer.tell(batch, [reward(params, truth) for params in batch])
        yield optimizer.recommend()


def drawn(space: Params, truth: Params, seed: int) -> Iterator[Params]:
    """Yield the best of all random draws after each batch."""
    policy, rng = PolicyGradientOptimizer(space).policy, np.random.default_rng(seed)
    best: list[Params] = []
    while True:
        best = [max(best + policy.sample(BATCH, rng), key=lambda params: reward(params, truth))]
        yield best[0]


def tree_structured(space: Params, truth: Params, seed: int) -> Iterator[Params]:
    """Yield the best trial of optuna's TPESampler after each batch of trials."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    integer, real = optuna.distributions.IntDistribution, optuna.distributions.FloatDistribution
    distributions = {
        name: integer(0, 100) if isinstance(values, list) else real(0.0, 100.0)
        for name, values in space.items()
    }
    sampler = optuna.samplers.TPESampler(seed=seed)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    while True:
        for _ in range(BATCH):
            trial = study.ask(fixed_distributions=distributions)
            study.tell(trial, reward(trial.params, truth))
        yield study.best_params


METHODS: dict[str, Callable[[Params, Params, int], Iterator[Params]]] = {
    "random search": drawn,
    "optuna TPE": tree_structured,
    "Reinforce": lambda *problem: learned(Reinforce(), *problem),
    "ZerothOrder": lambda *problem: learned(ZerothOrder(), *problem),
    "NaturalGradient": lambda *problem: learned(NaturalGradient(), *problem),
    "ActorCritic": lambda *problem: learned(ActorCritic(), *problem),
}


def run_one(task: str, method: str, problem: int) -> dict[str, Any]:
    """Return the errors of one search at the checkpoints, and its seconds per candidate."""
    continuous, discrete, budget, _ = TASKS[task]
    space, truth = make_problem(continuous, discrete, problem)
    answers = METHODS[method](space, truth, problem)
    start, found = time.process_time(), {}
    for evaluated in range(BATCH, budget + 1, BATCH):
        answer = next(answers)
        if evaluated in CHECKPOINTS:
            found[evaluated] = float(f"{np.abs(errors(answer, truth)).mean():.4g}")
    seconds = round((time.process_time() - start) / budget, 6)
    return {
        "task": task,
        "method": method,
        "problem": problem,
        "errors": found,
        "seconds_per_candidate": seconds,
    }


def read() -> list[dict[str, Any]]:
    return [json.loads(line) for line in FILE.read_text().splitlines()] if FILE.exists() else []


def run(tasks: list[str], methods: list[str], problems: range, again: bool) -> None:
    RESULTS.mkdir(exist_ok=True)
    asked = {(t, m, p) for p in problems for t in tasks for m in methods}
    records = [r for r in read() if not again or _key(r) not in asked]
    FILE.write_text("".join(json.dumps(r) + "\n" for r in records))
    done = {_key(r) for r in records}
    for key in sorted(asked - done, key=lambda key: (key[2], key[0], key[1])):
        line = json.dumps(run_one(*key))
        with FILE.open("a") as file:
            file.write(line + "\n")


def _key(record: dict[str, Any]) -> tuple[str, str, int]:
    return record["task"], record["method"], record["problem"]


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean and its 95 % bootstrap interval over the problems."""
    rng = np.random.default_rng(0)
    means = rng.choice(values, (2000, len(values))).mean(axis=1)
    return float(values.mean()), *np.quantile(means, [0.025, 0.975])


def report() -> None:
    """Write the table: mean error and its interval, over the problems that all have done."""
    found = {_key(r): r["errors"] for r in read()}
    shared = {
        task: sorted(
            set.intersection(
                *({p for t, m, p in found if (t, m) == (task, method)} for method in METHODS)
            )
        )
        for task in TASKS
    }
    rows = [
        ["problem", *(task for task, _ in TABLE)],
        ["candidates", *(f"{budget:,}" for _, budget in TABLE)],
        ["problems", *(str(len(shared[task])) for task, _ in TABLE)],
    ]
    for method in METHODS:
        row = [f"``{method}``" if method[0].isupper() else method]
        for task, budget in TABLE:
            values = [found[task, method, p][str(budget)] for p in shared[task]]
            mean, low, high = interval(np.array(values))
            row.append(f"{mean:.2g} [{low:.2g}, {high:.2g}]")
        rows.append(row)
    published = {(task, budget): value for task, (_, _, budget, value) in TASKS.items() if value}
    rows.append(["the articles", *(str(published.get(cell, "not given")) for cell in TABLE)])
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        lines += [f"   {'* -' if i == 0 else '  -'} {cell}" for i, cell in enumerate(row)]
    (RESULTS / "toy.rst").write_text("\n".join(lines) + "\n")
    print("\n".join(" | ".join(row) for row in rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["run", "report"])
    parser.add_argument("--problems", default="30", help="a number, or FIRST:STOP")
    parser.add_argument("--tasks", nargs="*", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--again", action="store_true", help="replace the runs that are stored")
    arguments = parser.parse_args()
    if arguments.command == "report":
        report()
        return
    first, _, stop = arguments.problems.rpartition(":")
    problems = range(int(first or 0), int(stop))
    run(arguments.tasks, arguments.methods, problems, arguments.again)


if __name__ == "__main__":
    main()
