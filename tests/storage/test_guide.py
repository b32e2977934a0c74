"""The user guide names the columns of the tables, and its queries run."""

import re
import sqlite3
from pathlib import Path

import pytest

from tests.storage.searches import X, small_search, y

TABLES = ["studies", "candidates", "folds", "scores"]
GUIDE = Path(__file__).parents[2] / "doc" / "user_guide" / "resuming.rst"
QUERIES = re.findall(r'sqlite3 (?:-\w+ )?search\.db "\n(.*?)"', GUIDE.read_text(), re.DOTALL)


@pytest.fixture
def path(finished_copy):
    """A storage with one finished study."""
    return finished_copy


def test_the_guide_names_all_columns(path):
    text = GUIDE.read_text()
    connection = sqlite3.connect(path)
    for table in TABLES:
        for _, column, *_ in connection.execute(f"PRAGMA table_info({table})"):
            assert re.search(rf"``[\w, ]*\b{column}\b[\w, ]*``", text), (table, column)
    connection.close()


@pytest.mark.skipif(sqlite3.sqlite_version_info < (3, 38), reason="older sqlite has no JSON")
@pytest.mark.parametrize("query", QUERIES)
def test_the_queries_of_the_guide_run(path, query):
    small_search(path, n_iter=2, batch_size=5).fit(X, y)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE studies SET study_name = 'iris' WHERE study_id = 1")
        connection.execute(
            "UPDATE folds SET status = 'failed', fit_error = 'no' "
            "WHERE study_id = 2 AND number = 0 AND fold = 0"
        )
    rows = connection.execute(query).fetchall()
    connection.close()
    assert rows


def test_there_are_queries_in_the_guide():
    assert len(QUERIES) == 5
