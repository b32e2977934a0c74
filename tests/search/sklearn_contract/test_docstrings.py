"""scikit-learn's tests of docstrings."""

import pytest
from sklearn.utils import _testing

from skpg import PolicyGradientSearchCV

from .substitution import all_estimators, borrow, load

docscrape = pytest.importorskip("numpydoc.docscrape")

attributes = load(
    "sklearn.tests.test_docstring_parameters",
    patches={"sklearn.utils.all_estimators": all_estimators},
)
validation = load(
    "sklearn.tests.test_docstrings",
    patches={
        "sklearn.utils.discovery.all_estimators": all_estimators,
        "sklearn.utils.discovery.all_displays": list,
        "sklearn.utils.discovery.all_functions": list,
    },
)


def is_ours(value):
    return PolicyGradientSearchCV in value


globals().update(borrow(attributes, keep=is_ours))
globals().update(borrow(validation, keep=is_ours))

pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.parametrize(
    "method",
    ["__init__", *docscrape.ClassDoc(PolicyGradientSearchCV).methods],
)
def test_docstring_parameters(method, monkeypatch):
    # scikit-learn's check looks at what bears its name only
    name = _testing._get_func_name
    monkeypatch.setattr(_testing, "_get_func_name", lambda func: f"sklearn.{name(func)}")
    doc = docscrape.ClassDoc(PolicyGradientSearchCV) if method == "__init__" else None
    function = getattr(PolicyGradientSearchCV, method)
    assert _testing.check_docstring_parameters(function, doc, ignore=["y"]) == []
