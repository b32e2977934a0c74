"""One file for many searches, also at the same time."""

import os
import sqlite3
import time

import joblib
import pytest
from sklearn.model_selection import KFold, cross_validate

import skpg
from skpg.storage.database import Storage
from tests.estimators import Scripted
from tests.storage.searches import X, make, n_fits, result, y


def test_nested_cross_validation_makes_one_study_per_fold(path, counted):
    search = make(path, estimator=Scripted(folder=str(counted)))
    outer = KFold(3, shuffle=True, random_state=0)
    first = cross_validate(search, X, y, cv=outer, return_estimator=True)
    assert [study.n_candidates for study in skpg.studies(path)] == [12, 12, 12]
    rows = (
        sqlite3.connect(path)
        .execute("SELECT study_id, count(*) FROM folds GROUP BY study_id")
        .fetchall()
    )
    assert rows == [(1, 36), (2, 36), (3, 36)]
    assert n_fits(counted) == 3 * (36 + 1)
    second = cross_validate(search, X, y, cv=outer, return_estimator=True)
    assert n_fits(counted) == 3 * (36 + 2)
    assert len(skpg.studies(path)) == 3
    for one, other in zip(first["estimator"], second["estimator"], strict=True):
        assert result(one) == result(other)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_many_studies_at_the_same_time(path, backend):
    with joblib.parallel_config(backend, n_jobs=3):
        outer = cross_validate(make(path), X, y, cv=6, return_estimator=True)
    alone = cross_validate(make(), X, y, cv=6, return_estimator=True)
    for one, other in zip(outer["estimator"], alone["estimator"], strict=True):
        assert result(one) == result(other)
    assert [study.n_candidates for study in skpg.studies(path)] == [12] * 6


def test_processes_make_a_storage_at_the_same_moment(tmp_path):
    for attempt in range(10):
        path = tmp_path / f"{attempt}.db"
        start = time.monotonic() + 0.05
        children = []
        for _ in range(4):
            child = os.fork()
            if not child:
                status = 1
                try:
                    while time.monotonic() < start:
                        pass
                    Storage(path).close()
                    status = 0
                finally:
                    os._exit(status)
            children.append(child)
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0, 0]
        assert skpg.studies(path) == []
