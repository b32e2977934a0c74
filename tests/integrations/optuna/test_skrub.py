"""The sampler inside skrub's search with choices."""

import math
import runpy
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

skrub = pytest.importorskip("skrub")
optuna = pytest.importorskip("optuna")

from skpg.integrations.optuna import PolicyGradientSampler  # noqa: E402
from skpg.integrations.optuna.define_by_run import infer_structure  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.CRITICAL)
EXAMPLE = Path(__file__).parents[3] / "examples" / "skrub_choices.py"


class Known(ClassifierMixin, BaseEstimator):
    """Its score is known: that of a wrong kind is lower, that of a failing one is nan."""

    def __init__(self, kind, rate=1.0, depth=None, flag=True, share=0.5, fails=False):
        self.kind, self.rate, self.depth, self.flag = kind, rate, depth, flag
        self.share, self.fails = share, fails

    def fit(self, X, y):
        if self.fails:
            raise ValueError("it fails")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        assert type(self.rate) is float
        assert type(self.flag) is bool
        assert self.depth is None or type(self.depth) is int
        cost = abs(math.log10(self.rate) - 1) + abs((self.depth or 9) - 4) / 10
        return -cost - (self.kind != "good") - (not self.flag) - abs(self.share - 0.25)


def known(kind):
    """Return an estimator with choices of all kinds, one inside of another."""
    limited = skrub.optional(skrub.choose_int(1, 8, name=f"depth of {kind}"), name=f"limit {kind}")
    return Known(
        kind,
        rate=skrub.choose_float(1e-3, 1e3, log=True, name=f"rate of {kind}"),
        depth=limited,
        flag=skrub.choose_bool(name=f"flag of {kind}"),
        share=skrub.choose_float(0, 1, name=f"share of {kind}"),
    )


def search(model, n_iter, seed=0, **options):
    X, y = np.arange(20.0)[:, None], np.arange(20) % 2
    prediction = skrub.X(X).skb.apply(model, y=skrub.y(y))
    return prediction.skb.make_randomized_search(
        backend="optuna",
        sampler=PolicyGradientSampler(seed=seed),
        n_iter=n_iter,
        cv=2,
        fitted=True,
        **options,
    )


def named(study):
    """Return the params of the trials without skrub's numbers."""
    return [
        {name.split(":", 1)[1]: value for name, value in trial.params.items()}
        for trial in study.trials
    ]


def test_choices_inside_of_choices_are_searched_as_one_space():
    model = skrub.choose_from({kind: known(kind) for kind in ("bad", "good")}, name="kind")
    found = search(model, 30)
    conditions = {
        name.split(":", 1)[1]: condition.parent.split(":", 1)[1]
        for name, condition in infer_structure(found.study_.trials).conditions.items()
    }
    parts = ("rate of", "flag of", "share of", "limit")
    expected = {f"{part} {kind}": "kind" for kind in ("bad", "good") for part in parts}
    expected |= {f"depth of {kind}": f"limit {kind}" for kind in ("bad", "good")}
    assert conditions == expected
    trials = [str(sorted(params.items())) for params in named(found.study_)]
    assert len(set(trials)) == 30
    kinds = [params["kind"] for params in named(found.study_)]
    assert kinds.count("1:good") > 20
    assert found.best_score_ > -0.2  # of thirty random draws the best has -.9 in the mean
    assert found.best_learner_ is not None


def test_the_same_seed_gives_the_same_trials():
    first, second, other = (search(known("good"), 8, seed).study_ for seed in (0, 0, 1))
    assert named(first) == named(second) != named(other)


def test_candidates_that_fail_are_kept_away_from():
    fails = skrub.choose_bool(name="fails", default=False)
    rate = skrub.choose_float(1e-3, 1e3, log=True, name="rate")
    study = search(Known("good", rate=rate, fails=fails), 25).study_
    failed = [trial.state.name == "FAIL" for trial in study.trials]
    assert sum(failed) >= 1
    assert sum(failed[-15:]) <= 3  # of draws at random every second fails


@pytest.mark.slow
def test_two_processes_search_together():
    found = search(known("good"), 16, n_jobs=2)
    assert len({str(params) for params in named(found.study_)}) == 16
    assert {trial.state.name for trial in found.study_.trials} == {"COMPLETE"}


@pytest.mark.slow
@pytest.mark.skipif(not EXAMPLE.exists(), reason="the examples are not here")
def test_the_example_finds_a_good_pipeline():
    assert runpy.run_path(str(EXAMPLE))["search"].best_score_ > 0.98
