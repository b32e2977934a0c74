"""Real cross-validations of small data: skpg beside its peers, CV score and held-out score.

    python -m pip install optuna torch cmaes arm-mango matplotlib
    python -m pip install --no-deps hebo gpytorch linear_operator jaxtyping wadler-lindig
    python -m pip install --no-deps disjoint-set pymoo moocore platformdirs cma autograd
    python -m pip install --no-deps alive_progress about-time grapheme dill cffi
    python doc/benchmarks/real.py run --seeds 8 --jobs 2
    python doc/benchmarks/real.py report      # writes the tables and the figure

HEBO asks for an old numpy, yet works with a new one: hence ``--no-deps``. Half of the rows are
searched and half score the winner, in four ways (seed modulo 4). Runs are appended to
``results/real.jsonl`` and never repeated. A pool of random candidates for each task and split
tells what random search is expected to find:

- CV score: 0 is the expected score of the best of as many random candidates, 1 the best known,
  of the pool and of all runs of the file on this task and split; limited to [-1, 1].
- held-out score: what the winner is better than the winner of as many random candidates is
  expected to be, in standard deviations of the held-out scores of the better half of the pool;
  limited to [-3, 3].

HalvingRandomSearchCV gets as many rows, in all its fits together, as that many candidates. HEBO
and arm-mango need a second or more for each proposal: give them fewer seeds with ``--methods``.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed, parallel_config
from real_peers import METHODS, applicable, search
from real_tasks import N_SPLITS, REAL_TASKS, load_real_task

RESULTS = Path(__file__).parent / "results"
FILE = RESULTS / "real.jsonl"
CHECKPOINTS = [10, 25, 50]
POOL_SIZE = 300


def rounded(values: list[float]) -> list[float]:
    return [float(f"{value:.6g}") for value in values]


def quiet() -> None:
    """Silence warnings, also those of processes to come."""
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"


def run_one(method: str, name: str, seed: int) -> dict[str, Any]:
    """Return what the winners of one search score."""
    quiet()
    task = load_real_task(name, seed % N_SPLITS)
    winners, own = search(method, task, seed, CHECKPOINTS)
    return {
        "method": method,
        "task": name,
        "seed": seed,
        "cv": rounded([task.reward(winners[n]) for n in CHECKPOINTS]),
        "held_out": rounded([task.held_out(winners[n]) for n in CHECKPOINTS]),
        "own_ms": None if own is None else round(own * 1e3, 2),
    }


def run_pool(name: str, split: int, size: int) -> dict[str, Any]:
    """Return what random candidates score."""
    quiet()
    task = load_real_task(name, split)
    pool = task.random_candidates(size, 1000 + split)
    return {
        "method": "pool",
        "task": name,
        "seed": split,
        "cv": rounded([task.reward(params) for params in pool]),
        "held_out": rounded([task.held_out(params) for params in pool]),
    }


def read(path: Path = FILE) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run(methods: list[str], tasks: list[str], seeds: range, jobs: int, pool_size: int) -> None:
    """Append the runs that are not in the file."""
    RESULTS.mkdir(exist_ok=True)
    done = {(record["method"], record["task"], record["seed"]) for record in read()}
    splits = sorted({seed % N_SPLITS for seed in seeds})
    calls = [
        delayed(run_pool)(task, split, pool_size)
        for split in splits
        for task in tasks
        if ("pool", task, split) not in done
    ]
    calls += [
        delayed(run_one)(method, task, seed)
        for seed in seeds
        for task in tasks
        for method in methods
        if (method, task, seed) not in done and applicable(method, task)
    ]
    with parallel_config(backend="loky", inner_max_num_threads=1):
        for record in Parallel(jobs, return_as="generator_unordered", batch_size=1)(calls):
            with FILE.open("a") as file:
                file.write(json.dumps(record) + "\n")


def main() -> None:
    quiet()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["run", "report"])
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=METHODS)
    parser.add_argument("--tasks", nargs="*", choices=list(REAL_TASKS), default=list(REAL_TASKS))
    parser.add_argument("--seeds", default="8", help="a number, or FIRST:STOP")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--pool-size", type=int, default=POOL_SIZE)
    arguments = parser.parse_args()
    if arguments.command == "report":
        from real_report import report

        report(read(), CHECKPOINTS, RESULTS)
        return
    first, _, stop = arguments.seeds.rpartition(":")
    seeds = range(int(first or 0), int(stop))
    run(arguments.methods, arguments.tasks, seeds, arguments.jobs, arguments.pool_size)


if __name__ == "__main__":
    main()
