"""The policy after each update, as the search had it."""

import numpy as np
import pytest
from scipy.stats import loguniform

import skpg
from skpg.display import PolicyDisplay
from skpg.learners import NaturalGradient
from tests.display.searches import SPACE, X, fitted, search, y


def test_the_fan_begins_with_the_users_distribution_and_ends_with_the_policy():
    found = fitted("usual")
    shown = PolicyDisplay.from_search(found)
    column = list(SPACE).index("m")
    fan = shown.quantiles[column]
    probabilities = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99]
    np.testing.assert_allclose(fan[0], loguniform(1e-3, 1e3).ppf(probabilities))
    draws = [params["m"] for params in found.policy_.sample(20_000, 0)]
    np.testing.assert_allclose(
        np.log(fan[-1, 1:-1]), np.log(np.quantile(draws, probabilities[1:-1])), atol=0.15
    )


def test_the_bands_of_a_list_are_its_probabilities():
    found = fitted("usual")
    shown = PolicyDisplay.from_search(found)
    column = list(SPACE).index("kind")
    np.testing.assert_allclose(shown.probabilities[column][0], 1 / 3)
    np.testing.assert_allclose(
        shown.probabilities[column][-1], found.policy_.actors[column].probabilities
    )


def test_updates_stand_where_their_candidates_end():
    found = search(batch_size=7).fit(X, y)
    shown = PolicyDisplay.from_search(found)
    assert shown.n_candidates.tolist() == [0, 7, 14, 21, 28, 30]
    assert shown.n_candidates.tolist()[1:] == [u["n_candidates"] for u in found.history_]


def test_panels_are_in_the_users_units():
    shown = PolicyDisplay.from_search(fitted("usual")).plot()
    panels = dict(zip(SPACE, shown.axes_, strict=True))
    assert panels["m"].get_yscale() == "log"
    assert panels["a"].get_yscale() == "linear"
    assert panels["k"].get_ylim()[0] < 1 < 8 < panels["k"].get_ylim()[1]
    labels = [text.get_text() for text in panels["kind"].get_yticklabels()]
    assert labels == ["a", "b", "c"]
    labels = [text.get_text() for text in panels["other"].get_yticklabels()]
    assert labels == ["None", "(1, 2)", "PCA", "a text of more char…"]


def test_the_best_candidate_is_marked_on_each_panel():
    found = fitted("usual")
    shown = PolicyDisplay.from_search(found, params=["m"]).plot()
    (star,) = [c for c in shown.axes_[0].collections if c.get_label() == "best"]
    assert star.get_offsets().tolist() == [[found.best_index_ + 1, found.best_params_["m"]]]


def test_of_many_choices_the_rare_ones_share_a_band():
    found = search({"a": [k / 20 for k in range(20)]}, n_iter=15).fit(X, y)
    shown = PolicyDisplay.from_search(found).plot()
    labels = [text.get_text() for text in shown.axes_[0].get_yticklabels()]
    assert len(labels) == 8
    assert labels[-1] == "others"


def test_a_stored_policy_is_learned_again_and_called_so(tmp_path):
    path = tmp_path / "search.db"
    found = search(storage=path, learner=NaturalGradient(), batch_size=10).fit(X, y)
    study = skpg.load_study(path, param_distributions=SPACE)
    shown = PolicyDisplay.from_search(study, param_distributions=SPACE, learner=NaturalGradient())
    assert shown.is_replayed
    own = PolicyDisplay.from_search(found)
    assert not own.is_replayed
    assert shown.n_candidates.tolist() == own.n_candidates.tolist()
    for column, probabilities in own.probabilities.items():  # lists are drawn as they are stored
        np.testing.assert_allclose(shown.probabilities[column], probabilities)
    labels = [line.get_label() for line in shown.plot().axes_[0].lines]
    assert labels == ["median of the policy learned again"]


def test_a_long_search_has_no_more_points_than_can_be_seen(monkeypatch):
    monkeypatch.setattr("skpg.display.policy.MOST_UPDATES", 20)
    found = search(batch_size=1, learner=NaturalGradient()).fit(X, y)
    shown = PolicyDisplay.from_search(found)
    assert len(shown.n_candidates) == 21
    assert shown.n_candidates[[0, -1]].tolist() == [0, 30]


def test_params_choose_the_panels():
    shown = PolicyDisplay.from_search(fitted("usual"), params=["kind", "a"]).plot()
    assert len(shown.axes_) == 2
    with pytest.raises(ValueError, match="names of hyperparameters"):
        PolicyDisplay.from_search(fitted("usual"), params=["C"])
