"""Outcomes of fits are read back to the bit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skpg.evaluation.outcome import Outcome
from skpg.storage.database import Storage
from skpg.storage.rows import INSERT_FOLD, INSERT_SCORE, read_folds, rows_of


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    storage = Storage(tmp_path_factory.mktemp("rows") / "search.db")
    storage.write(
        "INSERT INTO studies VALUES (1, NULL, '', '{}', '0', '', '[]', 3, 0, 1, '{}', '', NULL)"
    )
    yield storage
    storage.close()


@given(
    st.lists(st.floats(allow_nan=True), min_size=3, max_size=3),
    st.floats(allow_nan=True),
    st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]))),
)
def test_outcomes_keep_every_bit(storage, scores, seconds, fit_error):
    test, train = {"b": scores[0], "a": scores[1]}, {"b": scores[2], "a": -0.0}
    outcome = Outcome(test, train, seconds, 0.0, 50.0, fit_error)
    row, of_scores = rows_of((1, 0, 2), "ok", outcome)
    with storage.transaction() as connection:
        connection.execute("DELETE FROM folds")
        connection.execute("DELETE FROM scores")
        connection.execute(INSERT_FOLD, row)
        connection.executemany(INSERT_SCORE, of_scores)
    (fold,) = read_folds(storage, 1)
    assert repr(fold.outcome) == repr(outcome)  # which tells -0.0 from 0.0
    assert (fold.number, fold.fold, fold.status, fold.counts) == (0, 2, "ok", True)
