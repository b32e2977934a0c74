"""Which candidates are averaged, and how much of each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skpg import Ensemble
from skpg.winner.ensemble import ensemble_weights, first_of_identical, select

TRUTH = np.linspace(-1, 1, 40)


def score(predictions):
    return -float(np.mean((predictions - TRUTH) ** 2))


def noisy(n, seed=0, noise=1.0):
    return TRUTH + noise * np.random.default_rng(seed).normal(size=(n, len(TRUTH)))


def weights_of(predictions, seed=0, **settings):
    return ensemble_weights(predictions, score, Ensemble(**settings), np.random.default_rng(seed))


@pytest.mark.parametrize("name", ["size", "bags"])
def test_settings_are_whole_numbers_from_one(name):
    for value in (0, -3):
        with pytest.raises(ValueError, match=f"{name} of an Ensemble must be at least 1"):
            Ensemble(**{name: value})
    for value in (2.0, "20", None, True):
        with pytest.raises(TypeError, match=f"{name} of an Ensemble must be an integer"):
            Ensemble(**{name: value})
    assert getattr(Ensemble(**{name: np.int64(3)}), name) == 3
    assert Ensemble() == Ensemble(size=20, bags=10)
    with pytest.raises(AttributeError):
        Ensemble().size = 3


def test_one_of_one_bag_is_the_best_candidate():
    predictions = noisy(30)
    best = np.argmax([score(p) for p in predictions])
    assert weights_of(predictions, size=1, bags=1)[best] == 1


def test_an_average_is_chosen_where_errors_cancel():
    predictions = np.stack([TRUTH + 1, TRUTH - 1.1, TRUTH + 5, TRUTH - 5.2])
    assert list(select(predictions, range(4), score, 2)) == [0, 1]
    expected = [11 / 21, 10 / 21, 0, 0]
    np.testing.assert_allclose(weights_of(predictions, size=21, bags=1), expected)


def test_the_way_ends_at_the_best_ensemble():
    predictions = np.stack([TRUTH, TRUTH + 1])
    assert list(select(predictions, range(2), score, 20)) == [0]


def test_identical_predictions_enter_once():
    predictions = noisy(6)
    again = predictions[[0, 1, 0, 2, 3, 3, 4, 5, 5]]
    assert list(first_of_identical(again)) == [0, 1, 3, 4, 6, 7]
    weights = weights_of(again)
    np.testing.assert_allclose(weights[[0, 1, 3, 4, 6, 7]], weights_of(predictions))
    assert (weights[[2, 5, 8]] == 0).all()


def test_zero_is_no_other_prediction_than_minus_zero():
    assert list(first_of_identical(np.array([[0.0, 1.0], [-0.0, 1.0]]))) == [0]


def test_an_average_without_a_score_is_never_chosen():
    predictions = noisy(6)
    predictions[2] = np.inf

    def fragile(average):
        return score(average) if np.isfinite(average).all() else np.nan

    weights = ensemble_weights(predictions, fragile, Ensemble(), np.random.default_rng(0))
    assert weights[2] == 0
    assert weights.sum() == pytest.approx(1)


def test_bags_choose_among_halves_of_the_candidates_and_count_the_same():
    predictions = noisy(30)
    one, ten = weights_of(predictions, bags=1), weights_of(predictions, bags=10)
    assert (ten > 0).sum() > (one > 0).sum()
    assert weights_of(predictions, size=1, bags=10).max() < 1
    assert (weights_of(predictions, seed=1) != ten).any()
    assert (weights_of(predictions) == ten).all()


def test_classes_are_averaged_along():
    votes = np.random.default_rng(0).dirichlet(np.ones(3), size=(8, 40))
    labels = np.arange(40) % 3

    def likelihood(average):
        return float(np.log(average[np.arange(40), labels]).mean())

    weights = ensemble_weights(votes, likelihood, Ensemble(bags=1), np.random.default_rng(0))
    alone = max(map(likelihood, votes))
    assert likelihood(np.tensordot(weights, votes, 1)) > alone


@given(st.integers(1, 9), st.integers(1, 6), st.integers(1, 4), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_weights_are_shares(n, size, bags, seed):
    predictions = noisy(n, seed)
    weights = weights_of(predictions, seed=seed, size=size, bags=bags)
    assert weights.shape == (n,)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)
    if bags == 1:
        assert score(weights @ predictions) >= max(map(score, predictions)) - 1e-12
