"""Hyperparameters of a deep Q-learning agent on CartPole: our search, random search, TPE.

    python -m pip install optuna
    python doc/benchmarks/cartpole.py run --methods skpg random tpe --seeds 5
    python doc/benchmarks/cartpole.py run --methods skpg --seeds 1 --space one_hidden_layer
    python doc/benchmarks/cartpole.py report          # writes the table

All methods train the same agents under the same rules: at most 60 candidates, each on three
training seeds, of which those are left out that cannot make it the best any more (the
"optimistic" race of skpg for all three); the search ends with the first candidate that scores 500
on each. Then the winner's hyperparameters train one more agent, with new chance, which is saved,
loaded, and plays 1,000 episodes.

Trainings are appended to ``results/cartpole_fits.jsonl`` as they end, and finished searches to
``results/cartpole.jsonl``: the same command goes on where it was stopped. After a change to the
agent delete both.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from cartpole_agent import DeepQAgent
from cartpole_physics import MAX_RETURN
from cartpole_table import mean_return, summary, table
from peers import OptunaTPE
from scipy.stats import loguniform, uniform
from sklearn.base import clone
from sklearn.model_selection import KFold, ParameterSampler
from threadpoolctl import threadpool_limits

from skpg import PolicyGradientSearchCV
from skpg.evaluation.racing import Race

RESULTS = Path(__file__).parent / "results"
FITS, SEARCHES = RESULTS / "cartpole_fits.jsonl", RESULTS / "cartpole.jsonl"
N_ITER, N_SEEDS, N_NEW_EPISODES = 60, 3, 1000

TUTORIAL = {
    "learning_rate": loguniform(1e-5, 1e-2),
    "discount_factor": [0.9, 0.95, 0.99],
    "batch_size": [16, 32, 64, 128],
    "memory_size": [10_000, 50_000, 100_000],
    "freq_steps_train": [8, 16, 32, 128, 256],
    "freq_steps_update_target": [10, 100, 1000],
    "n_steps_warm_up_memory": [1000, 5000],
    "n_gradient_steps": [1, 4, 16],
    "nn_hidden_layers": [None, (64, 64), (128, 128), (256, 256)],
    "max_grad_norm": [1, 10],
    "normalize_state": [True, False],
    "epsilon_start": [0.9],
    "epsilon_end": uniform(0.05, 0.15),
    "steps_epsilon_decay": [1000, 10_000, 100_000],
}
SPACES = {
    "tutorial": TUTORIAL,
    "one_hidden_layer": {**TUTORIAL, "nn_hidden_layers": [(16,), (32,), (64,), (128,), (256,)]},
    "half_the_steps": {**TUTORIAL, "n_steps": [10_000]},
}


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def append(path: Path, record: dict[str, Any]) -> None:
    with path.open("a") as file:
        file.write(json.dumps(record) + "\n")


class RecordedAgent(DeepQAgent):
    """An agent whose trainings are recorded, and looked up when they are asked for again."""

    records: dict[str, dict[str, Any]] = {}  # noqa: RUF012

    def fit(self, X, y=None):
        self.key_ = json.dumps([self.get_params(), np.ravel(X).tolist()])
        if self.key_ not in self.records:
            start = time.process_time()
            super().fit(X)
            self.cpu_seconds_ = time.process_time() - start
        return self


def scores(agent: RecordedAgent, X, y=None) -> dict[str, float]:
    """Score an agent, with what its training cost, as several metrics."""
    if agent.key_ not in agent.records:
        record = {
            "key": agent.key_,
            "mean_return": agent.score(X),
            "n_steps": agent.n_steps_,
            "cpu_seconds": round(agent.cpu_seconds_, 3),
            "evaluations": [round(mean, 1) for _, mean in agent.evaluations_],
        }
        append(FITS, record)
        agent.records[agent.key_] = record
    record = agent.records[agent.key_]
    return {name: record[name] for name in ("mean_return", "n_steps", "cpu_seconds")}


def with_engine(space: dict, X: np.ndarray, **settings: Any) -> PolicyGradientSearchCV:
    """Search with PolicyGradientSearchCV."""
    return PolicyGradientSearchCV(
        RecordedAgent(),
        space,
        n_iter=N_ITER,
        scoring=scores,
        refit=False,
        cv=KFold(N_SEEDS),
        racing="optimistic",
        racing_bound=MAX_RETURN,
        target_score=MAX_RETURN,
        error_score="raise",
        batch_size=10,
        **settings,
    ).fit(X)


def rows_of(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row per candidate of ``cv_results_``; None where a seed was left out."""

    def folds(metric: str, k: int) -> list[float | None]:
        values = [float(results[f"split{i}_test_{metric}"][k]) for i in range(N_SEEDS)]
        return [None if np.isnan(value) else value for value in values]

    return [
        {"params": params}
        | {metric: folds(metric, k) for metric in ("mean_return", "n_steps", "cpu_seconds")}
        for k, params in enumerate(results["params"])
    ]


def skpg(space: dict, X: np.ndarray, seed: int, options: dict) -> dict[str, Any]:
    search = with_engine(space, X, random_state=seed, **options)
    return {
        "candidates": rows_of(search.cv_results_),
        "policy": str(search.policy_),
        "entropy": [round(update["entropy"], 3) for update in search.history_],
    }


def random(space: dict, X: np.ndarray, seed: int, options: dict) -> dict[str, Any]:
    """Evaluate what RandomizedSearchCV draws, which itself neither races nor stops."""
    draws = [dict(params) for params in ParameterSampler(space, N_ITER, random_state=seed)]
    search = with_engine(space, X, initial_params=draws, random_state=seed)
    return {"candidates": rows_of(search.cv_results_)}


def tpe(space: dict, X: np.ndarray, seed: int, options: dict) -> dict[str, Any]:
    """Ask optuna's TPESampler one candidate at a time; those that lose the race are pruned."""
    import optuna

    peer = OptunaTPE(space, seed)
    race, splits = Race(float(MAX_RETURN), optimistic=True), list(KFold(N_SEEDS).split(X))
    rows: list[dict[str, Any]] = []
    incumbent = np.full(N_SEEDS, -np.inf)
    while len(rows) < N_ITER and incumbent.mean() < MAX_RETURN:
        params = peer.ask()
        row: dict[str, Any] = {"params": params}
        returns = np.full(N_SEEDS, np.nan)
        complete = [r["mean_return"] for r in rows if None not in r["mean_return"]]
        means = np.mean(complete, axis=0) if complete else np.zeros(N_SEEDS)
        for fold in race.order(means):
            train, test = splits[fold]
            outcome = scores(RecordedAgent(**params).fit(X[train]), X[test])
            for metric, value in outcome.items():
                row.setdefault(metric, [None] * N_SEEDS)[fold] = value
            returns[fold] = outcome["mean_return"]
            peer.trial.report(float(np.nanmean(returns)), int(np.isfinite(returns).sum()))
            if np.isfinite(incumbent).all() and race.upper(returns, incumbent) <= incumbent.mean():
                break
        rows.append(row)
        if np.isnan(returns).any():
            peer.study.tell(peer.trial, state=optuna.trial.TrialState.PRUNED)
            continue
        peer.tell(params, float(returns.mean()))
        if returns.mean() > incumbent.mean():
            incumbent = returns
    return {"candidates": rows}


METHODS: dict[str, Callable] = {"skpg": skpg, "random": random, "tpe": tpe}


def play_again(params: dict[str, Any], X: np.ndarray, new: np.ndarray) -> dict[str, Any]:
    """Train the winner with new chance, save it, load it, and play 1,000 new episodes."""
    start = time.process_time()
    agent = DeepQAgent(**params).fit(X)
    seconds = time.process_time() - start
    with tempfile.TemporaryDirectory() as folder:
        joblib.dump(agent, Path(folder) / "agent.joblib")
        returns = joblib.load(Path(folder) / "agent.joblib").returns(new, N_NEW_EPISODES)
    return {
        "mean_return": float(returns.mean()),
        "n_falls": int((returns < MAX_RETURN).sum()),
        "n_steps": agent.n_steps_,
        "cpu_seconds": round(seconds, 3),
        "evaluations": [round(mean, 1) for _, mean in agent.evaluations_],
    }


def search(method: str, space: str, seed: int, options: dict) -> dict[str, Any]:
    """Run one search and evaluate its winner."""
    X = (100 * seed + np.arange(N_SEEDS))[:, None]
    new = np.array([[1_000_000 + seed]])
    found = METHODS[method](SPACES[space], X, seed, options)
    best = max(found["candidates"], key=mean_return)
    # the agents of the search itself: training is repeatable, so these are the same networks
    folds = [play_again(best["params"], X[train], new) for train, _ in KFold(N_SEEDS).split(X)]
    return {
        "method": method,
        "space": space,
        "seed": seed,
        **found,
        "best": best["params"],
        "folds": folds,
        "winner": play_again(clone(best["params"], safe=False), X, new),
    }


def run(methods: list[str], space: str, seeds: range, options: dict) -> None:
    RESULTS.mkdir(exist_ok=True)
    RecordedAgent.records = {record["key"]: record for record in read(FITS)}
    done = {(r["method"], r["space"], r["seed"]) for r in read(SEARCHES)}
    for method, seed in itertools.product(methods, seeds):
        if (method, space, seed) not in done:
            record = search(method, space, seed, options)
            append(SEARCHES, record)
            print(summary(record), flush=True)


def report() -> None:
    rows = table(read(SEARCHES), list(SPACES), list(METHODS))
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        lines += [f"   {'* -' if i == 0 else '  -'} {cell}" for i, cell in enumerate(row)]
    (RESULTS / "cartpole.rst").write_text("\n".join(line.rstrip() for line in lines) + "\n")
    print("\n".join(" | ".join(row) for row in rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["run", "report"])
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS))
    parser.add_argument("--space", choices=SPACES, default="tutorial")
    parser.add_argument("--seeds", default="5", help="a number, or FIRST:STOP")
    parser.add_argument("--storage", help="of skpg's searches, such as sqlite:///cartpole.db")
    parser.add_argument("--mlflow", action="store_true", help="track skpg's searches")
    arguments = parser.parse_args()
    if arguments.command == "report":
        report()
        return
    threadpool_limits(1)  # the matrices are so small that threads would only wait for each other
    first, _, stop = arguments.seeds.rpartition(":")
    options: dict[str, Any] = {}
    if arguments.storage:
        options["storage"] = arguments.storage
    if arguments.mlflow:
        from skpg.integrations.mlflow import MLflowCallback

        options["callbacks"] = [MLflowCallback()]
    run(arguments.methods, arguments.space, range(int(first or 0), int(stop)), options)


if __name__ == "__main__":
    main()
