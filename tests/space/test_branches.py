"""Lists of dicts: what several dicts have in common, and what distinguishes them."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import Lasso, Ridge

from skpg import PolicyGradientOptimizer
from skpg.policy.policy import Policy
from skpg.space.features import design
from skpg.space.space import Space

C = stats.loguniform(1e-2, 1e2)
KERNELS = [
    {"kernel": ["linear"], "C": C},
    {"kernel": ["rbf"], "C": stats.loguniform(1e-2, 1e2), "gamma": stats.loguniform(1e-3, 1)},
    {"degree": [2, 3], "kernel": ["poly"], "C": C, "gamma": stats.loguniform(1e-3, 1)},
]


def names(space):
    return [(d.name, d.branches) for d in space.dimensions[1:]]


def test_what_stands_in_several_dicts_is_one_hyperparameter():
    space = Space(KERNELS)
    assert names(space) == [
        ("kernel", (0,)),
        ("C", (0, 1, 2)),
        ("kernel", (1,)),
        ("gamma", (1, 2)),
        ("degree", (2,)),
        ("kernel", (2,)),
    ]
    for params in Policy.prior(space).sample(30, 0):
        # the order of each dict
        assert [list(d) for d in KERNELS if d["kernel"] == [params["kernel"]]] == [list(params)]
        assert space.decode(space.encode([params])) == [pytest.approx(params)]


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ([1, 2], [1, 2], True),
        ([1, 2], [2, 1], False),
        ([1, 2], [1.0, 2.0], False),
        ([1, 2], [1, 2, 2], False),
        ([Ridge(), None], [Ridge(), None], True),
        (stats.uniform(0, 2), stats.uniform(loc=0, scale=2), True),
        (stats.uniform(0, 2), stats.uniform(0, 2.1), False),
        (stats.randint(0, 3), [0, 1, 2], False),
        (stats.randint(0, 3), stats.randint(0, 3), True),
    ],
)
def test_only_equal_values_are_shared(first, second, shared):
    space = Space([{"kind": ["a"], "x": first}, {"kind": ["b"], "x": second}])
    assert [d.name for d in space.dimensions].count("x") == 2 - shared


@pytest.mark.parametrize(
    ("models", "shared"), [((Ridge(), Lasso()), False), ((Ridge(), Ridge()), True)]
)
def test_parameters_of_parts_that_differ_are_kept_apart(models, shared):
    dicts = [{"model": [model], "model__alpha": C, "pca__whiten": [0, 1]} for model in models]
    found = [d.name for d in Space(dicts).dimensions]
    assert found.count("model__alpha") == 2 - shared
    assert found.count("pca__whiten") == 1


def test_the_policy_names_branches_by_what_distinguishes_them():
    assert [row[0] for row in Policy.prior(Space(KERNELS)).rows()] == [
        "branch",
        "C",
        "gamma (kernel='rbf', kernel='poly')",
        "degree (kernel='poly')",
    ]
    text = repr(Policy.prior(Space([{"m": [Ridge(5)]}, {"m": [Lasso()]}, {"x": [1, 2]}])))
    assert "m=Ridge 33 %, m=Lasso 33 %, branch 2 33 %" in text


def test_the_critic_knows_under_one_kernel_what_another_has_taught():
    """Only the linear kernel was tried with a large C, and did well with it."""
    space = Space(KERNELS)
    optimizer = PolicyGradientOptimizer(space, random_state=0)
    grid = np.logspace(-1.9, 1.9, 12)
    told = [{"kernel": "linear", "C": c} for c in grid]
    told += [{"kernel": "rbf", "C": c, "gamma": 0.05} for c in grid[:4]]
    optimizer.tell(told, [np.log10(p["C"]) + (p["kernel"] == "rbf") for p in told])
    untried = [{"kernel": "rbf", "C": c, "gamma": 0.05} for c in (grid[3], grid[9])]
    mean, _ = optimizer.state.critic.predict(design(space, space.encode(untried)))
    assert mean[1] > mean[0] + 0.3


def test_actors_that_several_branches_share_learn_from_all():
    """A branch that is not drawn teaches nothing; those that are teach what they share."""
    space = Space(KERNELS)
    policy = Policy.prior(space)
    gradient = policy.grad_log_prob(space.encode([{"kernel": "linear", "C": 10.0}]))[0]
    stops = np.cumsum([len(actor.theta) for actor in policy.actors])
    moved = [bool(block.any()) for block in np.split(gradient, stops[:-1])]
    assert dict(zip(names(space), moved[1:], strict=True))["C", (0, 1, 2)]
    assert not dict(zip(names(space), moved[1:], strict=True))["gamma", (1, 2)]


def test_the_entropy_counts_what_branches_share_as_often_as_it_is_drawn():
    policy = Policy.prior(Space(KERNELS))
    by_name = {
        d.name: actor for d, actor in zip(policy.space.dimensions, policy.actors, strict=True)
    }
    expected = sum(
        share * by_name[name].entropy()
        for name, share in {"branch": 1, "C": 1, "gamma": 2 / 3, "degree": 1 / 3}.items()
    )
    assert policy.entropy() == pytest.approx(expected)
