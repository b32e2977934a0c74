"""What rewards and failures are worth to a learner."""

import numpy as np
import pytest

from skpg.learners.rewards import normalize, rank_utilities, replace_failed, stalled, temper


@pytest.mark.parametrize("n", [1, 2, 3, 10, 57])
def test_utilities_sum_to_zero_and_follow_the_ranks(n, rng):
    rewards = rng.standard_normal(n)
    utilities = rank_utilities(rewards)
    assert utilities.sum() == pytest.approx(0)
    assert (np.diff(utilities[np.argsort(rewards)]) >= -1e-12).all()
    np.testing.assert_allclose(rank_utilities(np.exp(rewards)), utilities)


def test_equal_rewards_share_their_utilities():
    assert rank_utilities(np.zeros(4)).tolist() == [0, 0, 0, 0]
    first, second, third = rank_utilities(np.array([1.0, 1.0, 0.0]))
    assert first == second > 0 > third


def test_failed_candidates_rank_last():
    utilities = rank_utilities(np.array([np.nan, -1e300, -np.inf, 3.0, np.inf]))
    assert utilities[0] == utilities[2] == utilities[4] == utilities.min()
    assert utilities[3] == utilities.max() > utilities[1] > utilities[0]
    assert rank_utilities(np.full(3, np.nan)).tolist() == [0, 0, 0]


def test_failed_rewards_become_the_worst_finite_one():
    replaced = replace_failed(np.array([np.nan, 1.0, -2.0, -np.inf, np.inf]))
    assert replaced.tolist() == [-2, 1, -2, -2, -2]
    assert replace_failed(np.full(2, np.nan)).tolist() == [0, 0]


def test_scaling_and_shifting_rewards_changes_nothing():
    rewards = np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(normalize(rewards), normalize(1000 * rewards + 7), atol=1e-4)
    assert normalize(np.ones(3)).tolist() == [0, 0, 0]


def test_tempered_rewards():
    rewards = np.array([1.0, 2.0, 3.0, 4.0, np.nan, -1e12])
    for share in (0.0, 0.5, 1.0):
        tempered = temper(rewards, share)
        assert tempered.mean() == pytest.approx(0)
        assert np.abs(tempered).max() < 6
        assert (np.diff(tempered[:4]) > 0).all()
        assert tempered[4] == tempered[5] == tempered.min()
        np.testing.assert_allclose(temper(3 * rewards + 1, share), tempered, atol=1e-3)
    assert temper(np.ones(3), 0.5).tolist() == [0, 0, 0]
    assert temper(np.array([np.nan] * 3), 0.5).tolist() == [0, 0, 0]


@pytest.mark.parametrize("outlier", [1e3, 1e9])
def test_outlying_rewards_are_clipped(outlier):
    rewards = np.append(np.linspace(0, 1, 40), [outlier, -outlier])
    assert np.ptp(temper(rewards, 0.0)) == pytest.approx(6 + 2.5)


def test_stalled():
    won = np.array([0.0, 1.0, 0.5, 0.2, 0.1, 0.3])
    assert stalled(won, 4, 0.01)
    assert not stalled(won, 5, 0.01)  # the second one has won
    assert stalled(won, 5, 2.0)  # but no more than this
    assert not stalled(won, 6, 0.01)  # nothing to compare with
