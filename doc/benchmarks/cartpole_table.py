"""What the stored searches of the CartPole benchmark say."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from cartpole_physics import MAX_RETURN

GOOD = 475
LABELS = {"skpg": "skpg, batches of 10", "random": "random search", "tpe": "optuna TPESampler"}


def mean_return(row: dict[str, Any]) -> float:
    """Return a candidate's score; minus infinity where the race left seeds out."""
    return -np.inf if None in row["mean_return"] else float(np.mean(row["mean_return"]))


def summary(record: dict[str, Any]) -> str:
    scores = [mean_return(row) for row in record["candidates"]]
    winner = record["winner"]
    return (
        f"{record['method']} {record['space']} seed {record['seed']}: {len(scores)} candidates, "
        f"best {max(scores):.1f}, winner {winner['mean_return']:.1f} on 1,000 new "
        f"episodes with {winner['n_falls']} falls, its agents of the search "
        f"{[round(fold['mean_return'], 1) for fold in record['folds']]}"
    )


def spent(record: dict[str, Any], metric: str, until: int) -> float:
    """Return what the first candidates cost."""
    return sum(v for row in record["candidates"][:until] for v in row[metric] if v is not None)


def reached(record: dict[str, Any], target: float) -> int | None:
    """Return how many candidates were evaluated when one reached the target."""
    hits = (k for k, row in enumerate(record["candidates"], 1) if mean_return(row) >= target)
    return next(hits, None)


def cells(records: list[dict[str, Any]], target: float) -> list[str]:
    """Return the cells of a row: how often, and the medians of what it took."""
    hits = [(record, n) for record in records if (n := reached(record, target)) is not None]
    found = f"{len(hits)} of {len(records)}"
    if not hits:
        return [found, "", "", ""]
    return [
        found,
        f"{np.median([n for _, n in hits]):g}",
        f"{np.median([spent(r, 'n_steps', n) for r, n in hits]) / 1e6:.2f}",
        f"{np.median([spent(r, 'cpu_seconds', n) for r, n in hits]) / 60:.1f}",
    ]


def table(records: list[dict[str, Any]], spaces: list[str], methods: list[str]) -> list[list[str]]:
    """Return a header and one row for each space, method and target."""
    header = ["space", "search", "target", "reached", "candidates", "million steps", "CPU minutes"]
    rows = [[*header, "its worst agent, 1,000 new episodes", "trained again"]]
    for space, method in itertools.product(spaces, methods):
        of_method = [r for r in records if (r["space"], r["method"]) == (space, method)]
        of_method.sort(key=lambda record: record["seed"])
        agents = [min(fold["mean_return"] for fold in r["folds"]) for r in of_method]
        again = [r["winner"]["mean_return"] for r in of_method]
        means = [", ".join(f"{value:.1f}" for value in values) for values in (agents, again)]
        for target in (GOOD, MAX_RETURN) if of_method else ():
            row = [space.replace("_", " "), LABELS[method], str(target)]
            rows.append([*row, *cells(of_method, target), *(means if target == GOOD else ["", ""])])
    return rows
