"""The searches that are compared, each behind ``ask() -> params`` and ``tell(params, reward)``.

Every peer gets the space as its authors recommend: bounds and logarithmic scales as they
are, lists of more than two numbers as ordered where it knows ordered values.
"""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np

from skpg import Policy, PolicyGradientOptimizer, Space

Params = dict[str, Any]


def kind(values: Any) -> tuple[str, Any, Any]:
    """Return ("list", values, ordered), ("int", low, high), ("float" or "log", low, high)."""
    if isinstance(values, list):
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
        return "list", values, len(values) > 2 and numbers and sorted(values) == values
    low, high = values.support()
    name = values.dist.name
    if name == "randint":
        return "int", int(low), int(high)
    return ("log" if name in ("loguniform", "reciprocal") else "float"), float(low), float(high)


class Ours:
    """PolicyGradientOptimizer in batches: nothing of a batch is told before all is asked."""

    def __init__(self, space: Any, seed: int, batch: int = 10):
        self.optimizer = PolicyGradientOptimizer(space, random_state=seed)
        self.batch, self.waiting, self.done = batch, [], []

    def ask(self) -> Params:
        if not self.waiting:
            self.waiting = self.optimizer.ask(self.batch)
        return self.waiting.pop(0)

    def tell(self, params: Params, reward: float) -> None:
        self.done.append((params, reward))
        if not self.waiting:
            self.optimizer.tell(*zip(*self.done, strict=True))
            self.done = []


class OursInWindow:
    """PolicyGradientOptimizer with four candidates in flight, told in their order."""

    def __init__(self, space: Any, seed: int, size: int = 4):
        self.optimizer = PolicyGradientOptimizer(space, random_state=seed)
        self.waiting = self.optimizer.ask(size)

    def ask(self) -> Params:
        return self.waiting.pop(0)

    def tell(self, params: Params, reward: float) -> None:
        self.optimizer.tell([params], [reward])
        self.waiting += self.optimizer.ask(1)


class Random:
    """What RandomizedSearchCV draws: without repetition where all values are lists."""

    def __init__(self, space: dict[str, Any], seed: int):
        self.space = Space(space)
        self.policy, self.rng = Policy.prior(self.space), np.random.default_rng(seed)
        self.seen: set[bytes] = set()

    def ask(self) -> Params:
        while True:
            action = self.policy.sample_actions(1, self.rng)
            key = self.space.keys(action)[0]
            if key not in self.seen or np.isinf(self.space.size):
                self.seen.add(key)
                return self.space.decode(action)[0]

    def tell(self, params: Params, reward: float) -> None:
        pass


class Grid:
    """What GridSearchCV would do with the budget: the finest regular grid that fits it."""

    def __init__(self, space: dict[str, Any], seed: int, budget: int):
        kinds = {name: kind(values) for name, values in space.items()}
        counts = dict.fromkeys(space, 1)
        # refine the coarsest axis while the grid still fits
        for name in itertools.cycle(space):
            if self.full(kinds, counts, name):
                if all(self.full(kinds, counts, other) for other in space):
                    break
                continue
            finer = counts | {name: counts[name] + 1}
            if np.prod(list(finer.values())) > budget:
                break
            counts = finer
        axes = [self.axis(space[name], kinds[name], counts[name]) for name in space]
        self.points = [dict(zip(space, point, strict=True)) for point in itertools.product(*axes)]
        np.random.default_rng(seed).shuffle(self.points)
        self.next = 0

    @staticmethod
    def full(kinds: dict, counts: dict[str, int], name: str) -> bool:
        label, low, high = kinds[name]
        limit = len(low) if label == "list" else high - low + 1 if label == "int" else np.inf
        return counts[name] >= limit

    @staticmethod
    def axis(values: Any, of_kind: tuple, count: int) -> list:
        label, choices, _ = of_kind
        if label == "list":
            places = np.linspace(0, len(choices) - 1, count) if count > 1 else [len(choices) // 2]
            return [choices[round(p)] for p in places]
        quantiles = (np.arange(count) + 0.5) / count
        return list(dict.fromkeys(values.ppf(quantiles).tolist()))

    def ask(self) -> Params:
        point = self.points[min(self.next, len(self.points) - 1)]
        self.next += 1
        return {
            k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in point.items()
        }

    def tell(self, params: Params, reward: float) -> None:
        pass


class Optuna:
    """An optuna sampler, asked one at a time."""

    def __init__(self, space: dict[str, Any], seed: int):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        d = optuna.distributions
        self.lists, self.distributions = {}, {}
        for name, values in space.items():
            label, low, high = kind(values)
            if label == "list":
                self.lists[name] = low
                self.distributions[name] = d.CategoricalDistribution(tuple(range(len(low))))
            elif label == "int":
                self.distributions[name] = d.IntDistribution(low, high)
            else:
                self.distributions[name] = d.FloatDistribution(low, high, log=label == "log")
        self.study = optuna.create_study(direction="maximize", sampler=self.sampler(seed))

    def sampler(self, seed: int) -> Any:
        raise NotImplementedError

    def ask(self) -> Params:
        self.trial = self.study.ask(fixed_distributions=self.distributions)
        return {
            name: self.lists[name][value] if name in self.lists else value
            for name, value in self.trial.params.items()
        }

    def tell(self, params: Params, reward: float) -> None:
        self.study.tell(self.trial, reward)


class OptunaTPE(Optuna):
    def sampler(self, seed: int) -> Any:
        import optuna

        return optuna.samplers.TPESampler(seed=seed)


class OptunaGP(Optuna):
    def sampler(self, seed: int) -> Any:
        import optuna

        return optuna.samplers.GPSampler(seed=seed, deterministic_objective=True)


class CatCMA:
    """cmaes.CatCMAwM: integers and ordered lists as discrete variables."""

    def __init__(self, space: dict[str, Any], seed: int):
        from cmaes import CatCMAwM

        kinds = {name: kind(values) for name, values in space.items()}
        self.space, self.kinds = space, kinds
        self.x = [n for n, k in kinds.items() if k[0] in ("float", "log")]
        self.z = [n for n, k in kinds.items() if (k[0] == "int" or (k[0] == "list" and k[2]))]
        self.c = [n for n, k in kinds.items() if k[0] == "list" and not k[2]]
        settings: dict[str, Any] = {"seed": seed}
        if self.x:
            settings["x_space"] = [[0.0, 1.0]] * len(self.x)
        if self.z:
            settings["z_space"] = [list(np.linspace(0, 1, self.size(n))) for n in self.z]
        if self.c:
            settings["c_space"] = [self.size(n) for n in self.c]
        self.optimizer = CatCMAwM(**settings)
        self.done: list[tuple[Any, float]] = []

    def size(self, name: str) -> int:
        label, low, high = self.kinds[name]
        return len(low) if label == "list" else high - low + 1

    def ask(self) -> Params:
        self.solution = self.optimizer.ask()
        params: Params = {}
        for name, unit in zip(self.x, self.solution.x if self.x else (), strict=True):
            params[name] = float(self.space[name].ppf(min(1.0, max(0.0, float(unit)))))
        for name, unit in zip(self.z, self.solution.z if self.z else (), strict=True):
            place = round(float(unit) * (self.size(name) - 1))
            label, low, _ = self.kinds[name]
            params[name] = low[place] if label == "list" else low + place
        for name, hot in zip(self.c, self.solution.c if self.c else (), strict=True):
            params[name] = self.kinds[name][1][int(np.argmax(hot[: self.size(name)]))]
        return {name: params[name] for name in self.space}

    def tell(self, params: Params, reward: float) -> None:
        self.done.append((self.solution, -reward))
        if len(self.done) == self.optimizer.population_size:
            self.optimizer.tell(self.done)
            self.done = []


class Skopt:
    """skopt.Optimizer with the settings of BayesSearchCV."""

    def __init__(self, space: dict[str, Any], seed: int):
        from skopt import Optimizer
        from skopt.space import Categorical, Integer, Real

        self.names, self.lists, dimensions = list(space), {}, []
        for name, values in space.items():
            label, low, high = kind(values)
            if label == "list":
                self.lists[name] = low
                dimensions.append(Categorical(list(range(len(low)))))
            elif label == "int":
                dimensions.append(Integer(low, high))
            else:
                dimensions.append(Real(low, high, "log-uniform" if label == "log" else "uniform"))
        self.optimizer = Optimizer(dimensions, random_state=seed, n_initial_points=10)

    def ask(self) -> Params:
        self.point = self.optimizer.ask()
        return {
            name: self.lists[name][value]
            if name in self.lists
            else getattr(value, "item", lambda v=value: v)()
            for name, value in zip(self.names, self.point, strict=True)
        }

    def tell(self, params: Params, reward: float) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.optimizer.tell(self.point, -reward)


PEERS = {
    "skpg, 4 in flight": lambda space, seed, budget: OursInWindow(space, seed),
    "skpg, batches of 10": lambda space, seed, budget: Ours(space, seed),
    "optuna TPESampler": lambda space, seed, budget: OptunaTPE(space, seed),
    "optuna GPSampler": lambda space, seed, budget: OptunaGP(space, seed),
    "cmaes CatCMAwM": lambda space, seed, budget: CatCMA(space, seed),
    "scikit-optimize GP": lambda space, seed, budget: Skopt(space, seed),
    "GridSearchCV": Grid,
    "RandomizedSearchCV": lambda space, seed, budget: Random(space, seed),
}
