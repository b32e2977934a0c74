"""Shares of the variance of a function of independent numbers: Sobol indices.

References
----------
.. [1] I. M. Sobol', "Global sensitivity indices for nonlinear mathematical models and their
   Monte Carlo estimates", Mathematics and Computers in Simulation 55, 2001.
   doi:10.1016/S0378-4754(00)00270-6
.. [2] M. J. W. Jansen, "Analysis of variance designs for model output", Computer Physics
   Communications 117, 1999. doi:10.1016/S0010-4655(98)00154-4
.. [3] A. Saltelli et al., "Variance based sensitivity analysis of model output. Design and
   estimator for the total sensitivity index", Computer Physics Communications 181, 2010.
   doi:10.1016/j.cpc.2009.09.018
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import qmc

from skpg.space.types import FloatArray

# Rows of each of the two samples, a power of two.
N_ROWS = 1024


def sobol_samples(n_dimensions: int, seed: int = 0) -> FloatArray:
    """Return the points at which a function is needed, of shape (d + 2, N_ROWS, d).

    Two independent samples A and B in the unit cube, and for each dimension A with that column
    of B.
    """
    points = qmc.Sobol(2 * n_dimensions, seed=np.random.default_rng(seed)).random(N_ROWS)
    a, b = points[:, :n_dimensions], points[:, n_dimensions:]
    samples = np.stack([a, b] + [a] * n_dimensions)
    for j in range(n_dimensions):
        samples[j + 2, :, j] = b[:, j]
    return samples


def sobol_indices(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return main and total effects as shares of the variance, by Jansen's estimators.

    Parameters
    ----------
    values : ndarray of shape (d + 2, n)
        The function at `sobol_samples`.

    Returns
    -------
    main, total : ndarray of shape (d,)
        In [0, 1]; zero where the function is constant.

    Examples
    --------
    >>> from skpg.display.sobol import sobol_indices, sobol_samples
    >>> points = sobol_samples(2)
    >>> main, total = sobol_indices(2 * points[..., 0] + points[..., 1])
    >>> main.round(2), total.round(2)  # 4 to 1
    (array([0.8, 0.2]), array([0.8, 0.2]))
    """
    at_a, at_b, mixed = values[0], values[1], values[2:]
    variance = np.concatenate([at_a, at_b]).var()
    scale = max(float(np.abs(values).max()), 1e-300)
    if not variance > (1e-9 * scale) ** 2:
        return np.zeros(len(mixed)), np.zeros(len(mixed))
    main = 1 - ((at_b - mixed) ** 2).mean(axis=1) / (2 * variance)
    total = ((at_a - mixed) ** 2).mean(axis=1) / (2 * variance)
    return np.clip(main, 0.0, 1.0), np.clip(total, 0.0, 1.0)


def effects_of(
    function: Callable[[FloatArray], FloatArray], n_dimensions: int
) -> tuple[FloatArray, FloatArray]:
    """Return `sobol_indices` of a function of rows of uniform numbers."""
    samples = sobol_samples(n_dimensions)
    values = function(samples.reshape(-1, n_dimensions))
    return sobol_indices(values.reshape(len(samples), -1))
