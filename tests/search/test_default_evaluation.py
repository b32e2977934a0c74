"""What is in flight by default, and which updates learn from what."""

import sqlite3

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.neighbors import KNeighborsClassifier

from skpg import PolicyGradientSearchCV
from skpg.evaluation.settings import SearchSettings
from skpg.integrations.tracking import described_settings
from skpg.learners import ActorCritic, Learner, NaturalGradient, Reinforce, ZerothOrder

X, y = load_iris(return_X_y=True)
SPACE = {"n_neighbors": stats.randint(1, 60), "weights": ["uniform", "distance"]}
GRADIENTS = [Reinforce(), ZerothOrder(), NaturalGradient()]
STREAM_OF_4 = {"evaluation": "stream", "batch_size": 4}
BATCHES_OF_10 = {"evaluation": "batch", "batch_size": 10}


def make(**settings):
    return PolicyGradientSearchCV(
        KNeighborsClassifier(), SPACE, **({"n_iter": 24, "cv": 3, "random_state": 0} | settings)
    )


def updates(search):
    return search.cv_results_["iter"].tolist()


def result(search):
    columns = {name: str(c) for name, c in search.cv_results_.items() if "time" not in name}
    return repr((columns, search.history_, search.policy_, search.best_params_))


class Noting:
    """Notes how many candidates it has been told, and how many are pending, as it proposes."""

    def __deepcopy__(self, memo):
        return self

    def propose(self, state, memory, n, rng, admissible):
        self.seen.append((len(memory), len(memory.pending)))
        return super().propose(state, memory, n, rng, admissible)


class NotingActorCritic(Noting, ActorCritic):
    def __init__(self):
        super().__init__()
        object.__setattr__(self, "seen", [])


class Own(Noting, Learner):
    def __init__(self):
        self.seen = []

    def update(self, state, memory, rng):
        return state


class OwnInFlight(Own):
    in_flight = 3


def test_by_default_four_candidates_are_in_flight_and_each_is_learned_from():
    learner = NotingActorCritic()
    search = make(learner=learner).fit(X, y)
    assert updates(search) == list(range(24))
    # the opening is proposed before the first reward, the others each with three in flight
    assert learner.seen[0][0] == 0
    later = [(told, pending) for told, pending in learner.seen if told > 0]
    assert later == [(told, 3) for told in range(8, 21)]
    assert result(search) == result(make().fit(X, y))


@pytest.mark.parametrize("settings", [{}, {"learner": ActorCritic()}, {"evaluation": "stream"}])
def test_the_default_is_an_explicit_stream_of_four(settings):
    assert result(make(**settings).fit(X, y)) == result(make(**STREAM_OF_4).fit(X, y))


@pytest.mark.parametrize(
    ("settings", "sizes"),
    [
        ({"batch_size": 4}, [4] * 6),
        ({"batch_size": np.int64(7)}, [7, 7, 7, 3]),
        ({"evaluation": "auto", "batch_size": 10}, [10, 10, 4]),
        ({"evaluation": "batch"}, [10, 10, 4]),
        *(({"learner": learner}, [10, 10, 4]) for learner in [*GRADIENTS, Own()]),
        ({"learner": Reinforce(), "batch_size": 12}, [12, 12]),
        ({"learner": OwnInFlight(), "batch_size": 12}, [12, 12]),
        ({"learner": OwnInFlight(), "evaluation": "batch"}, [10, 10, 4]),
        ({"learner": Reinforce(), "evaluation": "stream"}, [1] * 24),
    ],
)
def test_batches_where_they_are_asked_for_or_the_learner_learns_from_them(settings, sizes):
    search = make(**settings).fit(X, y)
    assert np.bincount(search.cv_results_["iter"]).tolist() == sizes


@pytest.mark.parametrize("learner", GRADIENTS)
def test_learners_from_batches_are_given_ten(learner):
    explicit = make(learner=learner, **BATCHES_OF_10).fit(X, y)
    assert result(make(learner=learner).fit(X, y)) == result(explicit)


@pytest.mark.parametrize(
    ("kind", "settings", "pending"),
    [(OwnInFlight, {}, 2), (OwnInFlight, {"evaluation": "stream"}, 2),
     (OwnInFlight, STREAM_OF_4, 3), (Own, {"evaluation": "stream"}, 3)],
)  # fmt: skip
def test_in_a_stream_a_learner_of_ones_own_may_say_how_many_are_in_flight(kind, settings, pending):
    search = make(learner=kind(), **settings).fit(X, y)
    assert updates(search) == list(range(24))
    later = [seen for seen in search.learner.seen if seen[0] > 0]
    assert later == [(told, pending) for told in range(1, 24 - pending)]


def test_async_means_what_it_did():
    settings = SearchSettings.of(make(evaluation="async"))
    assert (settings.evaluation, settings.batch_size) == ("async", 10)
    assert SearchSettings.of(make(evaluation="async", batch_size=3)).batch_size == 3


def n_studies(path):
    with sqlite3.connect(path) as connection:
        return connection.execute("SELECT count(*) FROM studies").fetchone()[0]


@pytest.mark.parametrize(
    ("settings", "explicit"),
    [
        ({}, STREAM_OF_4),
        ({"learner": ActorCritic()}, {}),
        ({"learner": NaturalGradient()}, {"learner": NaturalGradient(), **BATCHES_OF_10}),
        ({"evaluation": "batch"}, {"batch_size": 10}),
    ],
)
def test_a_study_of_the_defaults_is_that_of_what_they_stand_for(tmp_path, settings, explicit):
    path = tmp_path / "search.db"
    make(storage=path, n_iter=12, **settings).fit(X, y)
    longer = make(storage=path, **explicit).fit(X, y)
    assert n_studies(path) == 1
    assert result(longer) == result(make(**settings).fit(X, y))
    make(storage=path, evaluation="stream", batch_size=5).fit(X, y)
    make(storage=path, batch_size=4).fit(X, y)
    assert n_studies(path) == 3


def test_fit_leaves_the_arguments_as_they_are():
    search = make()
    before = search.get_params()
    assert (before["evaluation"], before["batch_size"], before["learner"]) == ("auto", None, None)
    search.fit(X, y)
    for params in (search.get_params(), clone(search).get_params()):
        assert (params["evaluation"], params["batch_size"]) == ("auto", None)
        assert params["learner"] is None
    # what was resolved for one learner is not kept for the next
    search.set_params(learner=Reinforce()).fit(X, y)
    assert np.bincount(search.cv_results_["iter"]).tolist() == [10, 10, 4]


def test_trackers_are_told_what_the_defaults_stand_for():
    shown = described_settings(make())
    assert (shown["evaluation"], shown["batch_size"], shown["learner"]) == ("stream", "4", "None")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, r"'batch_size' .* must be an int in the range \[1, inf\) or None"),
        ({"batch_size": 2.5}, r"'batch_size' .* must be an int in the range \[1, inf\) or None"),
        ({"batch_size": "auto"}, r"'batch_size' .* must be an int in the range .* or None"),
        ({"evaluation": "window"}, r"'evaluation' .* must be a str among \{.*'auto'.*\}"),
        ({"evaluation": None}, r"'evaluation' .* must be a str among \{.*'stream'.*\}"),
    ],
)
def test_errors_name_what_was_expected(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings).fit(X, y)
