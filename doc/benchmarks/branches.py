"""Lists of dicts: what learning which dict is best earns, and what their common part earns.

    python -m pip install optuna xgboost
    python doc/benchmarks/branches.py run --seeds 10 --jobs 2
    python doc/benchmarks/branches.py report      # writes results/branches.rst

The tasks are those of ``branch_tasks.py``. All searches of skpg have four candidates in flight, as
the default has:

- ``skpg``: the list of dicts as it is.
- ``skpg, dicts left at once``: without the five candidates that each dict has, so that one whose
  first candidates are bad may never be tried again.
- ``skpg, equal shares``: the dict of a candidate is drawn with equal probabilities to the end, and
  the search learns all else.
- ``skpg, a search for each dict``: searches that know nothing of each other take turns.
- ``skpg, one dict``: of the boosters only, all hyperparameters in one dict.
- ``skpg, nothing in common``: of kernels and preprocessing only, what several dicts have in common
  is learned in each of them separately.
- ``optuna TPE``: with ``group=True``, one at a time; the dict is a categorical hyperparameter, and
  the others are suggested in their dict only.

Scores are normalised for each task and split: 0 is the expected best of so many random candidates,
as RandomizedSearchCV draws them, 1 the best known.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from branch_tasks import BOOSTED, FAMILIES, KERNELS_OF, ONE_DICT, PREPROCESSING_OF, load_task
from joblib import Parallel, delayed
from peers import OursInWindow
from real import quiet, read, rounded
from real_peers import Recorder, tpe
from real_tasks import RealTask
from rst import list_table
from sample_efficiency import expected_best

from skpg import PolicyGradientOptimizer
from skpg.learners import ActorCritic

RESULTS = Path(__file__).parent / "results"
FILE = RESULTS / "branches.jsonl"
LAST, N_SPLITS = 30, 2
OURS, AT_ONCE = "skpg", "skpg, dicts left at once"
EQUAL, EACH, ONE = "skpg, equal shares", "skpg, a search for each dict", "skpg, one dict"
APART = "skpg, nothing in common"
TPE = "optuna TPE"
# tasks -> the searches that are run on them
SEARCHES = {
    tuple(FAMILIES): [OURS, AT_ONCE, EQUAL, EACH, TPE],
    tuple(BOOSTED): [OURS, ONE],
    tuple(KERNELS_OF): [OURS, AT_ONCE, APART],
    tuple(PREPROCESSING_OF): [OURS, APART],
}


def checkpoints_of(task: str) -> list[int]:
    return [25, 50] if task in (*KERNELS_OF, *PREPROCESSING_OF) else [25, 50, 100]


class OneBranch:
    """Admits the actions of one dict only."""

    def __init__(self, admissible: Any, branch: int):
        self.admissible, self.branch = admissible, branch
        self.refused = 1  # lets a learner draw again where too few actions are left

    def __call__(self, actions: np.ndarray) -> np.ndarray:
        return self.admissible(actions) & (actions[:, 0] == self.branch)


@dataclass(frozen=True)
class EqualShares(ActorCritic):
    """Draws the dict of each candidate after the opening with equal probabilities."""

    def propose(
        self, state: Any, memory: Any, n: int, rng: np.random.Generator, admissible: Any
    ) -> np.ndarray:
        if state.critic is None:
            return super().propose(state, memory, n, rng, admissible)
        branch = int(rng.integers(state.space.branches))
        return super().propose(state, memory, n, rng, OneBranch(admissible, branch))


class InTurns:
    """A search for each dict, which take turns."""

    def __init__(self, space: list[dict[str, Any]], seed: int):
        self.searches = [OursInWindow(branch, seed, 1) for branch in space]
        self.n_asked = 0

    def ask(self) -> dict[str, Any]:
        self.turn = self.n_asked % len(self.searches)
        self.n_asked += 1
        return self.searches[self.turn].ask()

    def tell(self, params: dict[str, Any], reward: float) -> None:
        self.searches[self.turn].tell(params, reward)


@contextmanager
def nothing_in_common() -> Iterator[None]:
    """Let each dict have hyperparameters of its own."""
    from skpg.space import parsing

    usual = parsing._is_one
    parsing._is_one = lambda known, new, branches: False
    try:
        yield
    finally:
        parsing._is_one = usual


def equal_shares(space: Any, seed: int) -> OursInWindow:
    search = OursInWindow(space, seed)
    search.optimizer = PolicyGradientOptimizer(space, learner=EqualShares(), random_state=seed)
    search.waiting = search.optimizer.ask(4)
    return search


def apart(space: Any, seed: int) -> OursInWindow:
    with nothing_in_common():
        return OursInWindow(space, seed)


@contextmanager
def dicts_left_at_once() -> Iterator[None]:
    """Let a search never again try a dict that looks bad."""
    # imported here: workers get copies of what this script has imported
    from skpg.learners.actor_critic.constants import CONSTANTS

    usual = CONSTANTS.tries_of_part
    object.__setattr__(CONSTANTS, "tries_of_part", 0)  # frozen for all but this purpose
    try:
        yield
    finally:
        object.__setattr__(CONSTANTS, "tries_of_part", usual)


MAKE: dict[str, Callable[[Any, int], Any]] = {
    OURS: OursInWindow,
    AT_ONCE: OursInWindow,
    EQUAL: equal_shares,
    EACH: InTurns,
    ONE: lambda space, seed: OursInWindow(ONE_DICT, seed),
    APART: apart,
    TPE: lambda space, seed: tpe(space, seed, 1),
}


def label(params: dict[str, Any]) -> str:
    """Return the name of the dict that a candidate belongs to."""
    value = params.get("booster") or params.get("model__kernel") or params["model"]
    return value if isinstance(value, str) else type(value).__name__


def labels_of(task: RealTask) -> list[str]:
    return [
        label({name: values[0] for name, values in b.items() if isinstance(values, list)})
        for b in task.space
    ]


def found(task: RealTask, candidates: list[dict[str, Any]], rewards: list[float]) -> dict[str, Any]:
    """Return the numbers of the dicts of candidates, and the best score in each dict."""
    labels = labels_of(task)
    numbers = [labels.index(label(params)) for params in candidates]
    best = [
        max((r for j, r in zip(numbers, rewards, strict=True) if j == k), default=float("-inf"))
        for k in range(len(labels))
    ]
    return {"dicts": "".join(map(str, numbers)), "best_of_dicts": rounded(best)}


def run_one(method: str, name: str, seed: int) -> dict[str, Any]:
    """Return the best score at each checkpoint, and what was found in each dict."""
    quiet()
    task = load_task(name, seed % N_SPLITS)
    record = Recorder(task, checkpoints_of(name)[-1])
    with dicts_left_at_once() if method == AT_ONCE else nullcontext():
        peer = MAKE[method](task.space, seed)
        for _ in range(record.budget):
            params = peer.ask()
            peer.tell(params, record(params))
    best = np.maximum.accumulate(record.rewards)
    cv = rounded([float(best[n - 1]) for n in checkpoints_of(name)])
    known = found(task, record.candidates, record.rewards)
    return {"method": method, "task": name, "seed": seed, "cv": cv, **known}


def run_pool(name: str, split: int) -> dict[str, Any]:
    """Return what random candidates score."""
    quiet()
    task = load_task(name, split)
    pool = task.random_candidates(2 * checkpoints_of(name)[-1], 1000 + split)
    rewards = [task.reward(params) for params in pool]
    known = found(task, pool, rewards)
    return {"method": "pool", "task": name, "seed": split, "cv": rounded(rewards), **known}


def run(kinds: list[str], methods: list[str], seeds: range, jobs: int, path: Path) -> None:
    """Append the runs that are not in the file."""
    path.parent.mkdir(exist_ok=True)
    done = {(r["method"], r["task"], r["seed"]) for r in read(path)}
    chosen = {
        task: searches
        for tasks, searches in SEARCHES.items()
        for task in tasks
        if not kinds or any(task.startswith(kind) for kind in kinds)
    }
    calls = [
        delayed(run_pool)(task, split)
        for task in chosen
        for split in sorted({seed % N_SPLITS for seed in seeds})
        if ("pool", task, split) not in done
    ]
    calls += [
        delayed(run_one)(method, task, seed)
        for seed in seeds
        for task, searches in chosen.items()
        for method in searches
        if (method, task, seed) not in done and method in methods
    ]
    for record in Parallel(jobs, return_as="generator_unordered", batch_size=1)(calls):
        with path.open("a") as file:
            file.write(json.dumps(record) + "\n")


class Results:
    """The records of the runs, with normalised scores.

    Parameters
    ----------
    records : list of dict
    """

    def __init__(self, records: list[dict[str, Any]]):
        self.runs = {(r["method"], r["task"], r["seed"]): r for r in records}
        self.pools = {(r["task"], r["seed"]): r for r in records if r["method"] == "pool"}
        self.top: dict[tuple[str, int], float] = {}
        best_of_dicts = defaultdict(list)
        for r in records:
            key = r["task"], r["seed"] % N_SPLITS
            self.top[key] = max(self.top.get(key, -np.inf), *r["cv"])
            best_of_dicts[key].append(r["best_of_dicts"])
        self.best_of_dicts = {k: np.max(rows, axis=0) for k, rows in best_of_dicts.items()}

    def seeds(self, task: str, methods: Sequence[str]) -> list[int]:
        """Return the seeds that all searches were run with."""
        all_seeds = [{s for m, t, s in self.runs if (m, t) == (method, task)} for method in methods]
        return sorted(set.intersection(*all_seeds))

    def scores(self, method: str, tasks: Sequence[str], methods: Sequence[str]) -> np.ndarray:
        """Return the scores of a search, of shape (n_tasks * n_seeds, n_checkpoints)."""
        rows = []
        for task in tasks:
            for seed in self.seeds(task, methods):
                key = task, seed % N_SPLITS
                pool = np.asarray(self.pools[key]["cv"])
                low = np.array([expected_best(pool, n) for n in checkpoints_of(task)])
                best = np.asarray(self.runs[method, task, seed]["cv"])
                rows.append(np.clip((best - low) / np.maximum(self.top[key] - low, 1e-12), -1, 1))
        return np.array(rows)

    def in_best_dict(self, method: str, tasks: Sequence[str], methods: Sequence[str]) -> np.ndarray:
        """Return the shares of the last candidates in the dict with the best known score."""
        shares = []
        for task in tasks:
            for seed in self.seeds(task, methods):
                best = int(np.argmax(self.best_of_dicts[task, seed % N_SPLITS]))
                shares.append(
                    self.runs[method, task, seed]["dicts"][-LAST:].count(str(best)) / LAST
                )
        return np.array(shares)


def with_error(values: np.ndarray, sign: str = "") -> str:
    return f"{values.mean():{sign}.2f} ± {values.std(ddof=1) / np.sqrt(len(values)):.2f}"


def score_table(results: Results, title: str, tasks: Sequence[str], methods: Sequence[str]) -> str:
    """Return scores, their difference to skpg, and where the last candidates are."""
    at = checkpoints_of(tasks[0])
    ours = results.scores(OURS, tasks, methods)
    rows = []
    for method in methods:
        scores = results.scores(method, tasks, methods)
        row = [method, *(with_error(column) for column in scores.T)]
        differences = [""] * 2 if method == OURS else []
        differences = differences or [with_error(d, "+") for d in (scores - ours).T[-2:]]
        share = results.in_best_dict(method, tasks, methods)
        rows.append([*row, *differences, f"{share.mean():.0%}"])
    header = ["search", *map(str, at), *(f"to skpg, {n}" for n in at[-2:])]
    return list_table(
        f"{title}; {len(ours)} searches each", [*header, f"last {LAST} in the best dict"], rows
    )


def dict_table(results: Results) -> str:
    """Return the best known scores of the dicts."""
    rows = []
    for task in (*FAMILIES, *BOOSTED):
        labels = labels_of(load_task(task, 0))
        best = [b for (name, _), b in sorted(results.best_of_dicts.items()) if name == task]
        means = np.mean(best, axis=0)
        cells = [f"{labels[k]} {means[k]:.3f}" for k in np.argsort(-means)]
        rows.append([task, ", ".join(cells)])
    return list_table("Best known score of each dict, mean over splits", ["task", "dicts"], rows)


def report(path: Path) -> None:
    """Print the tables, and write them beside the file."""
    results = Results(read(path))
    titles = ["Families of models", "Boosters", "Kernels in common", "Preprocessing in common"]
    parts = [
        score_table(results, title, tasks, methods)
        for title, (tasks, methods) in zip(titles, SEARCHES.items(), strict=True)
        if all(results.seeds(task, methods) for task in tasks)
    ]
    text = "\n".join([*parts, dict_table(results)])
    print(text)
    path.with_suffix(".rst").write_text(text)


def main() -> None:
    quiet()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["run", "report"])
    parser.add_argument("--kinds", nargs="*", default=[], help="beginnings of the tasks' names")
    parser.add_argument("--methods", nargs="*", choices=list(MAKE), default=list(MAKE))
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--seeds", default="10", help="a number, or FIRST:STOP")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.command == "report":
        report(arguments.file)
        return
    first, _, stop = arguments.seeds.rpartition(":")
    seeds = range(int(first or 0), int(stop))
    run(arguments.kinds, arguments.methods, seeds, arguments.jobs, arguments.file)


if __name__ == "__main__":
    main()
