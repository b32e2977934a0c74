"""Classes of skpg are digested by public name and fields, in whatever module they are."""

import ast
import collections
import dataclasses
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression

import skpg
from skpg import PolicyGradientSearchCV
from skpg.learners import ActorCritic, GaussianProcess, NaturalGradient, Reinforce
from skpg.storage.digest import digest

OF_SKPG = [
    ActorCritic(critic=GaussianProcess()),
    NaturalGradient(0.5),
    PolicyGradientSearchCV(LogisticRegression(), {"C": [1, 2]}, learner=Reinforce()),
    ActorCritic,
]


@pytest.mark.parametrize("value", OF_SKPG, ids=["nested", "flat", "estimator", "class"])
def test_the_module_of_a_class_of_skpg_does_not_matter(monkeypatch, value):
    before = digest(value)
    for kind in (ActorCritic, GaussianProcess, NaturalGradient, Reinforce, PolicyGradientSearchCV):
        monkeypatch.setattr(kind, "__module__", "skpg.another.room")
    assert digest(value) == before


def test_the_module_of_any_other_class_does(monkeypatch):
    for value in (ActorCritic(), LogisticRegression()):
        before = digest(value)
        monkeypatch.setattr(type(value), "__module__", "another_package.skpg")
        assert digest(value) != before


def test_learners_are_digested_by_their_fields():
    learner, same = ActorCritic(), ActorCritic()
    object.__setattr__(same, "computed_once", 3)  # as a cached property leaves it
    assert digest(same) == digest(learner)
    changes = {"ambitions": (0.3,), "trust_region": 0.2, "memory_size": 100}
    digests = {digest(dataclasses.replace(learner, **{name: changes[name]})) for name in changes}
    assert len(digests | {digest(learner)}) == 4


def test_no_two_public_classes_of_skpg_have_the_same_name():
    """The names that they are digested by are without modules."""
    sources = Path(skpg.__file__).parent.rglob("*.py")
    names = collections.Counter(
        node.name
        for source in sources
        for node in ast.parse(source.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []
