"""The winner of a search on held-out rows, what can be made of it, and its corrected score.

    python doc/benchmarks/winner.py run --splits 3      # about 30 minutes on one core
    python doc/benchmarks/winner.py report              # writes results/winner.rst

The tasks are those of ``real_tasks.py``. On one half of the rows a search evaluates candidates,
each in five folds; on the other half all that can be made of its candidates is scored:

- ``refit``: the best candidate, fitted to all rows of the search.
- ``committee``: its five models of the folds, averaged.
- ``ensemble``: the candidates that `Ensemble` with its defaults has selected.
- ``confirmed``: a refit again, of a search with 20 candidates less, whose 5 best were fitted to 4
  fresh splits: as many fits. The best mean over all 25 folds counts. Its committee has the models
  of the folds of the search, or those of all splits.
- ``unless_beaten``: the refit if its candidate scores more than one standard error above the
  estimator as passed, on the same folds; the estimator as passed otherwise. The standard error is
  that of the scores of the estimator as passed.
- ``as_passed``: the estimator without any search.

``random`` are the candidates that RandomizedSearchCV draws, ``skpg`` those of
`PolicyGradientSearchCV` with its defaults. Differences are in standard deviations of the
held-out scores of the better half of 300 random candidates, of ``results/real.jsonl``. Those
between two ways to use one search are limited to 2, and those to scores in cross-validation to 5.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from peers import OursInWindow
from real import quiet, read, rounded
from real_report import better_half_deviation
from real_tasks import REAL_TASKS, Params, RealTask, load_real_task
from rst import list_table
from sklearn.base import clone, is_classifier
from sklearn.metrics import get_scorer

from skpg import Ensemble, corrected_score
from skpg.winner.baseline import Baseline
from skpg.winner.library import Library
from skpg.winner.members import Member, fit_member
from skpg.winner.stored import StoredScore

RESULTS = Path(__file__).parent / "results"
FILE = RESULTS / "winner.jsonl"
Gains = dict[str, list[float]]
LIMITS = {"gain": 2.0, "bias": 5.0}
CONFIRM = (5, 4)  # the best candidates, and the fresh splits that each gets
FRESH = 100  # the first random_state of those, none of the searches'
WAYS = {
    "refit": "refit",
    "committee": "committee",
    "ensemble": "ensemble",
    "confirmed": "confirmed",
    "confirmed_committee": "confirmed, committee",
    "confirmed_committee_of_all": "confirmed, committee of all splits",
    "unless_beaten": "as passed unless beaten",
    "as_passed": "as passed",
}


class RandomDraws:
    """What RandomizedSearchCV draws."""

    def __init__(self, task: RealTask, seed: int, budget: int):
        self.waiting = task.random_candidates(budget, seed)

    def ask(self) -> Params:
        return self.waiting.pop(0)

    def tell(self, params: Params, reward: float) -> None:
        pass


SEARCHES: dict[str, Callable[[RealTask, int, int], Any]] = {
    "random": RandomDraws,
    "skpg": lambda task, seed, budget: OursInWindow(task.space, seed),
}


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A candidate: its models of the folds, and what they say of both halves of the rows."""

    params: Params
    scores: np.ndarray
    members: list[Member]
    answers: list[np.ndarray]
    held_out: np.ndarray


def mean_score(evaluated: Evaluated) -> float:
    return float(evaluated.scores.mean())


def evaluate(task: RealTask, params: Params, folds: Any) -> Evaluated:
    X, X_test, y, _ = task.halves
    classes = np.unique(y) if is_classifier(task.estimator) else None
    scorer = get_scorer(task.scoring)
    scores, members, answers = [], [], []
    for train, test in folds.split(X, y):
        member, answer = fit_member(task.candidate(params), X, y, train, test, classes, {})
        scores.append(scorer(member.model, X[test], y[test]))
        members.append(member)
        answers.append(answer)
    held_out = np.mean([member.answer(X_test) for member in members], axis=0)
    return Evaluated(params, np.array(scores), members, answers, held_out)


def search(task: RealTask, name: str, seed: int, budget: int) -> list[Evaluated | None]:
    """Return the candidates of a search, None for those that failed."""
    searching, candidates = SEARCHES[name](task, seed, budget), []
    for _ in range(budget):
        params = searching.ask()
        try:
            candidates.append(evaluate(task, params, task.folds))
        except ValueError:
            candidates.append(None)
            searching.tell(params, float("nan"))
            continue
        searching.tell(params, mean_score(candidates[-1]))
    return candidates


def confirmed(task: RealTask, evaluated: Sequence[Evaluated]) -> list[Evaluated]:
    """Return the candidate that is best on all splits, as it was evaluated on each."""
    n_best, n_splits = CONFIRM
    again = []
    for candidate in sorted(evaluated, key=mean_score, reverse=True)[:n_best]:
        fresh = [clone(task.folds, safe=False) for _ in range(n_splits)]
        for i, folds in enumerate(fresh):
            folds.random_state = FRESH + i
        again.append([candidate, *(evaluate(task, candidate.params, folds) for folds in fresh)])
    return max(again, key=lambda splits: np.mean([mean_score(e) for e in splits]))


def library_of(task: RealTask, evaluated: Sequence[Evaluated]) -> Library:
    X, _, y, _ = task.halves
    return Library(
        answers=[e.answers for e in evaluated],
        tests=[test for _, test in task.folds.split(X, y)],
        y=y,
        classes=np.unique(y) if is_classifier(task.estimator) else None,
        responses=frozenset(m.response for e in evaluated for m in e.members),
    )


def winners(task: RealTask, evaluated: Sequence[Evaluated], seed: int) -> dict[str, Any]:
    """Return the held-out scores of what can be made of the candidates, at no cost."""
    library, y_test = library_of(task, evaluated), task.halves[3]
    best, passed = max(evaluated, key=mean_score), evaluate(task, {}, task.folds)
    start = time.process_time()
    weights = library.weights(task.scoring, "score", Ensemble(), np.random.default_rng(seed))
    seconds = time.process_time() - start
    score = StoredScore(task.scoring, y_test)
    ensemble = np.tensordot(weights, np.stack([e.held_out for e in evaluated]), 1)
    return {
        "refit": task.held_out(best.params),
        "committee": score(library.stored(best.held_out)),
        "ensemble": score(library.stored(ensemble)),
        "as_passed": task.held_out({}),
        "scores": best.scores,
        "scores_as_passed": passed.scores,
        "ensemble_seconds": seconds,
        "ensemble_candidates": int((weights > 0).sum()),
    }


def winners_confirmed(task: RealTask, evaluated: Sequence[Evaluated]) -> dict[str, Any]:
    """Return the held-out scores of the candidate that was best on fresh splits too."""
    library, score = library_of(task, evaluated), StoredScore(task.scoring, task.halves[3])
    splits = confirmed(task, evaluated)
    of_all = np.mean([e.held_out for e in splits], axis=0)
    return {
        "confirmed": task.held_out(splits[0].params),
        "confirmed_committee": score(library.stored(splits[0].held_out)),
        "confirmed_committee_of_all": score(library.stored(of_all)),
    }


def corrections(task: RealTask, evaluated: Sequence[Evaluated], seed: int) -> dict[str, Any]:
    """Return the best score, and what both methods make of it."""
    library = library_of(task, evaluated)
    scores = np.stack([e.scores for e in evaluated])
    table = {f"split{k}_test_score": column for k, column in enumerate(scores.T)}
    table["mean_test_score"] = scores.mean(axis=1)
    bootstrap = corrected_score(
        table,
        library.y[np.concatenate(library.tests)],
        predictions=library.predictions,
        scoring=task.scoring,
        random_state=seed,
    )
    return {
        "best_score": float(table["mean_test_score"].max()),
        "folds": corrected_score(table).score,
        "bootstrap": bootstrap.score,
        "interval": bootstrap.interval,
    }


def measured(task: RealTask, name: str, budget: int) -> dict[str, Any]:
    """Return what was measured of one search."""
    n_best, n_splits = CONFIRM
    candidates = search(task, name, task.split, budget)
    evaluated = [e for e in candidates if e is not None]
    first = [e for e in candidates[: budget - n_best * n_splits] if e is not None]
    return {
        **winners(task, evaluated, task.split),
        **winners_confirmed(task, first),
        **corrections(task, evaluated, task.split),
    }


def run_one(name: str, task_name: str, split: int, budget: int) -> dict[str, Any]:
    quiet()
    found = measured(load_real_task(task_name, split), name, budget)
    numbers = {
        key: float(f"{value:.6g}") if np.ndim(value) == 0 else rounded(list(value))
        for key, value in found.items()
    }
    return {"search": name, "task": task_name, "split": split, "budget": budget, **numbers}


def run(arguments: argparse.Namespace) -> None:
    """Append what is not in the file."""
    done = {(r["search"], r["task"], r["split"]) for r in read(arguments.file)}
    for split in range(arguments.splits):
        for task in arguments.tasks:
            for name in SEARCHES:
                if (name, task, split) not in done:
                    record = run_one(name, task, split, arguments.budget)
                    with arguments.file.open("a") as file:
                        file.write(json.dumps(record) + "\n")


def deviations() -> dict[tuple[str, int], float]:
    """Return the unit of each task and split."""
    pools = [r for r in read() if r["method"] == "pool"]
    return {(r["task"], r["seed"]): better_half_deviation(r) for r in pools}


def mean_and_error(values: Gains) -> str:
    """Return the mean over the tasks, and its standard error."""
    means = np.array([np.mean(of_task) for of_task in values.values()])
    return f"{means.mean():+.2f} ({means.std(ddof=1) / len(means) ** 0.5:.2f})"


def gains_of(records: Sequence[dict[str, Any]], units: dict, name: str, way: str) -> Gains:
    """Return by task what a way of use gains in each split of one search."""
    gains = defaultdict(list)
    for r in (r for r in records if r["search"] == name):
        gain = round(r[way] - r["refit"], 9) / units[r["task"], r["split"]]
        gains[r["task"]].append(float(np.clip(gain, -LIMITS["gain"], LIMITS["gain"])))
    return gains


def against_refit(records: Sequence[dict[str, Any]], units: dict) -> list[list[str]]:
    rows = []
    for way in (way for way in WAYS if way != "refit"):
        cells = []
        for name in SEARCHES:
            gains = gains_of(records, units, name, way)
            signs = np.sign(np.concatenate(list(gains.values())))
            cells += [mean_and_error(gains), f"{(signs > 0).sum()}, {(signs < 0).sum()}"]
        rows.append([WAYS[way], *cells])
    return rows


def is_beaten(record: dict[str, Any]) -> bool:
    """Whether the best candidate is one standard error above the estimator as passed."""
    passed = np.array(record["scores_as_passed"])
    return Baseline(passed, passed).beaten_by(float(np.mean(record["scores"])))


def with_rule(record: dict[str, Any]) -> dict[str, Any]:
    chosen = "refit" if is_beaten(record) else "as_passed"
    return {**record, "unless_beaten": record[chosen]}


def against_as_passed(records: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return how often each way of use is worse, and how often the rule keeps it as passed."""
    rows = []
    for way in (way for way in WAYS if way != "as_passed"):
        cells = []
        for name in SEARCHES:
            of_search = [r for r in records if r["search"] == name]
            cell = str(sum(r[way] < r["as_passed"] for r in of_search))
            if way == "unless_beaten":
                cell += f", kept in {sum(not is_beaten(r) for r in of_search)}"
            cells.append(cell)
        rows.append([WAYS[way], *cells])
    return rows


def by_task(records: Sequence[dict[str, Any]], units: dict) -> list[list[str]]:
    columns = [
        gains_of(records, units, name, way)
        for way in ("committee", "ensemble")
        for name in SEARCHES
    ]
    return [
        [task.replace("_", " "), *(f"{np.mean(gains[task]):+.2f}" for gains in columns)]
        for task in REAL_TASKS
        if task in columns[0]
    ]


def too_high(records: Sequence[dict[str, Any]], units: dict) -> list[list[str]]:
    labels = {
        "best_score": "``best_score_``",
        "folds": "corrected by the scores of folds",
        "bootstrap": "corrected by the predictions",
    }
    rows = []
    for key, label in labels.items():
        cells = []
        for name in SEARCHES:
            biases = defaultdict(list)
            for r in (r for r in records if r["search"] == name):
                bias = (r[key] - r["refit"]) / units[r["task"], r["split"]]
                biases[r["task"]].append(float(np.clip(bias, -LIMITS["bias"], LIMITS["bias"])))
            cells.append(mean_and_error(biases))
        rows.append([label, *cells])
    return rows


def report(path: Path) -> None:
    """Print the tables, and write them beside the file."""
    records, units = [with_rule(r) for r in read(path)], deviations()
    budget, n_tasks = records[0]["budget"], len({r["task"] for r in records})
    pairs = len(records) // len(SEARCHES)
    what = f"{n_tasks} tasks, {pairs} pairs, {budget} candidates"
    names = [f"{name} search" if name == "random" else name for name in SEARCHES]
    header = ["instead of the refit", *(c for n in names for c in (n, "better, worse"))]
    title = f"Held-out score less that of the refit ({what}); in brackets the standard error"
    text = list_table(title, header, against_refit(records, units))
    title = f"In how many of the {pairs} pairs the held-out score is less than that as passed"
    text += "\n" + list_table(title, ["score of", *names], against_as_passed(records))
    title = f"By how much scores are above the held-out score of the refit ({what})"
    text += "\n" + list_table(title, ["score", *names], too_high(records, units))
    header = ["task", *(f"{way}, {n}" for way in ("committee", "ensemble") for n in names)]
    text += "\n" + list_table(
        "Committee and ensemble by task: held-out score less that of the refit",
        header,
        by_task(records, units),
    )
    print(text)
    path.with_suffix(".rst").write_text(text)


def main() -> None:
    quiet()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["run", "report"])
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--tasks", nargs="*", choices=list(REAL_TASKS), default=list(REAL_TASKS))
    arguments = parser.parse_args()
    (run if arguments.command == "run" else lambda a: report(a.file))(arguments)


if __name__ == "__main__":
    main()
