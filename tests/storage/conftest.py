import shutil
from pathlib import Path

import pytest

from tests.storage.searches import X, small_search, y


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "search.db")


@pytest.fixture
def counted(tmp_path):
    folder = tmp_path / "fits"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("finished") / "search.db"
    small_search(path).fit(X, y)
    return path


@pytest.fixture
def finished_copy(finished, tmp_path):
    """A storage with one finished study."""
    return Path(shutil.copy(finished, tmp_path / "search.db"))
