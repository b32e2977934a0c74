"""The page for developers names files and functions that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "doc" / "development.rst"

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not here")


def literals():
    return set(re.findall(r"``([^`]+)``", PAGE.read_text()))


def test_every_path_exists():
    paths = [text for text in literals() if re.fullmatch(r"[\w./]+(\.py|/)", text)]
    assert len(paths) > 20
    places = [ROOT, ROOT / "skpg", ROOT / "skpg/evaluation/workers", ROOT / "skpg/learners"]
    for path in paths:
        assert any((place / path).exists() for place in places), path


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("executor_of", "evaluation/workers/backends.py"),
        ("Executor", "evaluation/workers/executors.py"),
        ("Candidate", "evaluation/candidate.py"),
        ("Journal", "evaluation/journal.py"),
        ("Futures", "evaluation/workers/executors.py"),
        ("takes_single_jobs", "evaluation/workers/backends.py"),
        ("Tracker", "integrations/tracking.py"),
        ("FitAndScore", "evaluation/cross_validation.py"),
        ("Outcome", "evaluation/outcome.py"),
        ("SearchSettings", "evaluation/settings.py"),
        ("RunningFit", "evaluation/sklearn.py"),
        ("replace_failed", "learners/rewards.py"),
        ("rank_utilities", "learners/rewards.py"),
        ("Learner", "learners/base.py"),
        ("rows_of", "storage/rows.py"),
    ],
)
def test_what_it_says_of_a_file_is_true(name, file):
    assert name in literals()
    assert re.search(rf"^(def|class) {name}\b", (ROOT / "skpg" / file).read_text(), re.MULTILINE)
