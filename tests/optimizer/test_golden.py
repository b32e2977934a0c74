"""The first candidates of a seed.

A change of these lines changes what users' searches return: explain it in
doc/whats_new.rst under "Changes to search results", with the benchmark.
"""

from pathlib import Path

from scipy import stats

from skpg import PolicyGradientOptimizer
from skpg.learners import NaturalGradient, Reinforce, ZerothOrder

GOLDEN = Path(__file__).parents[1] / "golden.txt"
SPACE = {
    "C": stats.loguniform(1e-3, 1e3),
    "degree": stats.randint(1, 6),
    "kernel": ["linear", "rbf", "poly"],
}


def lines():
    # The first batch only: later ones pass through L-BFGS, whose last digits belong to the
    # version of scipy.
    for p in PolicyGradientOptimizer(SPACE, random_state=0).ask(10):
        yield f"default {p['C']:.6g} {p['degree']} {p['kernel']}"
    for learner in (Reinforce(), NaturalGradient(), ZerothOrder()):
        optimizer = PolicyGradientOptimizer(SPACE, learner=learner, random_state=0)
        for _ in range(3):
            batch = optimizer.ask(4)
            optimizer.tell(batch, [-abs(p["C"] - 1) - p["degree"] for p in batch])
            for p in batch:
                # rounded: the last digits belong to the platform's logarithms
                yield f"{learner!r} {p['C']:.6g} {p['degree']} {p['kernel']}"


def test_the_first_candidates_of_a_seed_are_these():
    expected = GOLDEN.read_text().splitlines()
    assert list(lines()) == expected


if __name__ == "__main__":
    GOLDEN.write_text("\n".join(lines()) + "\n")
