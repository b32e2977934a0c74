"""Virtual actions: spread over a policy."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist

from skpg.learners.actor_critic.sampling import stratified, well_spread
from skpg.policy.policy import Policy
from skpg.space.space import Space


@pytest.mark.parametrize("n", [1, 2, 10])
def test_the_first_batch_is_stratified_and_well_spread(n):
    prior = Policy.prior(Space({"x": stats.uniform(), "y": stats.uniform()}))
    unit = stats.norm.cdf(well_spread(prior, n, np.random.default_rng(0)))
    np.testing.assert_array_equal(np.sort(np.floor(unit * n), axis=0).T, [np.arange(n)] * 2)
    if n == 10:
        draws = [stratified(prior, n, np.random.default_rng(i)) for i in range(20)]
        nearest = [pdist(stats.norm.cdf(actions)).min() for actions in draws]
        assert pdist(unit).min() > np.quantile(nearest, 0.75)
