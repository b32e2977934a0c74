"""A storage of an earlier version of skpg: read as it is, searched on by no search.

``store_of_results_version_5.db.gz`` was made at commit 37d0dbe, before classes were digested
without the paths of their modules, by::

    import gzip
    from pathlib import Path

    from scipy.stats import randint, uniform
    from sklearn.datasets import load_iris
    from sklearn.neighbors import KNeighborsClassifier

    from skpg import PolicyGradientSearchCV

    SPACE = {"n_neighbors": randint(1, 60), "p": uniform(1, 3), "metric_params": [None, {}]}
    for name in ("named", None):
        PolicyGradientSearchCV(
            KNeighborsClassifier(), SPACE, n_iter=4, batch_size=2, cv=3, random_state=0,
            storage="search.db", study_name=name,
        ).fit(*load_iris(return_X_y=True))
    store = Path("store_of_results_version_5.db.gz")
    store.write_bytes(gzip.compress(Path("search.db").read_bytes(), mtime=0))
"""

import gzip
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import randint, uniform
from sklearn.neighbors import KNeighborsClassifier

import skpg
from skpg import PolicyGradientSearchCV, StorageError
from tests.storage.searches import X, y

STORE = Path(__file__).with_name("store_of_results_version_5.db.gz")
SPACE = {"n_neighbors": randint(1, 60), "p": uniform(1, 3), "metric_params": [None, {}]}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "search.db"
    path.write_bytes(gzip.decompress(STORE.read_bytes()))
    return path


def search_of(path, name):
    return PolicyGradientSearchCV(
        KNeighborsClassifier(), SPACE, n_iter=4, batch_size=2, cv=3, random_state=0,
        storage=path, study_name=name,
    )  # fmt: skip


def rows(path):
    tables = ("studies", "candidates", "folds", "scores")
    with sqlite3.connect(path) as connection:
        return {
            table: connection.execute(
                f"SELECT * FROM {table} WHERE study_id <= 2 ORDER BY 1, 2, 3, 4"
            ).fetchall()
            for table in tables
        }


def test_a_named_study_is_refused_and_the_error_says_why(path):
    before = rows(path)
    words = "recorded by a version of skpg that gives other results.* the version of skpg's results"
    with pytest.raises(StorageError, match=f"Study 'named' in .* was {words} is not the same"):
        search_of(path, "named").fit(X, y)
    assert rows(path) == before


def test_another_change_does_not_hide_the_reason(path):
    with pytest.raises(StorageError, match="the version of skpg's results is not the same"):
        search_of(path, "named").set_params(scoring="f1_macro", batch_size=3).fit(X, y)


def test_an_unnamed_study_is_left_alone_and_a_new_one_begun(path):
    before = rows(path)
    search = search_of(path, None).fit(X, y)
    assert [study.study_id for study in skpg.studies(path)] == [1, 2, 3]
    assert rows(path) == before
    loaded = skpg.load_study(path, 3)
    np.testing.assert_array_equal(loaded["mean_test_score"], search.cv_results_["mean_test_score"])


def test_both_are_read(path):
    named, unnamed = skpg.studies(path)
    assert (named.study_name, unnamed.study_name) == ("named", None)
    for study in (named, unnamed):
        assert (study.n_candidates, study.stop_reason, study.seed) == (4, "n_iter", 0)
        assert study.best_score == pytest.approx(0.96)
    for results in (skpg.load_study(path, "named"), skpg.load_study(path, 2)):
        assert [params["n_neighbors"] for params in results["params"]] == [30, 58, 27, 1]
        assert [repr(params["metric_params"]) for params in results["params"]] == [
            "None", "{}", "None", "None",
        ]  # fmt: skip
        assert results["mean_test_score"] == pytest.approx([143 / 150, 0.88, 143 / 150, 0.96])
        assert results["iter"].tolist() == [0, 0, 1, 1]
        assert (results["mean_fit_time"] > 0).all()
    results = skpg.load_study(path, 2, param_distributions=SPACE)
    assert results["params"][1]["metric_params"] is SPACE["metric_params"][1]
