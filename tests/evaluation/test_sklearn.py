"""What is read from inside scikit-learn, and the error where it is not there."""

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_iris
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier

from skpg import PolicyGradientSearchCV
from skpg.evaluation.outcome import Outcome
from skpg.evaluation.sklearn import as_dict, as_outcome, format_results

X, y = load_iris(return_X_y=True)


def make(cls=PolicyGradientSearchCV, **settings):
    return cls(
        KNeighborsClassifier(), {"n_neighbors": [1, 3, 5]}, n_iter=3, random_state=0, **settings
    )


class Wrapping(PolicyGradientSearchCV):
    """As a search that counts the calls of `evaluate_candidates` may be written."""

    def _run_search(self, evaluate_candidates, **keywords):
        def counted(*arguments, **others):
            return evaluate_candidates(*arguments, **others)

        super()._run_search(counted, **keywords)


def test_a_function_around_evaluate_candidates_is_an_error_that_tells_the_versions():
    words = (
        f"evaluate_candidates of scikit-learn {sklearn.__version__} does not refer to X, all_out, "
        ".*skpg supports scikit-learn 1.6 to 1.9"
    )
    with pytest.raises(RuntimeError, match=words):
        make(Wrapping).fit(X, y)


class Shrinking(KFold):
    """Promises more folds than it gives."""

    def split(self, X, y=None, groups=None):
        return list(super().split(X, y, groups))[1:]


def test_a_splitter_that_gives_other_folds_than_promised_is_an_error():
    with pytest.raises(ValueError, match="Expected 3 splits, got 2"):
        make(cv=Shrinking(3)).fit(X, y)


@pytest.mark.parametrize("train", [None, 0.75])
def test_an_outcome_has_the_form_that_scikit_learn_knows(train):
    outcome = Outcome(0.5, train, 1.0, 2.0, 50, "no")
    fields = as_dict(outcome)
    assert ("train_scores" in fields) == (train is not None)
    assert as_outcome(fields) == outcome
    assert outcome.seconds == 3.0
    assert Outcome(np.nan, fit_time=1.0).seconds == 0.0  # it did not return


def test_folds_that_were_left_out_have_no_score_and_failures_every_metric():
    several = Outcome({"a": 1.0, "b": 2.0}, None, 0.1, 0.1, 5)
    failed = Outcome(-9.0, fit_error="no")
    folds = [{0: several, 1: failed}, {0: several}]
    with pytest.warns(UserWarning, match="non-finite"):
        results = format_results([{"c": 1}, {"c": 2}], 2, folds, {}, np.zeros(2, dtype=bool))
    np.testing.assert_array_equal(results["split1_test_b"], [-9.0, np.nan])
    np.testing.assert_array_equal(results["split0_test_a"], [1.0, 1.0])


def test_incomplete_candidates_rank_last():
    good, bad = Outcome(0.5, None, 0.1, 0.1, 5), Outcome(9.0, fit_error="no")
    folds = [{0: bad}, {0: good}]
    results = format_results([{"c": 1}, {"c": 2}], 1, folds, {}, np.array([False, True]))
    assert results["rank_test_score"].tolist() == [2, 1]
