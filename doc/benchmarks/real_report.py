"""The tables and the figure of ``real.py``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from real_peers import METHODS, default_mode
from real_tasks import LISTS_OF_DICTS, N_SPLITS, SINGLE
from rst import list_table
from sample_efficiency import expected_best
from scipy.stats import rankdata

Records = Sequence[dict[str, Any]]
# method -> task -> one row of scores, one per checkpoint, for each seed
Scores = dict[str, dict[str, dict[int, np.ndarray]]]
RIVAL = "optuna TPE"
MODES = {
    ("batch", 10): "skpg, batches of 10",
    ("stream", 4): "skpg, window of 4",
    ("stream", 1): "skpg, one at a time",
}


def label(method: str) -> str:
    """Return the name of a method in the tables."""
    if method == "PolicyGradientSearchCV":
        return "skpg, PolicyGradientSearchCV"
    return f"{method} (default)" if method == MODES.get(default_mode()) else method


def expected_winner(pool: dict[str, Any], n: int) -> float:
    """Return the expected held-out score of the winner of n draws from the pool."""
    cv, held_out = np.array(pool["cv"]), np.array(pool["held_out"])
    values, places, counts = np.unique(cv, return_inverse=True, return_counts=True)
    means = np.bincount(places, held_out) / counts
    below = np.concatenate([[0], np.cumsum(counts)]) / len(cv)
    return float(means[: len(values)] @ np.diff(below**n))


def better_half_deviation(pool: dict[str, Any]) -> float:
    cv, held_out = np.array(pool["cv"]), np.array(pool["held_out"])
    return max(float(np.std(held_out[cv >= np.median(cv)])), 1e-12)


def score_all(records: Records, checkpoints: Sequence[int]) -> tuple[Scores, Scores]:
    """Return the normalised CV scores and the held-out scores."""
    pools = {(r["task"], r["seed"]): r for r in records if r["method"] == "pool"}
    best: dict[tuple[str, int], float] = defaultdict(lambda: -np.inf)
    for r in records:
        key = (r["task"], r["seed"] % N_SPLITS)
        best[key] = max(best[key], *r["cv"])
    cv: Scores = defaultdict(lambda: defaultdict(dict))
    held_out: Scores = defaultdict(lambda: defaultdict(dict))
    for r in (r for r in records if r["method"] != "pool"):
        key = (r["task"], r["seed"] % N_SPLITS)
        pool = pools[key]
        low = np.array([expected_best(np.array(pool["cv"]), n) for n in checkpoints])
        scores = (np.array(r["cv"]) - low) / np.maximum(best[key] - low, 1e-12)
        cv[r["method"]][r["task"]][r["seed"]] = np.clip(scores, -1, 1)
        usual = np.array([expected_winner(pool, n) for n in checkpoints])
        gain = (np.array(r["held_out"]) - usual) / better_half_deviation(pool)
        held_out[r["method"]][r["task"]][r["seed"]] = np.clip(gain, -3, 3)
    return cv, held_out


def resampled(groups: Sequence[np.ndarray], draws: int = 1000) -> np.ndarray:
    """Return bootstrap means: tasks are drawn again, and the seeds within each."""
    rng = np.random.default_rng(0)
    means = []
    for _ in range(draws):
        tasks = [groups[i] for i in rng.integers(len(groups), size=len(groups))]
        means.append(np.mean([rng.choice(task, len(task)).mean(axis=0) for task in tasks], axis=0))
    return np.array(means)


def mean_over(groups: Sequence[np.ndarray]) -> np.ndarray:
    return np.mean([group.mean(axis=0) for group in groups], axis=0)


def cells_with_intervals(groups: Sequence[np.ndarray]) -> list[str]:
    low, high = np.quantile(resampled(groups), [0.025, 0.975], axis=0)
    rows = zip(mean_over(groups), low, high, strict=True)
    return [f"{m:.2f} [{a:.2f}, {b:.2f}]" for m, a, b in rows]


def groups_of(scores: Scores, method: str, tasks: Sequence[str]) -> list[np.ndarray] | None:
    """Return the scores of each task, None where one was not run."""
    of_method = scores.get(method, {})
    if not all(task in of_method for task in tasks):
        return None
    return [np.array(list(of_method[task].values())) for task in tasks]


def mean_ranks(scores: Scores, tasks: Sequence[str], at: int) -> dict[str, float]:
    """Return the mean rank over tasks; equal scores share a rank."""
    groups = {m: g for m in METHODS if (g := groups_of(scores, m, tasks)) is not None}
    means = np.array([[group[:, at].mean() for group in g] for g in groups.values()])
    return dict(zip(groups, rankdata(-means.round(6), axis=0).mean(axis=1), strict=True))


def score_table(
    title: str, scores: Scores, tasks: Sequence[str], checkpoints: Sequence[int], own: dict
) -> str:
    """Return the mean scores with 95 % intervals, the mean rank and the own time."""
    ranks = mean_ranks(scores, tasks, -1)
    rows = []
    for method in METHODS:
        groups = groups_of(scores, method, tasks)
        if groups is not None:
            cells = cells_with_intervals(groups)
            time = f"{float(f'{own[method]:.2g}'):g}" if method in own else ""
            rows.append([label(method), *cells, f"{ranks[method]:.1f}", time])
    header = ["search", *map(str, checkpoints), f"rank at {checkpoints[-1]}", "ms"]
    return list_table(title, header, rows)


def paired(scores: Scores, method: str, tasks: Sequence[str]) -> list[np.ndarray]:
    """Return the differences to the rival on the same tasks and seeds."""
    groups = []
    for task in tasks:
        ours, theirs = scores[method].get(task, {}), scores[RIVAL].get(task, {})
        seeds = sorted(set(ours) & set(theirs))
        if seeds:
            groups.append(np.array([ours[seed] - theirs[seed] for seed in seeds]))
    return groups


def paired_table(title: str, cv: Scores, held_out: Scores, checkpoints: Sequence[int]) -> str:
    """Return the differences to the rival, with standard errors."""
    rows = []
    for method in METHODS:
        if method == RIVAL or method not in cv:
            continue
        cells: list[str] = []
        for scores in (cv, held_out):
            groups = paired(scores, method, [*SINGLE, *LISTS_OF_DICTS])
            if groups:
                errors = resampled(groups).std(axis=0)
                pairs = zip(mean_over(groups), errors, strict=True)
                cells += [f"{mean:+.2f} ± {error:.2f}" for mean, error in pairs]
        if cells:
            rows.append([label(method), *cells, str(len(groups))])
    header = [f"{kind} at {n}" for kind in ("CV", "held out") for n in checkpoints]
    return list_table(title, ["search", *header, "tasks"], rows)


def task_table(title: str, cv: Scores, at: int) -> str:
    """Return one row per task and one column per search."""
    methods = [method for method in METHODS if method in cv]
    rows = []
    for task in [*SINGLE, *LISTS_OF_DICTS]:
        cells = []
        for method in methods:
            of_task = cv[method].get(task, {})
            mean = np.mean([row[at] for row in of_task.values()]) if of_task else np.nan
            cells.append(f"{mean:.2f}" if of_task else "")
        if any(cells):
            rows.append([task.replace("_", " "), *cells])
    return list_table(title, ["task", *map(label, methods)], rows)


def draw(cv: Scores, held_out: Scores, checkpoints: Sequence[int], path: Path) -> None:
    """Draw both scores against the number of candidates, with error bars."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    names = ["CV score (0: random search, 1: best known)", "held-out score (deviations)"]
    for ax, scores, name in zip(axes, (cv, held_out), names, strict=True):
        drawn = [m for m in METHODS if groups_of(scores, m, list(SINGLE))]
        for i, method in enumerate(drawn):
            groups = groups_of(scores, method, list(SINGLE)) or []
            means, errors = mean_over(groups), resampled(groups).std(axis=0)
            ours = method.startswith(("skpg", "Policy"))
            # a little apart, so that the error bars can be seen
            places = np.array(checkpoints) * 1.012 ** (i - len(drawn) / 2)
            style = {"lw": 2.5 if ours else 1.2, "zorder": 3 if ours else 2, "capsize": 2}
            line = ax.errorbar(places, means, errors, fmt="o-", label=method, ms=4, **style)
            line[0].set_linestyle("-" if i < 10 else "--")
        ax.axhline(0, color="grey", lw=0.8)
        ax.set(xscale="log", xlabel="candidates", ylabel=name)
        ax.set(xticks=checkpoints, xticklabels=checkpoints)
        ax.minorticks_off()
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8, frameon=False, loc="outside right upper")
    figure.savefig(path)


def report(records: Records, checkpoints: Sequence[int], results: Path) -> None:
    """Write ``real.rst`` and ``real.svg``, and print the tables."""
    cv, held_out = score_all(records, checkpoints)
    costs = defaultdict(list)
    for r in records:
        if r.get("own_ms") is not None:
            costs[r["method"]].append(r["own_ms"])
    own = {method: float(np.median(values)) for method, values in costs.items()}
    seeds = {r["seed"] for r in records if r["method"] == RIVAL}
    single = [t for t in SINGLE if t in cv[RIVAL]]
    lists = [t for t in LISTS_OF_DICTS if t in cv[RIVAL]]
    about = f"tasks of one dict: {len(single)}, seeds: {len(seeds)}"
    about_lists = f"tasks of a list of dicts: {len(lists)}, seeds: {len(seeds)}"
    parts = [
        score_table(f"CV score ({about})", cv, single, checkpoints, own),
        score_table(f"Held-out score ({about})", held_out, single, checkpoints, own),
        score_table(f"CV score ({about_lists})", cv, lists, checkpoints, own),
        score_table(f"Held-out score ({about_lists})", held_out, lists, checkpoints, own),
        paired_table(f"Difference to {RIVAL} in pairs, all tasks", cv, held_out, checkpoints),
        task_table(f"CV score of each task at {checkpoints[-1]} candidates", cv, -1),
    ]
    text = "\n".join(parts)
    (results / "real.rst").write_text(text)
    print(text)
    draw(cv, held_out, checkpoints, results / "real.svg")
