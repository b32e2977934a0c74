"""What `final`, `baseline`, `confirm` and `keep` cost: time, memory, and size on disk.

    python doc/benchmarks/winner_cost.py      # some minutes; writes results/winner_cost.rst

Each row is a search of its own process: 60 candidates of a random forest of 20 trees on the digits
of scikit-learn, 1,797 rows of ten classes, in five folds, with a storage. Seconds are those of the
processor, without those of the import; memory is the greatest that the process has had.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rst import list_table
from scipy.stats import randint, uniform
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

from skpg import Ensemble, PolicyGradientSearchCV

RESULTS = Path(__file__).parent / "results"
SPACE = {"max_features": uniform(0.05, 0.9), "min_samples_leaf": randint(1, 20)}
SEARCHES = {
    "a plain search": {},
    '``final="committee"``': {"final": "committee"},
    '``keep="estimators", final="committee"``': {"keep": "estimators", "final": "committee"},
    "``final=Ensemble()``": {"final": Ensemble()},
    '``keep="predictions"``': {"keep": "predictions"},
    '``keep="estimators"``': {"keep": "estimators"},
    "``baseline=True``": {"baseline": True},
    "``confirm=(5, 4)``": {"confirm": (5, 4)},
}


def measure(name: str) -> dict[str, float]:
    """Return what one search costs, and its corrected score."""
    X, y = load_digits(return_X_y=True)
    forest = RandomForestClassifier(n_estimators=20, random_state=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "search.db"
        search = PolicyGradientSearchCV(
            forest, SPACE, n_iter=60, random_state=0, storage=path, **SEARCHES[name]
        )
        begin = time.process_time()
        search.fit(X, y)
        fitted = time.process_time()
        search.predict(X)
        predicted = time.process_time()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        size = path.stat().st_size
    _ = search.corrected_score_
    return {
        "fit": fitted - begin,
        "predict": predicted - fitted,
        "memory": memory / 1024,
        "disk": size / 2**20,
        "corrected": time.process_time() - predicted,
    }


def main() -> None:
    """Measure all searches, each in a process of its own, and write the table."""
    rows = []
    for name in SEARCHES:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", __file__, name], capture_output=True, check=True
        )
        cost = json.loads(done.stdout)
        rows.append(
            [
                name,
                f"{cost['fit']:.1f}",
                f"{cost['predict']:.2f}",
                f"{cost['memory']:.0f}",
                f"{cost['disk']:.1f}",
                f"{cost['corrected']:.2f}",
            ]
        )
        print(rows[-1], flush=True)
    title = "60 candidates of a random forest on 1,797 rows of ten classes"
    header = [
        "search",
        "fit, s",
        "predict, s",
        "memory, MB",
        "on disk, MB",
        "``corrected_score_``, s",
    ]
    RESULTS.joinpath("winner_cost.rst").write_text(list_table(title, header, rows))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
    else:
        main()
