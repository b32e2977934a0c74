"""What is documented is what there is."""

import inspect

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import _testing

import skpg
from skpg import CommitteeClassifier, CommitteeRegressor

docscrape = pytest.importorskip("numpydoc.docscrape")
X, y = load_iris(return_X_y=True)
KINDS = {CommitteeClassifier: DecisionTreeClassifier(), CommitteeRegressor: Ridge()}
METHODS = [
    (kind, method)
    for kind in KINDS
    for method in ["__init__", *docscrape.ClassDoc(kind).methods]
    if not method.startswith("set_")
]


@pytest.mark.parametrize(("kind", "method"), METHODS)
def test_parameters_of_methods(kind, method, monkeypatch):
    # scikit-learn's check looks at what bears its name only
    name = _testing._get_func_name
    monkeypatch.setattr(_testing, "_get_func_name", lambda func: f"sklearn.{name(func)}")
    doc = docscrape.ClassDoc(kind) if method == "__init__" else None
    assert _testing.check_docstring_parameters(getattr(kind, method), doc, ignore=["y"]) == []


@pytest.mark.parametrize("function", [skpg.committee, skpg.corrected_score])
def test_parameters_of_functions(function):
    documented = [name for p in docscrape.FunctionDoc(function)["Parameters"]
                  for name in p.name.replace("*", "").split(", ")]  # fmt: skip
    assert documented == list(inspect.signature(function).parameters)


@pytest.mark.parametrize("kind", KINDS)
def test_attributes(kind):
    pandas = pytest.importorskip("pandas")
    fitted = kind(KINDS[kind]).fit(pandas.DataFrame(X, columns=list("abcd")), y)
    documented = {attribute.name for attribute in docscrape.ClassDoc(kind)["Attributes"]}
    assert {name for name in vars(fitted) if name.endswith("_")} == documented
