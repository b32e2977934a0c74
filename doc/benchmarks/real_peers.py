"""The searches of ``real.py``: each returns its winner after so many candidates.

Spaces are given as the authors of a package recommend, and settings are the defaults. A list of
dicts becomes a categorical "branch" and names with the branch as prefix, which are suggested only
in their branch (optuna; TPE with ``group=True``), or a ``MetaTuner`` of one space per branch
(arm-mango). CatCMAwM and HEBO know no conditional
hyperparameters and are left out there.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from peers import CatCMA, Ours, OursInWindow, kind
from real_tasks import LISTS_OF_DICTS, Params, RealTask, Space
from sklearn.base import is_classifier

from skpg import PolicyGradientSearchCV
from skpg.evaluation.settings import SearchSettings

Winners = dict[int, Params]


class EnoughError(Exception):
    """Raised to end a search that does not count its evaluations itself."""


class Recorder:
    """Evaluates candidates, keeps them, and counts the processor time of doing so."""

    def __init__(self, task: RealTask, budget: int):
        self.task, self.budget = task, budget
        self.candidates: list[Params] = []
        self.rewards: list[float] = []
        self.seconds = 0.0

    def __call__(self, params: Params) -> float:
        if len(self.rewards) == self.budget:
            raise EnoughError
        start = time.process_time()
        self.candidates.append(params)
        self.rewards.append(self.task.reward(params))
        self.seconds += time.process_time() - start
        return self.rewards[-1]

    def winners(self, checkpoints: Sequence[int]) -> Winners:
        return {n: self.candidates[int(np.argmax(self.rewards[:n]))] for n in checkpoints}


class Optuna:
    """An optuna sampler; `at_once` trials are asked before the first of them is told."""

    def __init__(self, space: Space, sampler: Any, at_once: int):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.branches = space if isinstance(space, list) else [space]
        self.study = optuna.create_study(direction="maximize", sampler=sampler)
        self.at_once, self.waiting, self.done = at_once, [], []

    def propose(self) -> tuple[Any, Params]:
        trial, branch = self.study.ask(), 0
        if len(self.branches) > 1:
            branch = trial.suggest_categorical("branch", list(range(len(self.branches))))
        params: Params = {}
        for name, values in self.branches[branch].items():
            label, low, high = kind(values)
            key = f"{branch}.{name}"
            if label == "list":
                params[name] = low[trial.suggest_categorical(key, list(range(len(low))))]
            elif label == "int":
                params[name] = trial.suggest_int(key, low, high)
            else:
                params[name] = trial.suggest_float(key, low, high, log=label == "log")
        return trial, params

    def ask(self) -> Params:
        if not self.waiting:
            self.waiting = [self.propose() for _ in range(self.at_once)]
        self.trial, params = self.waiting.pop(0)
        return params

    def tell(self, params: Params, reward: float) -> None:
        self.done.append((self.trial, reward))
        if not self.waiting:
            for trial, value in self.done:
                self.study.tell(trial, value)
            self.done = []


class Hebo:
    """HEBO with its defaults; ordered lists as integers."""

    def __init__(self, space: dict[str, Any], seed: int):
        import torch
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO

        np.random.seed(seed)  # noqa: NPY002 (the package draws from the global generator)
        torch.manual_seed(seed)
        self.space = space
        rows = [self.row(name, *kind(values)) for name, values in space.items()]
        self.optimizer = HEBO(DesignSpace().parse(rows), scramble_seed=seed)

    def row(self, name: str, label: str, low: Any, high: Any) -> dict[str, Any]:
        if label != "list":
            types = {"int": "int", "float": "num", "log": "pow"}
            return {"name": name, "type": types[label], "lb": low, "ub": high}
        if high:
            return {"name": name, "type": "int", "lb": 0, "ub": len(low) - 1}
        return {"name": name, "type": "cat", "categories": list(range(len(low)))}

    def ask(self) -> Params:
        self.frame = self.optimizer.suggest(1)
        params: Params = {}
        for name, values in self.space.items():
            label, low, _ = kind(values)
            value = self.frame[name].iloc[0]
            if label == "list":
                params[name] = low[int(value)]
            else:
                params[name] = int(value) if label == "int" else float(value)
        return params

    def tell(self, params: Params, reward: float) -> None:
        self.optimizer.observe(self.frame, np.array([[-reward]]))


class MangoSpace:
    """A dict for arm-mango: logarithms as uniform exponents, choices by their index."""

    def __init__(self, space: dict[str, Any]):
        self.space = space

    def parameters(self) -> dict[str, Any]:
        from scipy.stats import uniform

        result: dict[str, Any] = {}
        for name, (label, low, high) in ((n, kind(v)) for n, v in self.space.items()):
            if label == "list":
                result[name] = list(range(len(low))) if high else [str(i) for i in range(len(low))]
            elif label == "int":
                result[name] = list(range(low, high + 1))
            elif label == "log":
                low, high = math.log10(low), math.log10(high)
                result[name] = uniform(low, high - low)
            else:
                result[name] = uniform(low, high - low)
        return result

    def decode(self, point: dict[str, Any]) -> Params:
        params: Params = {}
        for name, (label, low, high) in ((n, kind(v)) for n, v in self.space.items()):
            value = point[name]
            if label == "list":
                params[name] = low[int(value)]
            elif label == "log":
                params[name] = float(np.clip(10.0**value, low, high))
            else:
                params[name] = int(value) if label == "int" else float(np.clip(value, low, high))
        return params


def mango(task: RealTask, seed: int, record: Recorder) -> None:
    """Run arm-mango with its defaults, and scaled parameters where it can."""
    from mango import MetaTuner, Tuner

    def objective(space: MangoSpace) -> Callable[[list[Params]], list[float]]:
        return lambda points: [record(space.decode(point)) for point in points]

    np.random.seed(seed)  # noqa: NPY002 (the package draws from the global generator)
    random.seed(seed)
    if isinstance(task.space, list):
        spaces = [MangoSpace(branch) for branch in task.space]
        tuner: Any = MetaTuner(
            [space.parameters() for space in spaces],
            [objective(space) for space in spaces],
            n_iter=record.budget,
            log_progress=False,
        )
    else:
        space = MangoSpace(task.space)
        settings = {"num_iteration": record.budget, "scale_params": True, "log_progress": False}
        tuner = Tuner(space.parameters(), objective(space), settings)
    try:
        tuner.run()
    except EnoughError:
        return


def halving_plan(task: RealTask, budget: int) -> tuple[int, int]:
    """Return the rows of the first round and the candidates of HalvingRandomSearchCV.

    Each round has half of the candidates and twice the rows; the first has as few rows as
    scikit-learn takes by default for five folds, and the last all. All fits together have the
    rows of `budget` cross-validations: a fit to a quarter of the rows counts as a quarter.
    """
    rows, y = len(task.halves[0]), task.halves[2]
    smallest = 10 * (len(np.unique(y)) if is_classifier(task.estimator) else 1)
    doublings = max(0, math.floor(math.log2(rows / smallest)))
    first = rows // 2**doublings

    def cost(n: int) -> int:
        rounds = min(doublings, math.floor(math.log2(n))) + 1
        return sum(math.ceil(n / 2**i) * first * 2**i for i in range(rounds))

    return first, max((n for n in range(1, 10 * budget) if cost(n) <= budget * rows), default=1)


def halving(task: RealTask, seed: int, checkpoints: Sequence[int]) -> Winners:
    """Run one HalvingRandomSearchCV for each budget."""
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV

    X, _, y, _ = task.halves
    winners: Winners = {}
    for n in checkpoints:
        first, candidates = halving_plan(task, n)
        winners[n] = (
            HalvingRandomSearchCV(
                task.estimator,
                task.space,
                factor=2,
                n_candidates=candidates,
                min_resources=first,
                cv=task.folds,
                scoring=task.scoring,
                refit=False,
                random_state=seed,
            )
            .fit(X, y)
            .best_params_
        )
    return winners


def search_cv(task: RealTask, seed: int, checkpoints: Sequence[int]) -> Winners:
    """Run PolicyGradientSearchCV with its defaults."""
    X, _, y, _ = task.halves
    search = PolicyGradientSearchCV(
        task.estimator,
        task.space,
        n_iter=max(checkpoints),
        cv=task.folds,
        scoring=task.scoring,
        refit=False,
        random_state=seed,
    ).fit(X, y)
    results = search.cv_results_
    scores = results["mean_test_score"]
    return {n: results["params"][int(np.argmax(scores[:n]))] for n in checkpoints}


def tpe(space: Space, seed: int, at_once: int) -> Optuna:
    import optuna

    sampler = optuna.samplers.TPESampler(seed=seed, group=isinstance(space, list))
    return Optuna(space, sampler, at_once)


def gp(space: Space, seed: int, at_once: int) -> Optuna:
    import optuna

    sampler = optuna.samplers.GPSampler(seed=seed, warn_independent_sampling=False)
    return Optuna(space, sampler, at_once)


ASK_AND_TELL: dict[str, Callable[[Space, int], Any]] = {
    "skpg, batches of 10": lambda space, seed: Ours(space, seed),
    "skpg, window of 4": lambda space, seed: OursInWindow(space, seed),
    "skpg, one at a time": lambda space, seed: OursInWindow(space, seed, 1),
    "optuna TPE": lambda space, seed: tpe(space, seed, 1),
    "optuna TPE, ten at once": lambda space, seed: tpe(space, seed, 10),
    "optuna GP": lambda space, seed: gp(space, seed, 1),
    "optuna GP, ten at once": lambda space, seed: gp(space, seed, 10),
    "cmaes CatCMAwM": CatCMA,
    "HEBO": Hebo,
}
METHODS = [
    "PolicyGradientSearchCV",
    *ASK_AND_TELL,
    "arm-mango",
    "HalvingRandomSearchCV",
    "RandomizedSearchCV",
]
NO_BRANCHES = {"cmaes CatCMAwM", "HEBO"}


def default_mode() -> tuple[str, int]:
    """Return the `evaluation` and `batch_size` that PolicyGradientSearchCV has by default."""
    settings = SearchSettings.of(PolicyGradientSearchCV(None, {}))
    return settings.evaluation, settings.batch_size


def applicable(method: str, task_name: str) -> bool:
    return method not in NO_BRANCHES or task_name not in LISTS_OF_DICTS


def search(
    method: str, task: RealTask, seed: int, checkpoints: Sequence[int]
) -> tuple[Winners, float | None]:
    """Return the winners, and the processor seconds of a proposal where they can be told."""
    if method == "PolicyGradientSearchCV":
        return search_cv(task, seed, checkpoints), None
    if method == "HalvingRandomSearchCV":
        return halving(task, seed, checkpoints), None
    budget = max(checkpoints)
    record = Recorder(task, budget)
    start = time.process_time()
    if method == "arm-mango":
        mango(task, seed, record)
    elif method == "RandomizedSearchCV":
        for params in task.random_candidates(budget, seed):
            record(params)
    else:
        peer = ASK_AND_TELL[method](task.space, seed)
        for _ in range(budget):
            params = peer.ask()
            peer.tell(params, record(params))
    seconds = time.process_time() - start - record.seconds
    return record.winners(checkpoints), seconds / budget
