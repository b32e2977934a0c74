"""Dimensions: one hyperparameter each, as an immutable value, a list or a distribution.

Three representations of what a hyperparameter is set to:

- the *action*, what an actor draws: the index of a choice, or a real ``z``. The value of ``z``
  is ``F^-1(Phi(z))`` with the user's quantile function ``F^-1`` and the standard normal
  distribution function ``Phi``, so that ``z ~ N(0, 1)`` *is* the user's distribution:
  equation 12 (probit) of the user guide,
- the *resolved* number, what tells values apart: the index of the choice, or the value as a
  float,
- the value itself, what an estimator gets: the very object of a list, an int or a float.
"""

from skpg.space.dimensions.choice import Branch, Choice, Ordered, Unordered
from skpg.space.dimensions.distribution import Continuous, Discrete

__all__ = ["Branch", "Choice", "Continuous", "Dimension", "Discrete", "Ordered", "Unordered"]

Dimension = Choice | Continuous | Discrete
