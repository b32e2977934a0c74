"""A search is recorded in a study while it runs."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier

optuna = pytest.importorskip("optuna")


from skpg.integrations.optuna import OptunaCallback, export_study  # noqa: E402
from tests.integrations.optuna.searches import KNN, X, search_of, y  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.CRITICAL)


def test_the_callback_records_what_the_export_does():
    callback = OptunaCallback(optuna.storages.InMemoryStorage(), "knn")
    seen = []

    def look(progress):
        seen.append(len(callback.study.trials))

    search = search_of(KNeighborsClassifier(), KNN, callbacks=[callback, look], n_jobs=2)
    search.fit(X, y)
    assert seen == list(range(1, 13))
    live, exported = callback.study, export_study(search)
    assert [t.params for t in live.trials] == [t.params for t in exported.trials]
    assert [t.value for t in live.trials] == pytest.approx([t.value for t in exported.trials])
    assert live.user_attrs == exported.user_attrs
    search.fit(X, y)
    assert callback.study.study_name == "knn 2"


def test_the_callback_says_how_a_search_ended():
    def fail(progress):
        raise RuntimeError("enough")

    callback = OptunaCallback(optuna.storages.InMemoryStorage())
    with pytest.raises(RuntimeError, match="enough"):
        search_of(KNeighborsClassifier(), KNN, callbacks=[callback, fail]).fit(X, y)
    assert callback.study.user_attrs["stop_reason"] == "RuntimeError: enough"


def test_clones_of_a_search_have_callbacks_of_their_own():
    callback = OptunaCallback(optuna.storages.InMemoryStorage(), "knn")
    search = search_of(KNeighborsClassifier(), KNN, n_iter=3, callbacks=[callback])
    for _ in range(2):
        clone(search).fit(X, y)
    assert callback.study is None
    assert optuna.get_all_study_names(callback.storage) == ["knn", "knn 2"]


def in_threads(*functions):
    with ThreadPoolExecutor(len(functions)) as pool:
        return [future.result() for future in [pool.submit(f) for f in functions]]


def test_one_callback_keeps_searches_apart_that_run_at_the_same_time():
    storage = optuna.storages.InMemoryStorage()
    callback = OptunaCallback(storage, "knn")
    together = threading.Barrier(2)

    def wait(progress):
        together.wait(60)  # for the other one's candidate

    def run(seed):
        callbacks = [wait, callback]
        return search_of(
            KNeighborsClassifier(), KNN, n_iter=5, random_state=seed, callbacks=callbacks
        ).fit(X, y)

    searches = in_threads(lambda: run(0), lambda: run(1))
    studies = [optuna.load_study(study_name=name, storage=storage) for name in ("knn", "knn 2")]
    params = [[trial.params for trial in study.trials] for study in studies]
    expected = [search.cv_results_["params"] for search in searches]
    assert params in (expected, expected[::-1])
    assert all(study.user_attrs["stop_reason"] == "n_iter" for study in studies)


def test_one_callback_keeps_a_search_within_a_search_apart():
    storage = optuna.storages.InMemoryStorage()
    callback = OptunaCallback(storage, "knn")

    def search_again(progress):
        if progress.n_candidates == 2:
            search_of(KNeighborsClassifier(), KNN, n_iter=3, callbacks=[callback]).fit(X, y)

    outer = search_of(KNeighborsClassifier(), KNN, n_iter=5, callbacks=[search_again, callback])
    outer.fit(X, y)
    studies = [optuna.load_study(study_name=name, storage=storage) for name in ("knn", "knn 2")]
    assert [len(study.trials) for study in studies] == [5, 3]
    assert [trial.params for trial in studies[0].trials] == outer.cv_results_["params"]


class Crowded(optuna.storages.InMemoryStorage):
    """A storage in which another process takes a name just before it is wanted."""

    def create_new_study(self, directions, study_name=None):
        if study_name in ("knn", "knn 2"):
            super().create_new_study(directions, study_name)
        return super().create_new_study(directions, study_name)


def test_a_name_that_is_taken_in_the_same_instant_gets_the_next_number():
    callback = OptunaCallback(Crowded(), "knn")
    search_of(KNeighborsClassifier(), KNN, n_iter=3, callbacks=[callback]).fit(X, y)
    assert callback.study.study_name == "knn 3"
    assert len(callback.study.trials) == 3


def test_a_storage_that_fails_does_not_end_the_search(tmp_path):
    path = tmp_path / "studies.db"

    def destroy(progress):
        if progress.n_candidates == 5:
            path.write_text("this is not a database")

    callback = OptunaCallback(f"sqlite:///{path}")
    search = search_of(KNeighborsClassifier(), KNN, callbacks=[callback, destroy])
    with pytest.warns(UserWarning, match="OptunaCallback records nothing more") as caught:
        search.fit(X, y)
    assert len(caught) == 1
    assert len(search.cv_results_["params"]) == 12
    with pytest.warns(UserWarning, match="OptunaCallback records nothing more"):
        search_of(KNeighborsClassifier(), KNN, callbacks=[OptunaCallback("no://where")]).fit(X, y)
    # nor is the study of an earlier search taken for that of this one
    callback.storage = "no://where"
    with pytest.warns(UserWarning, match="OptunaCallback records nothing more"):
        search.set_params(callbacks=[callback], n_iter=2).fit(X, y)
    assert callback.study is None
