"""The code of the winner, which is run here."""

import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skpg.reporting.facts import Facts
from skpg.reporting.winner import NotCodeError, expression, winner_code
from skpg.space.equality import same
from tests.estimators import Scripted
from tests.reporting.records import record_of


def evaluated(value):
    imports = set()
    text = expression(value, imports)
    names = {}
    exec("\n".join(imports), names)
    return eval(text, names)


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, -0.1, 1e300, float("inf"), float("nan"), "it's \"quoted\" \n </script>",
        b"\x00", (), (1,), [1, (2.5, None)], {"a": [1], 2: ()}, np.float64(0.1),
        np.array([[1.5, 2.5]]), np.array(["a", "b"]), len, np.log1p, accuracy_score, SVC, float,
    ],
)  # fmt: skip
def test_an_expression_has_the_value_that_it_was_made_of(value):
    found = evaluated(value)
    native = value.item() if isinstance(value, np.generic) else value
    assert found is native or same(found, native)


@pytest.mark.parametrize(
    "estimator",
    [
        SVC(),
        SVC(C=2.0, class_weight={0: 1.5, 1: 2}),
        Pipeline([("scale", StandardScaler()), ("pca", "passthrough"), ("model", SVC(C=3))]),
        FunctionTransformer(np.log1p, kw_args={"where": True}),
        LogisticRegression(C=0.5, max_iter=500, tol=float("inf")),
    ],
)
def test_an_estimator_is_written_with_all_arguments_that_are_not_the_defaults(estimator):
    assert repr(evaluated(estimator)) == repr(estimator)


class Local:
    pass


@pytest.mark.parametrize(
    "value", [lambda x: x, Local(), [Local()], np.zeros(2000), np.array([None])]
)
def test_what_has_no_expression_is_refused(value):
    with pytest.raises(NotCodeError):
        expression(value, set())


def code_of(params, estimator=None, **fields):
    space = {name: [value, "another"] for name, value in params.items()}
    facts = Facts(record_of(space, [params], [0.5]), estimator=estimator, **fields)
    return winner_code(facts)


def test_the_code_makes_the_winner():
    params = {"model": LogisticRegression(), "model__C": 0.1 + 0.2, "pca": PCA(2)}
    estimator = Pipeline([("pca", PCA(3)), ("model", SVC())])
    code = code_of(params, estimator, is_refitted=True)
    names = {}
    exec(code, names)
    assert repr(names["model"]) == repr(estimator.set_params(**params))
    assert code.endswith("# model = search.best_estimator_")
    assert "0.30000000000000004" in code


def test_without_the_estimator_it_is_that_of_the_session():
    code = code_of({"C": 0.5})
    names = {"estimator": SVC()}
    exec(code, names)
    assert names["model"].C == 0.5
    assert "best_estimator_" not in code


def test_values_without_an_expression_stand_in_a_comment_and_the_code_runs():
    code = code_of({"a": 3, "extra": Local()}, Scripted(extra=Local()))
    names = {"estimator": Scripted()}
    exec(code, names)
    assert names["model"].a == 3
    assert "# without an expression, see search.best_params_: 'extra'" in code


def test_a_name_or_value_cannot_break_out_of_its_place():
    hostile = "x'\n}\nimport os\nraise SystemExit\n#"
    code = code_of({"a": 1, "extra": hostile})
    names = {"estimator": Scripted()}
    exec(code, names)
    assert names["model"].extra == hostile


def test_a_number_is_written_with_all_its_digits():
    value = float(uniform(0, 1).rvs(random_state=1))
    assert repr(value) in code_of({"C": value})
